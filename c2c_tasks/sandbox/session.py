"""Crews of runners: functions go in, each comes back with a reply, whatever runners do.

A runner takes one function after the other. What it says that makes no sense is charged to the
oldest function without an answer. When it dies, all that it had been given and not answered are
suspects: each is tried once more, alone with a runner, and the one that such a runner dies of is
given up as ``killed``. The others go on.
"""

from __future__ import annotations

import itertools
import json
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Any

from c2c_tasks.config import SandboxOptions
from c2c_tasks.sandbox.confinement import Limits
from c2c_tasks.sandbox.frames import Decoder, FrameError, encode
from c2c_tasks.sandbox.launchers import Connection, Launcher, RunnerError, Surroundings
from c2c_tasks.sandbox.protocol import ProtocolViolation, Reply, Request, decode

WINDOW = 8
"""Functions that a runner has been given at once: it never waits for the host. More are sent when
half of them are answered, since a few at a time cost little more than one."""
WINDOW_BYTES = 32 * 1024
"""Bytes of those. Pipes and sockets hold as much, so that sending never waits for a runner
that waits for the host to read."""
START_SECONDS = 60.0
GRACE_SECONDS = 30.0
"""Silence, beyond a function's own wall clock, after which a runner is taken for stalled."""
MAX_DEATHS = 20
"""Runners that may die one after the other with no function answered in between. Then a function
of ours is run: where it comes back, it is the functions that kill, else it is the sandbox."""
PROBE = Request("def f(x):\n    return x\n", "f", ["{'x': 1}"], False, 100)


class FunctionKilled(Exception):
    """The function took two runners with it."""


Answer = Callable[[Reply | Exception], None]
"""Is given a reply or, where there is none, FunctionKilled, ProtocolViolation, or the reason why
no runner can be had. It is called from a runner's thread, which waits for it."""


@dataclass(slots=True)
class _Call:
    request: Request
    identifier: int
    payload: bytes
    answer: Answer
    suspect: bool = False
    """True where a runner died of it, perhaps: it is tried alone."""


class _Lost(Exception):
    """The runner is gone, stalled or not to be believed."""


class Crew:
    """Up to `size` runners in the same surroundings, fed from one queue.

    A context manager: leaving it ends the runners at once. Threads may share it.
    """

    def __init__(
        self, launcher: Launcher, surroundings: Surroundings, options: SandboxOptions, size: int
    ) -> None:
        self.launcher = launcher
        self.surroundings = surroundings
        self.limits = Limits(
            options.case_seconds,
            options.function_seconds,
            options.memory_megabytes << 20,
            options.output_characters,
        )
        self.calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self.counters: Counter[str] = Counter()
        self.facts: dict[str, Any] = {}
        """What the runners say of themselves: Python version, what they could set up."""
        self.error: Exception | None = None
        """Why no runner can be had any more."""
        self.deaths = 0
        """Runners that died since the last answer."""
        self._open = threading.Lock()
        self._closed = False
        self._identifiers = itertools.count(1)
        self._runners = [_Runner(self) for _ in range(size)]

    def submit(self, request: Request, answer: Answer) -> None:
        """Have a request's cases run, and the reply given to `answer`."""
        identifier = next(self._identifiers)
        call = _Call(request, identifier, encode(request.encode(identifier)), answer)
        with self._open:
            if not self._closed:
                self.calls.put(call)
                return
        answer(RunnerError("the sandbox is closed"))

    def __enter__(self) -> Crew:
        for runner in self._runners:
            runner.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.error = RunnerError("the sandbox was closed")
        with self._open:  # no call comes after the marks that end the threads
            self._closed = True
            for _ in self._runners:
                self.calls.put(None)
        for runner in self._runners:
            runner.stop()
        for runner in self._runners:
            runner.join()


