"""Faults that stay until somebody mends them: one clear error, and nothing is lost by it."""

from __future__ import annotations

import errno
import os
import re
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from c2c_tasks.store import StoreError
from tests.faults.proxy import WRITES, Fault, Rule
from tests.faults.small_release import SmallRelease

if TYPE_CHECKING:
    from tests.faults.conftest import Outcomes
    from tests.faults.trials import Trials

SAYS: dict[Fault, str] = {
    "expired": "the credentials have expired",
    "skewed": "clock",
    "denied": "access denied",
    "no_bucket": "no such bucket; create it first",
    "full": "the store is full",
}
PLACES = ("24-1/claim", "README", "ledger/", "24-1/manifest", "latest")
"""Writes of a publish, in their order."""


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", SAYS)
def test_from_any_request_on(trials: Trials, kind: Fault, outcomes: Outcomes) -> None:
    """The server refuses from one request on: all, or where it is full or read-only, writes."""
    only_writes = kind in ("denied", "full")
    for number in count(1, 1 if only_writes else 3):
        rule = Rule(kind, first=number, times=None, method=WRITES if only_writes else ".*")
        error = trials.publish(rule)
        if not rule.fired:
            assert error is None
            break
        assert error is not None
        assert re.search(SAYS[kind], str(error))
        assert trials.target in str(error) and "\n" not in str(error)
        assert trials.reader.look().version == trials.old.version
        assert trials.before.items() <= trials.reader.state().items()
        assert trials.publish() is None
        trials.check()
        trials.reset()
        outcomes["a clear error, then published once mended"] += 1


@pytest.mark.parametrize("write", range(1, 8))
def test_a_local_disk_that_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    """A target on a disk on which the n-th write finds no space left."""
    target = (tmp_path / "target").as_uri()
    old = SmallRelease("old", "2026-11-23", tmp_path / "old").write()
    new = SmallRelease("new", "2026-11-24", tmp_path / "new", old.version).write()
    old.publish(target)
    before = _contents(tmp_path / "target")
    fsync, writes = os.fsync, 0

    def fill(handle: int) -> None:
        nonlocal writes
        writes += 1
        if writes >= write:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    with monkeypatch.context() as patch, pytest.raises(StoreError, match="the disk is full"):
        patch.setattr(os, "fsync", fill)
        new.publish(target)
    assert before.items() <= _contents(tmp_path / "target").items()
    new.publish(target)
    reference = (tmp_path / "reference").as_uri()
    old.publish(reference)
    new.publish(reference)
    expected = _contents(tmp_path / "reference")
    assert _contents(tmp_path / "target") == {
        path: content.replace(b"/reference/", b"/target/") for path, content in expected.items()
    }


def _contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".c2c-lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
