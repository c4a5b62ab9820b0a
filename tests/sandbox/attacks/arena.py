"""Where attacks meet their neighbours: hostile functions in one runner, each between good ones.

An attack is a function of the test module, marked by `attack` with what must come of it. Its
source is what the sandbox runs; nothing here calls it.
"""

from __future__ import annotations

import ctypes
import inspect
import os
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from c2c_tasks.records import Inputs
    from tests.sandbox.conftest import Sandbox

LIMITS = {"case_seconds": 0.2, "function_seconds": 4, "memory_megabytes": 128}
ANYTHING = "anything"
"""What a function says of itself, when it has taken over its own process."""
HOST_MEGABYTES = 128
"""What the host's own memory may grow by, whatever a batch of functions makes."""
PR_SET_CHILD_SUBREAPER = 36

NEIGHBOUR = """
import json, math, re

SEEN = []

def neighbour(x):
    SEEN.append(x)
    words = sorted(re.findall("[a-z]+", "the quick brown fox"), key=len)
    total = sum(value for value in range(x))
    return [x, SEEN, words, total, math.sqrt(4), json.dumps(words), str(x) * 2, hash(x)]
"""


@dataclass(frozen=True)
class Attack:
    """A hostile program, and what must come of it."""

    name: str
    entry_point: str
    program: str
    arguments: tuple[str, ...]
    expected: dict[str, list[str]]
    """Outcome of each case: ``all``, and what replaces it where."""


def attack(
    *expected: str,
    docker: str | None = None,
    process: str | None = None,
    same_user: str | None = None,
    as_root: str | None = None,
    arguments: Sequence[str] = ("{'x': 1}",),
    module: bool = False,
) -> Callable[[Callable[..., Any]], Attack]:
    """Make an attack of a function; with `module`, its body is the program, which defines ``f``.

    `expected` is the outcome of each case: ``returned 3``, ``raised ValueError``, ``killed``,
    ``timed_out``, ``unrepresentable``, with ``, differs`` where a second run must come out
    otherwise; or ``dropped: REASON``; or `ANYTHING`, where it lies about itself, which it may.
    The others replace it by launcher, and so by version of Python (a container has its own),
    and where children have no user of their own, or have to stay root.
    """

    def make(function: Callable[..., Any]) -> Attack:
        lines = textwrap.dedent(inspect.getsource(function)).splitlines(keepends=True)
        start = next(i for i, line in enumerate(lines) if line.startswith(("def ", "async ")))
        program = "from __future__ import annotations\n" + "".join(lines[start:])
        if module:
            program = textwrap.dedent("".join(lines[start + 1 :]))
        exceptions = {
            "docker": docker,
            "process": process,
            "same user": same_user,
            "as root": as_root,
        }
        return Attack(
            function.__name__,
            "f" if module else function.__name__,
            program,
            tuple(arguments),
            {"all": list(expected), **{k: [v] for k, v in exceptions.items() if v is not None}},
        )

    return make


class Batch:
    """Attacks that were run one after the other in one sandbox, each between two neighbours."""

    def __init__(self, sandbox: Sandbox, attacks: Sequence[Attack], **options: Any) -> None:
        self._sandbox = sandbox
        functions = [_neighbour(sandbox, 0)]
        for number, hostile in enumerate(attacks, start=1):
            function = sandbox.function(
                hostile.program, *hostile.arguments, name=hostile.entry_point
            )
            functions += [replace(function, path=hostile.name), _neighbour(sandbox, number)]
        self._numbers = {hostile.name: number for number, hostile in enumerate(attacks)}
        before = _resident_megabytes("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
        with _orphans_come_here(), _own_temporary_folder() as folder:
            rows = sandbox.run(*functions, **{**LIMITS, **options})
            self.left_behind = _when_settled(
                lambda: [*sandbox.left_behind(), *(path.name for path in folder.iterdir())]
            )
        self.grown_megabytes = _resident_megabytes("VmHWM") - before
        self.issued = len(functions)
        self._rows = {row.path: row for row in rows}
        self.runner = sandbox.report.facts["sandbox"]["runner"]
        self.dropped = dict(sandbox.dropped)
        self.problems = list(sandbox.report.problems)
        self.counters = dict(sandbox.report.counters)

    def check(self, hostile: Attack) -> None:
        """Check what came of an attack, and that its neighbours came to no harm."""
        number = self._numbers[hostile.name]
        for neighbour in (number, number + 1):
            assert self.outcomes(f"neighbour {neighbour}") == [
                f"returned {_neighbours_value(x)!r}" for x in _neighbours_arguments(neighbour)
            ]
        expected = hostile.expected.get(self._sandbox.launcher, hostile.expected["all"])
        if self.runner["uid"] is None:
            expected = hostile.expected.get("same user", expected)
            if os.geteuid() == 0:
                expected = hostile.expected.get("as root", expected)
        if expected != [ANYTHING]:
            assert self.outcomes(hostile.name) == expected

    def check_the_rest(self) -> None:
        """Check that all is accounted for, nothing is left, and no runner was lost unseen."""
        assert len(self._rows) + sum(self.dropped.values()) == self.issued
        assert self.left_behind == []
        assert self.grown_megabytes < HOST_MEGABYTES
        # What lies to the host ends its runner. What ends a runner itself is tried once more.
        killers = sum("two runners died of it" in problem for problem in self.problems)
        restarts = self.dropped.get("protocol_violation", 0) + 2 * killers
        assert self.counters.get("runner_restarts", 0) == restarts

    def outcomes(self, path: str) -> list[str]:
        """Return what came of each case of the function with that path."""
        row = self._rows.get(path)
        if row is not None:
            return [_outcome(case) for case in row.cases]
        reasons = [text.split(": ")[2] for text in self.problems if f"/{path}:" in text]
        return [f"dropped: {reasons[0] if reasons else 'failed_to_load'}"]


def _resident_megabytes(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{name}:")[1].split()[0]) >> 10


def _when_settled(left_behind: Callable[[], list[str]]) -> list[str]:
    """Return what is left. The kernel takes a moment to end a pid namespace."""
    deadline = time.monotonic() + 2
    while (found := left_behind()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def _outcome(case: Any) -> str:
    shown = case.output if case.outcome == "returned" else case.exception_type
    text = case.outcome if shown is None else f"{case.outcome} {shown}"
    return text if case.deterministic else f"{text}, differs"


def _neighbour(sandbox: Sandbox, number: int) -> Inputs:
    arguments = [f"{{'x': {x}}}" for x in _neighbours_arguments(number)]
    function = sandbox.function(NEIGHBOUR, *arguments, name="neighbour")
    return replace(function, path=f"neighbour {number}")


def _neighbours_arguments(number: int) -> tuple[int, int]:
    """Return values that no other neighbour has: another one's answer would show."""
    return 2 * number, 2 * number + 1


def _neighbours_value(x: int) -> list[Any]:
    words = ["the", "fox", "quick", "brown"]
    listed = '["the", "fox", "quick", "brown"]'
    return [x, [x], words, x * (x - 1) // 2, 2.0, listed, f"{x}{x}", x]


@contextmanager
def _orphans_come_here() -> Iterator[None]:
    """Become the parent of every process that is left behind, so that it can be seen."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@contextmanager
def _own_temporary_folder() -> Iterator[Path]:
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="case2code-attacks-") as name:
        Path(name).chmod(0o755)  # functions run as another user, in a folder below
        tempfile.tempdir = name
        try:
            yield Path(name)
        finally:
            tempfile.tempdir = before
