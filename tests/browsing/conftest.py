"""Small releases in both stores, in the target and beside the catalogue of a deployment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.publishing import data_files
from c2c_tasks.records import Program
from tests.publishing.conftest import make_program, make_samples, publish, target

__all__ = ["make_program", "make_samples", "publish", "target"]


GROUP = 4
"""Rows of a row group."""


@pytest.fixture
def deployment(workspace: Path, target: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a deployment whose default target is `target`."""
    monkeypatch.setenv("C2C_TARGET", target)
    monkeypatch.setenv("C2C_CACHE", str(workspace / "cache"))
    return workspace


@pytest.fixture
def programs(make_program: Callable[..., Program]) -> list[Program]:
    """Thirty programs: 18 to train with, 6 and 6."""
    return [make_program(number) for number in range(30)]


@pytest.fixture
def release(
    deployment: Path,
    target: str,
    publish: Any,
    programs: list[Program],
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """The version of a release of these programs, in row groups of `GROUP`."""
    monkeypatch.setattr(data_files, "ROW_GROUP", GROUP)
    return str(publish(target, programs, card=False)).rpartition("/")[2]
