"""A small release, and sources to mix it with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.consuming.finding import FoundRelease, find_release
from c2c_tasks.records import Program
from tests.publishing.conftest import make_program, make_samples, publish

__all__ = ["make_program", "make_samples", "publish"]


@pytest.fixture
def found(
    tmp_path: Path,
    publish: Any,
    make_program: Callable[[int], Program],
    monkeypatch: pytest.MonkeyPatch,
) -> FoundRelease:
    """A release of 30 programs: 18 to train with, 6 and 6."""
    monkeypatch.setenv("C2C_CACHE", str(tmp_path / "cache"))
    target = (tmp_path / "target").as_uri()
    return find_release(publish(target, [make_program(n) for n in range(30)]))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder with 400 texts, in two files."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name in ("a", "b"):
        rows = ({"text": f"{name} {n}: " + "word " * (n % 17)} for n in range(200))
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return folder


@pytest.fixture
def general(tmp_path: Path) -> Path:
    """A file of 10 instructions."""
    path = tmp_path / "general.jsonl"
    rows = (
        {"instruction": f"Add {n}.", "input": str(n) if n % 2 else "", "output": str(2 * n)}
        for n in range(10)
    )
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path
