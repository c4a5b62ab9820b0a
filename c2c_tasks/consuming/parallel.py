"""Work on many files at a time, which ends soon after it was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event
from typing import Protocol, TypeVar

FILES = 8
"""Files that are worked on at a time."""

T = TypeVar("T")
R = TypeVar("R")
Tick = Callable[[int], None]
"""Is told the bytes of each piece of work as it is done."""


class Meter(Protocol):
    """Shows how far long work has come."""

    def expect(self, count: int) -> None:
        """Say that so many more bytes are to be worked on."""

    def tick(self, count: int) -> None:
        """Say that so many more bytes are done. Threads call it."""


class NoMeter:
    """Shows nothing."""

    def expect(self, count: int) -> None:
        """Say that so many more bytes are to be worked on."""

    def tick(self, count: int) -> None:
        """Say that so many more bytes are done. Threads call it."""


class _Interrupted(BaseException):
    """Raised in a thread whose work nobody waits for any more."""


def in_parallel(work: Callable[[T, Tick], R], items: Iterable[T], meter: Meter) -> Iterator[R]:
    """Yield what `work` makes of each item, as it is done; `work` tells the bytes that it did.

    The first exception, of an item or in the caller, stops the rest: an item under way at its
    next piece.
    """
    stopped = Event()

    def tick(count: int) -> None:
        if stopped.is_set():
            raise _Interrupted
        meter.tick(count)

    pool = ThreadPoolExecutor(FILES, "consume")
    try:
        futures = [pool.submit(work, item, tick) for item in items]
        for future in as_completed(futures):
            yield future.result()
    finally:
        stopped.set()
        pool.shutdown(wait=True, cancel_futures=True)
