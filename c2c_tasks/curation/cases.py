"""Which cases of an executed function are sound, which of them to publish, and whether the
function is then worth publishing as a program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from c2c_tasks.config import CaseOptions
from c2c_tasks.curation.splits import split_of
from c2c_tasks.literals import dumps, loads
from c2c_tasks.records import Case, Execution, Program, extend
from c2c_tasks.shards import Stage, StepReport

_MEMORY_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+")
MAX_TIMED_OUT = 3
"""Cases that time out, at which the sandbox gives a function up."""
_EXHAUSTED = {"MemoryError", "RecursionError"}
"""Exceptions that tell of the sandbox's limits, not of the function."""
_BROKEN = {"NameError", "ImportError", "ModuleNotFoundError"}
"""Exceptions that tell of something which the program lacks to run alone."""


def curate(execution: Execution, options: CaseOptions, report: StepReport) -> Program | None:
    """Return the program of an executed function, or None where it is not worth keeping.

    Its cases are the sound ones, `max_cases` at most, in the order they were run. Coverage
    is 0.0 where the sandbox was not asked to record lines.
    """
    programs = report.stage("programs", "programs")
    stage = report.stage("cases", "cases")
    sound = list(_sound(execution.cases, options, stage))
    cases = _chosen(sound, execution.body_lines, options, stage)
    reason = _unreliability(execution, options) or weakness(cases, options)
    if reason is not None:
        programs.drop(reason)
        return None
    programs.keep()
    body = set(execution.body_lines)
    covered = body.intersection(line for case in cases for line in case.covered_lines)
    return extend(
        Program,
        execution,
        writer=execution.writer,
        cases=cases,
        coverage=len(covered) / len(body) if body else 0.0,
        cluster=execution.function_id,
        split=split_of(execution.function_id, options),
        behaviour=execution.behaviour,
        difficulty=0.0,
    )


def _unreliability(execution: Execution, options: CaseOptions) -> str | None:
    """Return why even the sound cases of a function cannot be relied on, or None."""
    if any(_unsoundness(case, options) == "nondeterministic" for case in execution.cases):
        return "nondeterministic"  # what came out the same did so by luck, of hash seeds say
    if sum(case.outcome == "timed_out" for case in execution.cases) >= MAX_TIMED_OUT:
        return "too_slow"  # which of its cases were run depends on the machine
    return None


def _sound(cases: list[Case], options: CaseOptions, stage: Stage) -> Iterator[Case]:
    """Yield the cases that hold in any sandbox, each arguments once; count the others."""
    seen: set[str] = set()
    for case in cases:
        reason = _unsoundness(case, options)
        if reason is None and case.arguments in seen:
            reason = "duplicate_arguments"
        if reason is None:
            seen.add(case.arguments)
            yield case
        else:
            stage.drop(reason)


def _unsoundness(case: Case, options: CaseOptions) -> str | None:
    """Return why a case cannot be published, or None."""
    if case.outcome not in ("returned", "raised"):
        return case.outcome
    if _MEMORY_ADDRESS.search(case.output or case.exception_message or ""):
        return "memory_address"
    if case.exception_type in _EXHAUSTED:
        return "resource_exhausted"  # where a recursion ends, and its message, varies
    if not case.deterministic:
        return "nondeterministic"
    if len(case.arguments) > options.max_arguments_characters:
        return "arguments_too_long"
    if case.exception_type in _BROKEN:
        return "unresolved_name"
    return None


def _chosen(
    sound: list[Case], body_lines: list[int], options: CaseOptions, stage: Stage
) -> list[Case]:
    """Return the best `max_cases` of the sound cases, in the order they were run.

    Each next one is the case that runs most lines not run yet, then one with a result not
    seen yet, then the shortest.
    """
    raised_left = _most_raised(sum(case.outcome == "returned" for case in sound), options)
    uncovered = set(body_lines)
    results: set[tuple[str | None, str | None]] = set()
    chosen: set[int] = set()
    left = list(range(len(sound)))
    while left and len(chosen) < options.max_cases:

        def rank(position: int) -> tuple[int, bool, int, str]:
            case = sound[position]
            gain = len(uncovered.intersection(case.covered_lines))
            return -gain, _result(case) in results, len(case.arguments), case.arguments

        best = min(left, key=rank)
        left.remove(best)
        case = sound[best]
        if case.outcome == "raised":
            if not raised_left:
                stage.drop("too_many_raised")
                continue
            raised_left -= 1
        chosen.add(best)
        uncovered.difference_update(case.covered_lines)
        results.add(_result(case))
    stage.keep(len(chosen))
    if left:
        stage.drop("not_chosen", len(left))
    return [sound[position] for position in sorted(chosen)]


def _most_raised(returned: int, options: CaseOptions) -> int:
    """Return how many raised cases keep the share, given how many can be had that returned."""
    share = Fraction(str(options.max_raised_share))
    if share == 1:
        return options.max_cases
    beside = returned * share / (1 - share)
    return int(min(beside, options.max_cases * share))


def _result(case: Case) -> tuple[str | None, str | None]:
    return case.output, case.exception_type


def weakness(cases: list[Case], options: CaseOptions) -> str | None:
    """Return why a program with these cases teaches nothing, or None."""
    returned = [case for case in cases if case.outcome == "returned"]
    outputs = {case.output for case in returned}
    if len(cases) < options.min_cases:
        return "too_few_cases"
    if len(outputs) < options.min_distinct_outputs:
        return "constant_output" if len(outputs) == 1 else "too_few_distinct_outputs"
    if len(returned) == len(cases) and _is_identity(returned):
        return "identity"
    return None


def _is_identity(cases: list[Case]) -> bool:
    """Return whether one argument comes back unchanged in every case."""
    unchanged: set[str] | None = None
    for case in cases:
        arguments = loads(case.arguments)
        same = {name for name, value in arguments.items() if dumps(value) == case.output}
        unchanged = same if unchanged is None else unchanged & same
        if not unchanged:
            return False
    return True
