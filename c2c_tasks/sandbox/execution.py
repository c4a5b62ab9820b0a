"""Executing functions: their cases, rounds of refinement, and the second run that checks them."""

from __future__ import annotations

import logging
import re
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from math import nan
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from c2c_tasks import cores
from c2c_tasks.config import SandboxOptions
from c2c_tasks.records import Case, Execution, Function, Inputs, extend
from c2c_tasks.sandbox.child import MAX_TIMED_OUT
from c2c_tasks.sandbox.launchers import FIRST, SECOND, THIRD, Launcher, Surroundings
from c2c_tasks.sandbox.protocol import ProtocolViolation, Reply, Request
from c2c_tasks.sandbox.session import Crew, FunctionKilled
from c2c_tasks.shards import StepReport

log = logging.getLogger(__name__)
Refine = Callable[[Function, list[Case]], list[str]]
R = TypeVar("R")
Steps = Generator[tuple[Crew, Request], Reply, R]


class Probing(Protocol):
    """Tells what functions do by inputs that all functions of a signature are given."""

    def arguments(self, function: Function, cases: list[Case]) -> list[str]:
        """Return inputs to run, given the cases so far; none where they would tell nothing."""

    def behaviour(self, function: Function, cases: list[Case], probes: list[Case]) -> str | None:
        """Return a digest of what the inputs came to, or None where it tells nothing."""


_SET = re.compile(r"\bset\b|\bfrozenset\b|\{[^{}:]+\}")
"""Text of programs that make sets, and of some that do not. In which order a small set is gone
through is the same under two hash seeds of three or four."""
MAX_DEATHS = 3
"""Cases in which a function may end its child; then it is given up as ``killed``."""
FUNCTIONS_PER_WORKER = 32
"""Functions under way for each runner, so that it has work while the host thinks."""


def execute(
    inputs: Iterable[Inputs],
    options: SandboxOptions,
    report: StepReport,
    *,
    launcher: Launcher,
    refine: Refine | None = None,
    probing: Probing | None = None,
    surroundings: Surroundings = FIRST,
) -> Generator[Execution, None, None]:
    """Run functions and yield what their cases came to, in the order of the inputs.

    A function's arguments are run first; then, in `options.refine_rounds` rounds, those that
    `refine` proposes, given the cases so far (it is called from several threads at a time);
    last, where `options.determinism_runs` says so, all of them once more in an interpreter (two,
    where it makes sets) set up differently from `surroundings`, those of the first runs. Cases
    that a function has no time left for, after `MAX_TIMED_OUT` of its cases timed out, are not
    run and not listed.

    What `probing` asks for is run beside the cases, and tells the function's `behaviour`. None of
    it becomes a case, and where it ends its child, there is no behaviour.

    Closing the generator ends the runners.

    Dropped, and counted by reason: ``failed_to_load``, ``killed``, ``protocol_violation``.
    Raises RunnerError where runners cannot be started.
    """
    stage = report.stage("executed functions", "functions")
    workers = options.workers or cores.available()
    with ExitStack() as stack:
        first = stack.enter_context(Crew(launcher, surroundings, options, workers))
        others = (SECOND, THIRD) if options.determinism_runs else ()
        again = [stack.enter_context(Crew(launcher, other, options, workers)) for other in others]
        task = _Task(first, again, options, refine, probing)
        for function, result in _in_order(task, inputs, workers * FUNCTIONS_PER_WORKER):
            for name, amount in result.counts.items():
                report.count(name, amount)
            if result.execution is not None:
                stage.keep()
                yield result.execution
                continue
            stage.drop(result.reason)
            if result.reason != "failed_to_load":
                report.count(f"functions_{result.reason}")
                report.problem(
                    f"{function.repository}/{function.path}:{function.first_line}: "
                    f"{function.entry_point}: {result.reason}: {result.detail}",
                    function_id=function.function_id,
                )
        for crew in (first, *again):
            for name, amount in sorted(crew.counters.items()):
                report.count(name, amount)
        report.facts["sandbox"] = _facts(launcher, first)


def _facts(launcher: Launcher, crew: Crew) -> dict[str, Any]:
    """Return what is known of the sandbox. What it lacks, launcher and runner know in part."""
    runner = dict(crew.facts)
    missing = [*launcher.facts["missing"], *runner.pop("missing", [])]
    return {**launcher.facts, "missing": missing, "runner": runner}


