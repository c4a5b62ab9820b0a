"""Threads of our own for what blocks: Airflow's API goes on while a store is slow.

Airflow's routes share some forty threads. Ours have so many as are named here, which also bounds
how many searches run at a time; who comes when all are taken waits, and not for long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Busy(Exception):
    """All threads are taken, and so many wait already."""


class TooSlow(Exception):
    """It takes longer than anyone waits; the thread goes on and stays taken until it is done."""


class Workers:
    """So many threads, and so many who may wait for one."""

    def __init__(self, name: str, threads: int, waiting: int, seconds: float) -> None:
        self._pool = ThreadPoolExecutor(threads, name)
        self._room = threads + waiting
        self._seconds = seconds
        self._inside = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns. Raises Busy and TooSlow, and what `work` raises."""
        if self._inside >= self._room:
            raise Busy
        future = self._pool.submit(work)
        self._inside += 1
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._leave))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)
        except TimeoutError:
            if future.done() and not future.cancelled():
                raise  # its own
            raise TooSlow from None

    def _leave(self) -> None:
        self._inside -= 1
