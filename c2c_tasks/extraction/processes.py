"""Work on items in processes that may die of them.

CPython's parser and compiler can be made to overflow the stack, to take all memory or to never
end, by text alone. In a process of its own that costs one item, and not the task.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from c2c_tasks import cores
from c2c_tasks.extraction import foreman
from c2c_tasks.extraction.foreman import NUMBER, Disconnected, receive, receive_bytes, send

T = TypeVar("T")
R = TypeVar("R")

CHUNK_ITEMS = 32
CHUNK_WEIGHT = 1 << 18
"""What is sent to a process at once, so that it seldom waits for more."""
LOOK_AHEAD = 2
"""Chunks for each process that are taken from the items before their results are."""
ITEM_SECONDS = 30.0
"""CPU seconds of one item. A megabyte of source text takes about one."""
ITEM_BYTES = 4 << 30
"""Address space of a process. The tree of a file takes about 100 times the file's size."""

END_SECONDS = 10.0
"""Time in which the foreman ends by itself."""


@dataclass(frozen=True, slots=True)
class Crashed(Generic[T]):
    """An item that a process died of: twice, unless it took too long."""

    item: T
    reason: Literal["crashed", "timed_out"]


class ProcessesError(RuntimeError):
    """The processes as a whole have ended, or could not be started."""


def map_in_processes(
    function: Callable[[T], R],
    items: Iterable[T],
    processes: int = 0,
    *,
    weigh: Callable[[T], int] = lambda _: 0,
    seconds: float = ITEM_SECONDS,
    memory: int = ITEM_BYTES,
) -> Generator[R | Crashed[T], None, None]:
    """Yield what `function` makes of each item, in order, or that a process died of it.

    `function` must be importable in another interpreter: at the top of a module that is not
    ``__main__``, or a `functools.partial` of such a one. `processes` of 0 means one for each
    core. `weigh` gives the bytes of an item, roughly. Of items and results, a few chunks for
    each process are held at a time. `seconds` (CPU) and `memory` (bytes) bound an item.

    What the function raises is raised here. Raises ProcessesError where no process can work.
    However the caller ends, the processes end too.
    """
    count = processes or cores.available()
    chunks = _chunks(items, weigh)
    pending: deque[Future[list[R | Crashed[T]]]] = deque()
    with closing(_Crew(function, seconds, memory)) as crew:
        pool = ThreadPoolExecutor(count, "extraction")
        try:
            for chunk in chunks:
                pending.append(pool.submit(crew.work, chunk))
                if len(pending) >= LOOK_AHEAD * count:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
            crew.stop()
            pool.shutdown()


def _chunks(items: Iterable[T], weigh: Callable[[T], int]) -> Iterator[list[T]]:
    chunk: list[T] = []
    weight = 0
    for item in items:
        chunk.append(item)
        weight += weigh(item)
        if len(chunk) == CHUNK_ITEMS or weight >= CHUNK_WEIGHT:
            yield chunk
            chunk, weight = [], 0
    if chunk:
        yield chunk


class _Crew(Generic[T, R]):
    """The workers of a foreman; each thread that asks has one of its own."""

    def __init__(self, function: Callable[[T], R], seconds: float, memory: int) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._foreman = subprocess.Popen(
                [sys.executable, "-c", _COMMAND, str(theirs.fileno()), *sys.path],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._asking = threading.Lock()
        self._own = threading.local()
        self._workers: list[_Worker] = []
        self._stopped = False
        with suppress(OSError):  # whoever asks for a worker is told
            send(self._control, (function, seconds, memory))

    def work(self, chunk: list[T]) -> list[R | Crashed[T]]:
        """Return what comes of each item."""
        results: list[R | Crashed[T]] = []
        suspect = False
        while remaining := chunk[len(results) :]:
            worker = self._worker()
            # What may have killed a process is tried again alone: it may have been another thing.
            answered, status = worker.work(remaining[:1] if suspect else remaining)
            results += answered
            if status is None:
                suspect = False
                continue
            del self._own.worker
            timed_out = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF
            if timed_out or (suspect and not answered):
                reason: Literal["crashed", "timed_out"] = "timed_out" if timed_out else "crashed"
                results.append(Crashed(chunk[len(results)], reason))
                suspect = False
            else:
                suspect = True
        return results

    def ask(self, request: bytes, body: bytes = b"", descriptors: tuple[int, ...] = ()) -> int:
        """Return the foreman's reply to a request. Raises ProcessesError where there is none."""
        with self._asking:
            if self._stopped:
                raise ProcessesError("the extraction was stopped")
            try:
                socket.send_fds(self._control, [request], descriptors)
                self._control.sendall(body)
                (reply,) = NUMBER.unpack(receive_bytes(self._control, NUMBER.size))
            except (OSError, Disconnected):
                raise ProcessesError("the processes of extraction have ended") from None
        return int(reply)

    def stop(self) -> None:
        """End the workers at once; what they were at comes to ProcessesError."""
        self._stopped = True
        for worker in self._workers:
            worker.stop()

    def close(self) -> None:
        """End the foreman, and so the workers."""
        self._control.close()
        try:
            self._foreman.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._foreman.kill()
            self._foreman.wait()

    def _worker(self) -> _Worker:
        worker: _Worker | None = getattr(self._own, "worker", None)
        if worker is None:
            worker = self._own.worker = _Worker(self)
            self._workers.append(worker)
            if self._stopped:
                worker.stop()
        return worker


class _Worker:
    """One process, which is given chunks."""

    def __init__(self, crew: _Crew[Any, Any]) -> None:
        self._crew = crew
        self._connection, theirs = socket.socketpair()
        with theirs:
            self._process = crew.ask(foreman.START, descriptors=(theirs.fileno(),))

    def work(self, items: list[Any]) -> tuple[list[Any], int | None]:
        """Return the results; where the process died, those until then, and its wait status.

        Raises what the function raised.
        """
        results: list[Any] = []
        try:
            send(self._connection, items)
            for _ in items:
                succeeded, result = receive(self._connection)
                if not succeeded:
                    raise result
                results.append(result)
        except (Disconnected, ConnectionError):
            self._connection.close()
            status = self._crew.ask(foreman.WAIT, NUMBER.pack(self._process))
            return results, status
        return results, None

    def stop(self) -> None:
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)


_COMMAND = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from c2c_tasks.extraction.foreman import oversee; oversee(int(sys.argv[1]))"
)
