"""How many processes are worth starting: by the process's cores, and its container's share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from c2c_tasks import cores


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of control groups, on a host with 64 cores."""
    monkeypatch.setattr(cores, "GROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    return tmp_path


def test_without_a_limit_each_core_counts(groups: Path) -> None:
    assert cores.available() == 64
    (groups / "cpu.max").write_text("max 100000\n")
    assert cores.available() == 64


@pytest.mark.parametrize(
    ("quota", "expected"), [("200000", 2), ("250000", 3), ("50000", 1), ("9900000", 64)]
)
def test_a_container_has_its_share(groups: Path, quota: str, expected: int) -> None:
    (groups / "cpu.max").write_text(f"{quota} 100000\n")
    assert cores.available() == expected


@pytest.mark.parametrize(("quota", "expected"), [("-1", 64), ("200000", 2)])
def test_control_groups_of_the_first_version(groups: Path, quota: str, expected: int) -> None:
    (groups / "cpu").mkdir()
    (groups / "cpu/cpu.cfs_quota_us").write_text(f"{quota}\n")
    (groups / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert cores.available() == expected


def test_what_cannot_be_read_is_no_limit(groups: Path) -> None:
    (groups / "cpu.max").write_text("?")
    assert cores.available() == 64
