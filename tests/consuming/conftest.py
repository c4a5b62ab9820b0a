"""Small releases in both stores, and copies of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.records import Program
from tests.publishing.conftest import make_program, make_samples, publish, target

__all__ = ["make_program", "make_samples", "publish", "target"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of files that are fetched."""
    monkeypatch.setenv("C2C_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def release(target: str, publish: Any, make_program: Callable[[int], Program]) -> str:
    """The URI of a release of 30 programs: 18 to train with, 6 and 6."""
    return str(publish(target, [make_program(n) for n in range(30)]))
