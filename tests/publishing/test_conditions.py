"""Conditional writes that a lock stands in for, and writes whose outcome is unknown."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from c2c_tasks.publishing import conditions
from c2c_tasks.publishing.conditions import STORE, Locked, StillHeld, write_or_read
from c2c_tasks.store import ObjectInfo, StoreError, StoreUnavailable, read, store_for


@pytest.fixture
def locked() -> Locked:
    lock = threading.Lock()

    @contextmanager
    def hold() -> Iterator[StillHeld]:
        with lock:
            yield lambda: None

    return Locked(hold)


def test_a_lock_stands_in_for_conditions(target: str, locked: Locked) -> None:
    uri = f"{target}/object"
    first = locked.create(uri, b"1")
    assert first is not None and locked.create(uri, b"2") is None
    assert locked.replace(uri, b"3", "no-such-etag") is None
    assert locked.replace(uri, b"4", first.etag) is not None
    assert locked.replace(uri, b"5", first.etag) is None
    assert locked.replace(f"{uri}-missing", b"6", first.etag) is None
    assert read(uri) == b"4"


def test_of_writers_at_once_one_gets_through(target: str, locked: Locked) -> None:
    uri = f"{target}/object"
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(lambda n: locked.create(uri, b"%d" % n), range(8)))
    (winner,) = (n for n, info in enumerate(written) if info)
    assert read(uri) == b"%d" % winner


def test_nothing_is_written_once_the_lock_is_lost(target: str) -> None:
    def lost() -> None:
        raise StoreUnavailable("lost")

    @contextmanager
    def hold() -> Iterator[StillHeld]:
        yield lost

    uri = f"{target}/object"
    with pytest.raises(StoreUnavailable, match="lost"):
        Locked(hold).create(uri, b"1")
    assert store_for(uri).head(uri) is None
    info = store_for(uri).write(uri, b"1")
    with pytest.raises(StoreUnavailable, match="lost"):
        Locked(hold).replace(uri, b"2", info.etag)
    assert read(uri) == b"1"


class Faulty:
    """The store's conditions, of which some writes fail, done or not."""

    def __init__(self, faults: list[StoreError | None], *, done: bool) -> None:
        self.faults = faults
        self.done = done

    def _attempt(self, write: Callable[..., ObjectInfo | None], *arguments: Any) -> Any:
        fault = self.faults.pop(0) if self.faults else None
        if fault is None:
            return write(*arguments)
        if self.done:
            write(*arguments)
        raise fault

    def create(self, uri: str, data: bytes) -> Any:
        return self._attempt(STORE.create, uri, data)

    def replace(self, uri: str, data: bytes, etag: str) -> Any:
        return self._attempt(STORE.replace, uri, data, etag)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "PAUSES", (0.0, 0.0, 0.0))


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("over", [False, True])
def test_an_unknown_outcome_is_looked_up(target: str, done: bool, over: bool) -> None:
    uri = f"{target}/object"
    etag = store_for(uri).write(uri, b"old").etag if over else None
    faulty = Faulty([StoreUnavailable("timed out"), StoreUnavailable("conflict")], done=done)
    assert write_or_read(faulty, uri, b"new", over=etag) == read(uri) == b"new"
    assert len(faulty.faults) == (1 if done else 0)


def test_what_another_wrote_meanwhile_is_returned(target: str) -> None:
    uri = f"{target}/object"
    store_for(uri).write(uri, b"another's")
    fault = StoreUnavailable("conflict")
    assert write_or_read(Faulty([fault], done=False), uri, b"mine") == b"another's"
    stale = Faulty([fault], done=False)
    assert write_or_read(stale, uri, b"mine", over="no-such-etag") == b"another's"
    assert read(uri) == b"another's"


@pytest.mark.parametrize(
    ("fault", "attempts"), [(StoreUnavailable("busy"), 4), (StoreError("access denied"), 1)]
)
def test_a_refusal_is_final_and_patience_ends(
    target: str, fault: StoreError, attempts: int
) -> None:
    faulty = Faulty([fault] * 9, done=False)
    with pytest.raises(StoreError, match=str(fault)):
        write_or_read(faulty, f"{target}/object", b"mine")
    assert len(faulty.faults) == 9 - attempts
    assert store_for(target).head(f"{target}/object") is None
