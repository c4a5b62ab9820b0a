"""Executing functions: their cases, rounds of refinement, and the second run that checks them."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from math import nan
from typing import Protocol

from c2c_tasks import cores
from c2c_tasks.config import SandboxOptions
from c2c_tasks.records import Case, Execution, Function, Inputs, extend
from c2c_tasks.sandbox.calling import Steps, call, in_order, sandbox_facts, time_is_up
from c2c_tasks.sandbox.launchers import FIRST, SECOND, THIRD, Launcher, Surroundings
from c2c_tasks.sandbox.protocol import ProtocolViolation
from c2c_tasks.sandbox.session import Crew, FunctionKilled
from c2c_tasks.shards import StepReport

log = logging.getLogger(__name__)
Refine = Callable[[Function, list[Case]], list[str]]


class Probing(Protocol):
    """Tells what functions do by inputs that all functions of a signature are given."""

    def arguments(self, function: Function, cases: list[Case]) -> list[str]:
        """Return inputs to run, given the cases so far; none where they would tell nothing."""

    def behaviour(self, function: Function, cases: list[Case], probes: list[Case]) -> str | None:
        """Return a digest of what the inputs came to, or None where it tells nothing."""


_SET = re.compile(r"\bset\b|\bfrozenset\b|\{[^{}:]+\}")
"""Text of programs that make sets, and of some that do not. In which order a small set is gone
through is the same under two hash seeds of three or four."""


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
        for function, result in in_order(task.steps, inputs, workers):
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
        report.facts["sandbox"] = sandbox_facts(launcher, first)


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
    """What is done with each function: a generator of the requests that it takes."""

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
            new = [] if time_is_up(cases) else self._refined(inputs, cases, counts)
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
        """Run cases; return them, their seconds, body lines. Raises _Dropped."""
        called = yield from call(
            crew,
            function.program,
            function.entry_point,
            arguments,
            self.options,
            coverage=self.options.coverage and crew is self.first,
        )
        counts["cases_run"] += len(called.cases)
        counts["cases_invalid"] += len(called.invalid)
        if called.given_up is not None:
            raise _Dropped(called.given_up, called.detail)
        counts["cases_not_run"] += len(called.not_run)
        order = sorted(called.cases)
        return (
            [called.cases[i] for i in order],
            [called.seconds.get(i, nan) for i in order],
            called.body_lines,
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
