"""Threads of our own for what blocks: Airflow's API goes on while a store is slow.

Airflow's routes share some forty threads. Ours are as many as are named here, which also bounds
how much is searched at a time; who comes when all are taken waits for one, and not for long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


class Busy(Exception):
    """All threads are taken, and so many wait already, or did for too long."""


class TooSlow(Exception):
    """It takes longer than anyone waits. The thread goes on, and is taken until it is done."""


class Workers:
    """So many threads, and so many who may wait for one of them."""

    def __init__(self, name: str, *, threads: int, waiting: int, seconds: float) -> None:
        """`seconds` is how long anyone waits for an answer."""
        self._pool = ThreadPoolExecutor(threads, name)
        self._room = threads + waiting
        self._seconds = seconds
        self._inside = 0
        self._lock = Lock()

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns. Raises Busy and TooSlow, and what `work` raises."""
        with self._lock:
            if self._inside >= self._room:
                raise Busy
            self._inside += 1
        future = self._pool.submit(work)
        future.add_done_callback(self._leave)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)
        except TimeoutError:
            if future.cancelled():
                raise Busy from None
            if future.done():  # at the last moment, or with a TimeoutError of its own
                return future.result()
            raise TooSlow from None

    def _leave(self, _: Future[Any]) -> None:
        with self._lock:
            self._inside -= 1
