"""Builds without Airflow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.config import BuildConfig
from c2c_tasks.pipeline import Build

MakeBuild = Callable[..., Build]


@pytest.fixture
def make_build(workspace: Path, small_dump: Path) -> MakeBuild:
    """Makes builds of the small dump into the workspace; options by name."""

    def make(build_id: str = "build-1", date: str = "2026-11-24", **options: Any) -> Build:
        defaults = {
            "dump": str(small_dump),
            "launcher": "process",
            "inputs_per_function": 12,
            "refine_rounds": 1,
            "audit_programs": 3,
            "benchmarks": [],
            "licences": "any",
        }
        return Build(build_id, date, BuildConfig.from_flat(defaults | options))

    return make