class _Runner(threading.Thread):
    """Keeps one runner alive, from the first function on, and talks to it."""

    def __init__(self, crew: Crew) -> None:
        super().__init__(name=f"sandbox-{crew.surroundings.name}", daemon=True)
        self._crew = crew
        self._connection: Connection | None = None
        self._decoder = Decoder()
        self._nonsense: FrameError | None = None
        self._payloads: deque[bytes] = deque()
        self._waiting: deque[_Call] = deque()
        """Taken from the queue and not sent."""
        self._sent: deque[_Call] = deque()
        """Sent and not answered, oldest first."""

    def run(self) -> None:
        try:
            while self._wait_for_call():
                if self._crew.error is not None:
                    self._give_up(self._crew.error)
                    continue
                try:
                    self._send(self._connection or self._launch())
                    self._receive()
                except (_Lost, OSError, FrameError, ProtocolViolation) as error:
                    self._recover(error)
                except Exception as error:
                    self._crew.error = self._crew.error or error
        finally:
            self.stop()

    def stop(self) -> None:
        """End the runner at once. Other threads may call this."""
        if self._connection is not None:
            self._connection.close()

    def _wait_for_call(self) -> bool:
        if self._waiting or self._sent:
            return True
        call = self._crew.calls.get()
        if call is not None:
            self._waiting.append(call)
        return call is not None

    def _launch(self) -> Connection:
        crew = self._crew
        connection = self._connection = crew.launcher.launch(crew.surroundings)
        self._decoder = Decoder()
        self._nonsense = None
        self._payloads.clear()
        crew.counters["runners_started"] += 1
        try:
            if crew.error is not None:  # closed while this one was started
                raise _Lost("closed")
            setup = {"limits": crew.limits, **crew.launcher.setup}
            connection.send(encode(json.dumps(setup).encode()), START_SECONDS)
            crew.facts = json.loads(self._next_payload(connection, START_SECONDS))
        except (_Lost, OSError, ValueError) as error:
            connection.close()
            reason = connection.errors() or error
            raise RunnerError(f"the sandbox's runner does not start: {reason}") from None
        return connection

    def _send(self, connection: Connection) -> None:
        """Fill the window. A suspect is sent when nothing else is under way, and stays alone."""
        if len(self._sent) > WINDOW // 2:
            return
        under_way = len(self._sent)
        while len(self._sent) < WINDOW and (self._waiting or self._take()):
            call = self._waiting[0]
            if self._sent:
                size = sum(len(sent.payload) for sent in self._sent) + len(call.payload)
                if size > WINDOW_BYTES or call.suspect or self._sent[0].suspect:
                    break
            self._sent.append(self._waiting.popleft())
        payloads = [call.payload for call in islice(self._sent, under_way, None)]
        if payloads:
            connection.send(b"".join(payloads), self._patience)

    def _take(self) -> bool:
        try:
            call = self._crew.calls.get_nowait()
        except queue.Empty:
            return False
        if call is None:
            self._crew.calls.put(None)
            return False
        self._waiting.append(call)
        return True

    def _receive(self) -> None:
        """Wait for the answer to the oldest function under way."""
        assert self._connection is not None
        payload = self._next_payload(self._connection, self._patience)
        call = self._sent[0]
        reply = decode(payload, call.identifier, call.request)
        self._sent.popleft()
        self._crew.deaths = 0
        call.answer(reply)

    def _next_payload(self, connection: Connection, timeout: float) -> bytes:
        deadline = time.monotonic() + timeout
        while not self._payloads:
            if self._nonsense is not None:
                raise self._nonsense
            data = connection.receive(max(deadline - time.monotonic(), 0.001))
            if not data:
                raise _Lost("the runner ended")
            try:
                self._payloads.extend(self._decoder.feed(data))
            except FrameError as error:  # what came before it is as good as ever
                self._nonsense = error
        return self._payloads.popleft()

    def _recover(self, error: Exception) -> None:
        """End a runner that is of no more use, and decide over the functions it was given."""
        crew = self._crew
        assert self._connection is not None
        self._connection.close()
        self._connection = None
        crew.counters["runner_restarts"] += 1
        crew.deaths += 1
        head = self._sent[0]
        if isinstance(error, FrameError | ProtocolViolation):
            crew.deaths = 0  # it answered, after all
            self._sent.popleft()
            head.answer(ProtocolViolation(str(error)))
        elif head.suspect:
            self._sent.popleft()
            head.answer(FunctionKilled(f"two runners died of it: {error}"))
        else:
            # Any of them may be the one: the answers of some may have been on their way.
            for call in self._sent:
                call.suspect = True
        self._waiting.extendleft(reversed(self._sent))
        self._sent.clear()
        if crew.deaths > MAX_DEATHS and crew.error is None:
            crew.error = self._probe(error)

    def _probe(self, last: Exception) -> RunnerError | None:
        """Run a function of ours in a new runner; return what to blame where none comes back."""
        try:
            connection = self._launch()
            connection.send(encode(PROBE.encode(0)), self._patience)
            decode(self._next_payload(connection, self._patience), 0, PROBE)
        except RunnerError as error:
            return error
        except (_Lost, OSError, FrameError, ProtocolViolation) as error:
            return RunnerError(
                f"{self._crew.deaths} runners died one after the other, the last with {last}; "
                f"a harmless function does not come back either: {error}"
            )
        self._crew.deaths = 0
        return None

    def _give_up(self, error: Exception) -> None:
        for call in (*self._sent, *self._waiting):
            call.answer(error)
        self._sent.clear()
        self._waiting.clear()

    @property
    def _patience(self) -> float:
        return self._crew.limits.function_seconds + GRACE_SECONDS
