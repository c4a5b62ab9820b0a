"""Builds without Airflow."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.config import BuildConfig
from c2c_tasks.pipeline import Build
from tests.pipeline.nights import MODULES, Nights, environment

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


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, small_dump: Path) -> tuple[Path, Path]:
    """Where three nights were built, and a copy of it."""
    folder = tmp_path_factory.mktemp("nights") / "here"
    nights = Nights(folder)
    nights.dump.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(folder).items():
            patch.setenv(name, value)
        for day, module in enumerate(MODULES, start=20):
            shutil.copy(small_dump / f"{module}.py", nights.dump)
            nights.build(day)
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    return folder, copy


@pytest.fixture
def three_nights(built: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Nights:
    """Three nights as they were built."""
    folder, copy = built
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    for name, value in environment(folder).items():
        monkeypatch.setenv(name, value)
    return Nights(folder)