@dataclass(slots=True)
class _Result:
    execution: Execution | None
    counts: Counter[str]
    reason: str = ""
    detail: str = ""


class _Dropped(Exception):
    """The function gives no execution: reason, and detail."""


@dataclass(frozen=True)
class _Task:
    """What is done with each function: a generator of the requests that it takes.

    It is resumed with the reply to each, by whichever thread has got it: handing a reply to a
    thread that waits for it would cost as much as all that is done with it.
    """

    first: Crew
    again: list[Crew]
    """Of other surroundings each; the second of them for functions that make sets."""
    options: SandboxOptions
    refine: Refine | None
    probing: Probing | None

    def steps(self, inputs: Inputs) -> Steps[_Result]:
        counts: Counter[str] = Counter()
        try:
            return _Result((yield from self._execute(inputs, counts)), counts)
        except _Dropped as dropped:
            return _Result(None, counts, *dropped.args)
        except FunctionKilled as error:
            return _Result(None, counts, "killed", str(error))
        except ProtocolViolation as error:
            return _Result(None, counts, "protocol_violation", str(error))

    def _execute(self, inputs: Inputs, counts: Counter[str]) -> Steps[Execution]:
        arguments = list(dict.fromkeys(inputs.arguments))
        ran = yield from self._run_cases(self.first, inputs, arguments, counts)
        cases, seconds, body_lines = ran
        rounds = self.options.refine_rounds if self.refine is not None else 0
        for _ in range(rounds):
            new = [] if _time_is_up(cases) else self._refined(inputs, cases, counts)
            new = [text for text in dict.fromkeys(new) if text not in set(arguments)]
            if not new:
                break
            arguments += new
            more, more_seconds, _ = yield from self._run_cases(self.first, inputs, new, counts)
            cases += more
            seconds += more_seconds
        behaviour, probes = yield from self._probed(inputs, cases, counts)
        for crew in self.again if _SET.search(inputs.program) else self.again[:1]:
            checked = yield from self._check(crew, inputs, [*probes, *cases])
            probes, cases = checked[: len(probes)], checked[len(probes) :]
        if not all(case.deterministic and case.outcome != "timed_out" for case in probes):
            behaviour = None
        counts["cases_nondeterministic"] += sum(not case.deterministic for case in cases)
        return extend(
            Execution,
            inputs,
            writer=inputs.writer,
            cases=cases,
            case_seconds=seconds,
            body_lines=body_lines,
            behaviour=behaviour,
        )

    def _refined(self, function: Function, cases: list[Case], counts: Counter[str]) -> list[str]:
        """Return what the writer proposes next; a fault of it costs the proposals alone."""
        assert self.refine is not None
        try:
            return self.refine(function, cases)
        except Exception:
            counts["refinements_failed"] += 1
            log.exception(
                "%s of %s: not refined",
                function.entry_point,
                function.path,
                extra={"function_id": function.function_id},
            )
            return []

    def _probed(
        self, function: Function, cases: list[Case], counts: Counter[str]
    ) -> Steps[tuple[str | None, list[Case]]]:
        """Return what probes tell of a function, and what they came to where they tell it."""
        if self.probing is None:
            return None, []
        try:
            arguments = self.probing.arguments(function, cases)
            known = {case.arguments: case for case in cases}
            new = [text for text in arguments if text not in known]
            if new:
                counts["probes_run"] += len(new)
                ran, *_ = yield from self._run_cases(self.first, function, new, Counter())
                known |= {case.arguments: case for case in ran}
            probes = [known[text] for text in arguments if text in known]
            behaviour = self.probing.behaviour(function, cases, probes)
        except (_Dropped, FunctionKilled, ProtocolViolation):
            return None, []
        except Exception:
            counts["probings_failed"] += 1
            log.exception(
                "%s of %s: not probed",
                function.entry_point,
                function.path,
                extra={"function_id": function.function_id},
            )
            return None, []
        return behaviour, probes if behaviour is not None else []

    def _run_cases(
        self, crew: Crew, function: Function, arguments: Sequence[str], counts: Counter[str]
    ) -> Steps[tuple[list[Case], list[float], list[int]]]:
        """Run cases in as few children as it takes; return them, their seconds, body lines."""
        cases: dict[int, Case] = {}
        seconds: dict[int, float] = {}
        left = list(range(len(arguments)))
        deaths = 0
        while True:
            reply = yield (
                crew,
                Request(
                    function.program,
                    function.entry_point,
                    [arguments[i] for i in left],
                    self.options.coverage and crew is self.first,
                    self.options.output_characters,
                ),
            )
            if reply.failed_to_load is not None:
                raise _Dropped("failed_to_load", reply.failed_to_load)
            cases |= {left[position]: case for position, case in reply.cases.items()}
            seconds |= {left[position]: value for position, value in reply.seconds.items()}
            counts["cases_run"] += len(reply.cases)
            counts["cases_invalid"] += len(reply.invalid)
            answered = reply.cases.keys() | reply.invalid
            missing = [position for position in range(len(left)) if position not in answered]
            if not missing or _time_is_up(cases.values()):
                break
            culprit = _culprit(reply, missing)
            timed_out = reply.ended == "timed_out"
            cases[left[culprit]] = Case(
                arguments=arguments[left[culprit]], outcome="timed_out" if timed_out else "killed"
            )
            counts["cases_run"] += 1
            deaths += not timed_out
            if deaths == MAX_DEATHS:
                raise _Dropped("killed", f"it ended {deaths} children ({reply.ended})")
            left = [left[position] for position in missing if position != culprit]
            if not left or _time_is_up(cases.values()):
                missing = left
                break
        counts["cases_not_run"] += len(missing)
        order = sorted(cases)
        return (
            [cases[i] for i in order],
            [seconds.get(i, nan) for i in order],
            reply.body_lines,
        )

    def _check(self, crew: Crew, function: Function, cases: list[Case]) -> Steps[list[Case]]:
        """Run cases again, last first, and return them with what was found on determinism."""
        sound = [case for case in cases if case.outcome in ("returned", "raised")]
        again = [*dict.fromkeys(case.arguments for case in reversed(sound))]
        ran, *_ = yield from self._run_cases(crew, function, again, Counter())
        seen = {case.arguments: case for case in ran}
        checked = []
        for case in cases:
            if case.outcome in ("returned", "raised"):
                case = _checked(case, seen.get(case.arguments))
            checked.append(case)
        return checked


