"""Which cases of an executed function are sound, which of them to publish, and whether the
function is then worth publishing as a program."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from c2c_tasks.config import CaseOptions
from c2c_tasks.curation.difficulty import difficulty_of
from c2c_tasks.curation.selection import Selection, select
from c2c_tasks.curation.splits import split_of
from c2c_tasks.literals import dumps, loads
from c2c_tasks.records import Case, Execution, Program, extend
from c2c_tasks.shards import Stage, StepReport

CaseReason = Literal[
    "timed_out",
    "killed",
    "unrepresentable",
    "memory_address",
    "resource_exhausted",
    "nondeterministic",
    "arguments_too_long",
    "unresolved_name",
    "duplicate_arguments",
    "too_many_raised",
    "not_chosen",
]
"""Why a case is dropped, in the order that is asked: the first that holds counts."""
ProgramReason = Literal[
    "nondeterministic",
    "too_slow",
    "too_few_cases",
    "constant_output",
    "too_few_distinct_outputs",
    "identity",
]
"""Why a program is dropped, in the order that is asked."""
Scan = Callable[[Sequence[str]], Sequence[str | None]]
"""Tells of each text why it must not be published, or None."""


class Scanner(NamedTuple):
    """What looks for secrets and personal data."""

    programs: Scan
    """Of whole programs."""
    cases: Scan
    """Of arguments, outputs and messages of exceptions."""


_MEMORY_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+")
MAX_TIMED_OUT = 3
"""Cases that time out, at which the sandbox gives a function up."""
_EXHAUSTED = {"MemoryError", "RecursionError"}
"""Exceptions that tell of the sandbox's limits, not of the function."""
_BROKEN = {"NameError", "ImportError", "ModuleNotFoundError"}
"""Exceptions that tell of something which the program lacks to run alone."""


def curate(
    execution: Execution,
    options: CaseOptions,
    report: StepReport,
    *,
    scanner: Scanner | None = None,
) -> Program | None:
    """Return the program of an executed function, or None where it is not worth keeping.

    Its cases are the sound ones, `max_cases` at most, in the order they were run. Coverage
    is 0.0 where the sandbox was not asked to record lines.

    `scanner` is slow: it is asked last, and of what would be published alone. Its reasons are
    counted beside those of `CaseReason` and `ProgramReason`.
    """
    programs = report.stage("programs", "programs")
    stage = report.stage("cases", "cases")
    sound = list(_sound(execution.cases, options, stage))
    selection = select(sound, execution.body_lines, options)
    reason: str | None = _unreliability(execution, options) or weakness(selection.cases, options)
    if reason is None and scanner is not None:
        (reason,) = scanner.programs([execution.program])
        if reason is None:
            sound = _harmless(sound, execution.body_lines, options, scanner.cases, stage)
            selection = select(sound, execution.body_lines, options)
            reason = weakness(selection.cases, options)
    _count(stage, selection, len(sound))
    if reason is not None:
        programs.drop(reason)
        return None
    cases = selection.cases
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
        difficulty=difficulty_of(execution, cases, execution.body_lines),
    )


def _unreliability(execution: Execution, options: CaseOptions) -> ProgramReason | None:
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


def _unsoundness(case: Case, options: CaseOptions) -> CaseReason | None:
    """Return why a case cannot be published, or None."""
    if case.outcome != "returned" and case.outcome != "raised":
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


def _harmless(
    sound: list[Case],
    body_lines: list[int],
    options: CaseOptions,
    scan: Scan,
    stage: Stage,
) -> list[Case]:
    """Return the cases without those that are sensitive, of which the selection is free.

    Only what is selected is looked at: first of all cases, then of those that are left.
    """
    known: set[str] = set()
    while True:
        selected = select(sound, body_lines, options).cases
        new = [case for case in selected if case.arguments not in known]
        reasons = _reasons(new, scan)
        if not reasons:
            return sound
        known.update(case.arguments for case in new)
        sound = [case for case in sound if case.arguments not in reasons]
        for reason in reasons.values():
            stage.drop(reason)


def _reasons(cases: list[Case], scan: Scan) -> dict[str, str]:
    """Return why cases are sensitive, by their arguments, of those that are."""
    if not cases:
        return {}
    texts = [(case.arguments, case.output or case.exception_message or "") for case in cases]
    found = iter(scan([text for pair in texts for text in pair]))
    pairs = zip(cases, found, found, strict=True)
    return {case.arguments: reason for case, *pair in pairs for reason in filter(None, pair[::-1])}


def _count(stage: Stage, selection: Selection, sound: int) -> None:
    kept = len(selection.cases)
    stage.keep(kept)
    reasons: dict[CaseReason, int] = {
        "too_many_raised": selection.refused,
        "not_chosen": sound - kept - selection.refused,
    }
    for reason, rows in reasons.items():
        if rows:
            stage.drop(reason, rows)


def weakness(cases: list[Case], options: CaseOptions) -> ProgramReason | None:
    """Return why a program with these cases teaches nothing, or None."""
    returned = [case for case in cases if case.outcome == "returned"]
    outputs = {case.output for case in returned}
    if len(cases) < options.min_cases:
        return "too_few_cases"
    refuses_none = len(returned) == len(cases)
    if options.drop_constant and len(outputs) == 1 and refuses_none:
        return "constant_output"
    if len(outputs) < options.min_distinct_outputs:
        return "too_few_distinct_outputs"
    if options.drop_identity and refuses_none and _is_identity(returned):
        return "identity"
    return None


def _is_identity(cases: list[Case]) -> bool:
    """Return whether one argument, or a copy of it, comes back unchanged in every case."""
    unchanged: set[str] | None = None
    for case in cases:
        if case.output is None or case.output not in case.arguments:
            return False
        arguments = loads(case.arguments)
        same = {name for name, value in arguments.items() if dumps(value) == case.output}
        unchanged = same if unchanged is None else unchanged & same
        if not unchanged:
            return False
    return True
