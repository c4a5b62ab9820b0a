"""Many requests under way at a time, answers in order: a generator fed by an event loop."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable
from concurrent.futures import Future
from itertools import islice
from typing import Any, TypeVar

AHEAD = 1_000
"""Items taken beyond those that may be under way: while the first waits for its answer, or for
its answer to be written, the engine's queue must not run empty."""

I = TypeVar("I")  # noqa: E741
O = TypeVar("O")  # noqa: E741


def in_order(
    items: Iterable[I],
    ask: Callable[[I], Coroutine[Any, Any, O]],
    *,
    concurrency: int,
    close: Callable[[], Coroutine[Any, Any, None]],
) -> Generator[tuple[I, O], None, None]:
    """Yield each item with what `ask` makes of it, in the order of the items.

    `ask` itself bounds what is under way to `concurrency`; items are taken as there is room.
    Its exception is raised in place of the item, and ends all. `close` is awaited at the end,
    whatever ends it.
    """
    remaining = iter(items)
    waiting: deque[tuple[I, Future[O]]] = deque()
    with _Loop() as loop:
        try:
            for item in islice(remaining, AHEAD + concurrency):
                waiting.append((item, loop.submit(ask(item))))
            while waiting:
                item, future = waiting[0]
                answer = future.result()
                waiting.popleft()
                yield item, answer
                for further in islice(remaining, 1):
                    waiting.append((further, loop.submit(ask(further))))
        finally:
            for _, future in reversed(waiting):  # the last first: none takes the room of another
                future.cancel()
            loop.run(close())


class _Loop:
    """An event loop in a thread of its own."""

    def __enter__(self) -> _Loop:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="vllm", daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._settle())
        if sys.is_finalizing():
            return
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def submit(self, coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Wait for a coroutine, unless the interpreter ends: then the thread runs no more."""
        if sys.is_finalizing():
            coroutine.close()
        else:
            self.submit(coroutine).result()

    async def _settle(self) -> None:
        """Cancel what is left, so that nothing is destroyed while it waits."""
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