def _culprit(reply: Reply, missing: list[int]) -> int:
    """Return the position of the case in which the child ended. Raises _Dropped."""
    if reply.at is None:
        if reply.ended == "timed_out":
            raise _Dropped("failed_to_load", "the program does not load in the time of a case")
        raise _Dropped("killed", f"it ended its child while loading ({reply.ended})")
    return reply.at if reply.at in missing else missing[0]


def _time_is_up(cases: Iterable[Case]) -> bool:
    return sum(case.outcome == "timed_out" for case in cases) >= MAX_TIMED_OUT


def _checked(case: Case, second: Case | None) -> Case:
    """Return a case as it is after its second run. One that took too long tells of the time."""
    if second is None or second.outcome == "timed_out":
        return Case(arguments=case.arguments, outcome="timed_out")
    same = (
        second.outcome == case.outcome
        and second.output == case.output
        and second.exception_type == case.exception_type
        and second.exception_message == case.exception_message
    )
    return case if same else replace(case, deterministic=False)


class _Flow:
    """A function on its way through the steps of a task."""

    def __init__(self, task: _Task, function: Inputs, finished: SimpleQueue[None]) -> None:
        self.function = function
        self.result: _Result | Exception | None = None
        self._steps = task.steps(function)
        self._finished = finished
        self._resume(None)

    def _resume(self, answer: Any) -> None:
        """Go on to the next request, with the reply to the last one or why there is none."""
        try:
            if isinstance(answer, Exception):
                crew, request = self._steps.throw(answer)
            else:
                crew, request = self._steps.send(answer)
        except StopIteration as end:
            self.result = end.value
        except Exception as error:
            self.result = error
        else:
            crew.submit(request, self._resume)
            return
        self._finished.put(None)


def _in_order(
    task: _Task, inputs: Iterable[Inputs], window: int
) -> Iterator[tuple[Inputs, _Result]]:
    """Yield each function with its result, in order, with `window` of them under way."""
    finished: SimpleQueue[None] = SimpleQueue()
    remaining = iter(inputs)
    under_way: deque[_Flow] = deque()
    while True:
        for function in islice(remaining, window - len(under_way)):
            under_way.append(_Flow(task, function, finished))
        if not under_way:
            return
        flow = under_way.popleft()
        while flow.result is None:
            finished.get()
        while not finished.empty():  # their results are there, and seen without these
            finished.get_nowait()
        if isinstance(flow.result, Exception):
            raise flow.result
        yield flow.function, flow.result
