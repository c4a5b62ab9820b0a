"""A small target, and the command as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.records import Program
from tests.publishing.conftest import make_program, make_samples, publish

__all__ = ["make_program", "make_samples", "publish"]

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def target(
    tmp_path: Path,
    publish: Any,
    make_program: Callable[[int], Program],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The folder of a target with two releases; ``C2C_TARGET`` names it."""
    folder = tmp_path / "target"
    programs = [make_program(n) for n in range(20)]
    publish(folder.as_uri(), programs[:12], date="2026-11-23", build_id="earlier")
    publish(folder.as_uri(), programs[4:])
    monkeypatch.setenv("C2C_TARGET", str(folder))
    monkeypatch.setenv("C2C_CACHE", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def c2c() -> Command:
    """Runs the command; its output is no terminal."""

    def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "FORCE_COLOR")}
        return subprocess.run(
            [sys.executable, "-m", "c2c_tasks.cli", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=environment,
            **options,
        )

    return run
