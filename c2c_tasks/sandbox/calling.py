"""Calling programs in the sandbox, many at a time, with results in order.

What is done with a program is a generator of the requests that it takes. It is resumed with the
reply to each, by whichever thread has got it: handing a reply to a thread that waits for it would
cost as much as all that is done with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from queue import SimpleQueue
from typing import Any, Generic, Literal, TypeVar

from c2c_tasks.config import SandboxOptions
from c2c_tasks.records import Case
from c2c_tasks.sandbox.child import LOADS_TOO_LONG, MAX_TIMED_OUT
from c2c_tasks.sandbox.launchers import Launcher
from c2c_tasks.sandbox.protocol import Reply, Request
from c2c_tasks.sandbox.session import Crew

T = TypeVar("T")
R = TypeVar("R")
Steps = Generator[tuple[Crew, Request], Reply, R]

MAX_DEATHS = 3
"""Cases in which a function may end its child; then it is given up as ``killed``."""
FLOWS_PER_WORKER = 32
"""Programs under way for each runner, so that it has work while the host thinks."""


@dataclass(slots=True)
class Called:
    """What came of a program's calls, as far as they got."""

    cases: dict[int, Case] = field(default_factory=dict)
    """Calls by position; one that ended its child is ``timed_out`` or ``killed``."""
    seconds: dict[int, float] = field(default_factory=dict)
    """Wall-clock seconds of those that came to an end."""
    body_lines: list[int] = field(default_factory=list)
    invalid: set[int] = field(default_factory=set)
    """Positions of arguments that no call can pass."""
    not_run: list[int] = field(default_factory=list)
    """Positions that there was no time left for."""
    given_up: Literal["failed_to_load", "killed"] | None = None
    """Why there are no calls, or no more of them."""
    load_timed_out: bool = False
    """True where it was given up for the time that it took to load."""
    detail: str = ""
    """What is known of why it was given up."""


def call(
    crew: Crew,
    program: str,
    entry_point: str,
    arguments: Sequence[str],
    options: SandboxOptions,
    *,
    coverage: bool = False,
) -> Steps[Called]:
    """Call a program with each of the arguments, in as few children as it takes.

    FunctionKilled and ProtocolViolation are thrown in by who resumes this.
    """
    called = Called()
    left = list(range(len(arguments)))
    deaths = 0
    while True:
        reply = yield (
            crew,
            Request(
                program,
                entry_point,
                [arguments[i] for i in left],
                coverage,
                options.output_characters,
            ),
        )
        if reply.failed_to_load is not None:
            called.given_up, called.detail = "failed_to_load", reply.failed_to_load
            called.load_timed_out = reply.failed_to_load == LOADS_TOO_LONG
            return called
        called.body_lines = reply.body_lines
        called.cases |= {left[position]: case for position, case in reply.cases.items()}
        called.seconds |= {left[position]: value for position, value in reply.seconds.items()}
        called.invalid |= {left[position] for position in reply.invalid}
        answered = reply.cases.keys() | reply.invalid
        missing = [position for position in range(len(left)) if position not in answered]
        if not missing or time_is_up(called.cases.values()):
            called.not_run = [left[position] for position in missing]
            return called
        if reply.at is None:
            _give_up_loading(called, reply)
            return called
        culprit = reply.at if reply.at in missing else missing[0]
        timed_out = reply.ended == "timed_out"
        called.cases[left[culprit]] = Case(
            arguments=arguments[left[culprit]], outcome="timed_out" if timed_out else "killed"
        )
        deaths += not timed_out
        left = [left[position] for position in missing if position != culprit]
        if deaths == MAX_DEATHS:
            called.given_up = "killed"
            called.detail = f"it ended {deaths} children ({reply.ended})"
        if deaths == MAX_DEATHS or not left or time_is_up(called.cases.values()):
            called.not_run = left
            return called


def _give_up_loading(called: Called, reply: Reply) -> None:
    if reply.ended == "timed_out":
        called.given_up, called.load_timed_out = "failed_to_load", True
        called.detail = LOADS_TOO_LONG
    else:
        called.given_up = "killed"
        called.detail = f"it ended its child while loading ({reply.ended})"


def time_is_up(cases: Iterable[Case]) -> bool:
    """Return True where so many cases timed out that no more are run."""
    return sum(case.outcome == "timed_out" for case in cases) >= MAX_TIMED_OUT


def sandbox_facts(launcher: Launcher, crew: Crew) -> dict[str, Any]:
    """Return what is known of the sandbox. What it lacks, launcher and runner know in part."""
    runner = dict(crew.facts)
    missing = [*launcher.facts["missing"], *runner.pop("missing", [])]
    return {**launcher.facts, "missing": missing, "runner": runner}


class _Flow(Generic[T, R]):
    """An item on its way through the steps that are taken with it."""

    def __init__(self, item: T, steps: Steps[R], finished: SimpleQueue[None]) -> None:
        self.item = item
        self._result: R | None = None
        self._error: Exception | None = None
        self.ended = False
        self._steps = steps
        self._finished = finished
        self._resume(None)

    def result(self) -> R:
        """Return what the steps came to, or raise what they raised."""
        if self._error is not None:
            raise self._error
        result: Any = self._result
        return result  # type: ignore[no-any-return]

    def _resume(self, answer: Any) -> None:
        """Go on to the next request, with the reply to the last one or why there is none."""
        try:
            if isinstance(answer, Exception):
                crew, request = self._steps.throw(answer)
            else:
                crew, request = self._steps.send(answer)
        except StopIteration as end:
            self._result = end.value
        except Exception as error:
            self._error = error
        else:
            crew.submit(request, self._resume)
            return
        self.ended = True
        self._finished.put(None)


def in_order(
    steps: Callable[[T], Steps[R]], items: Iterable[T], workers: int
) -> Iterator[tuple[T, R]]:
    """Yield each item with what its steps came to, in order; many are under way at a time."""
    window = workers * FLOWS_PER_WORKER
    finished: SimpleQueue[None] = SimpleQueue()
    remaining = iter(items)
    under_way: deque[_Flow[T, R]] = deque()
    while True:
        for item in islice(remaining, window - len(under_way)):
            under_way.append(_Flow(item, steps(item), finished))
        if not under_way:
            return
        flow = under_way.popleft()
        while not flow.ended:
            finished.get()
        while not finished.empty():  # their results are there, and seen without these
            finished.get_nowait()
        yield flow.item, flow.result()
