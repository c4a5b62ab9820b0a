"""Running some programs of a staged release again: they have to give the recorded outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from c2c_tasks.publishing.audit import Check
from c2c_tasks.records import Case, Execution, Inputs, Program, extend

Execute = Callable[[Iterable[Inputs]], Iterable[Execution]]
"""Runs the given inputs and no others; yields in their order, and may leave some out."""


def re_execution(programs: Iterable[Program], execute: Execute) -> Check:
    """Run programs again; return what came out otherwise.

    Programs are taken as they are asked for, and held until they have run.
    """
    waiting: dict[str, Program] = {}
    check = Check(name="programs run again give the recorded outputs", unit="programs")

    def inputs() -> Iterator[Inputs]:
        for program in programs:
            waiting[program.function_id] = program
            check.add(1)
            yield extend(
                Inputs,
                program,
                arguments=[case.arguments for case in program.cases],
                writer=program.writer,
            )

    given = inputs()
    for execution in execute(given):
        program = waiting.pop(execution.function_id)
        if fault := _difference(program, execution):
            check.add(0, [f"{program.function_id} ({program.entry_point}): {fault}"])
    for _ in given:  # what nobody asked for did not run either
        pass
    check.add(0, (f"{p.function_id} ({p.entry_point}): did not run" for p in waiting.values()))
    return check


def _difference(program: Program, execution: Execution) -> str | None:
    """Return in what the second execution differs from the recorded cases, or None."""
    again = {case.arguments: case for case in execution.cases}
    for case in program.cases:
        found = again.get(case.arguments)
        if found is None or _result(found) != _result(case):
            said = "nothing" if found is None else _result(found)
            return f"{case.arguments[:200]} gave {said}, recorded is {_result(case)}"[:800]
    return None


def _result(case: Case) -> tuple[str, str | None, str | None, str | None]:
    return case.outcome, case.output, case.exception_type, case.exception_message
