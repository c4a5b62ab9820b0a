"""The test set of the paper, or another file like it: programs with the inputs written for them.

What the file says of outputs is not read. The inputs are run in the sandbox, like all others.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from c2c_tasks.config.evaluation import ProblemOptions
from c2c_tasks.evaluation.errors import ProblemError
from c2c_tasks.evaluation.lines import read_rows, text_of
from c2c_tasks.evaluation.problems import drawn, induction_problem, last_ones
from c2c_tasks.evaluation.prompting import Shot
from c2c_tasks.evaluation.records import Problem
from c2c_tasks.headers import parameters_of
from c2c_tasks.inputs.parsing import parse_answer
from c2c_tasks.records import Case, Execution, Function, Inputs, extend
from c2c_tasks.shards import StepReport, storable
from c2c_tasks.syntax import parse_module

WRITER = "case_file"
CaseReason = Literal[
    "timed_out",
    "killed",
    "unrepresentable",
    "nondeterministic",
    "resource_exhausted",
    "unresolved_name",
]
"""Why a case grades nobody, in the order that is asked."""
_EXHAUSTED = {"MemoryError", "RecursionError"}
_BROKEN = {"NameError", "ImportError", "ModuleNotFoundError"}


def inputs_of_case_file(uri: str) -> Iterator[Inputs]:
    """Yield the functions of a case file with the inputs that can be read of each.

    A row has `program`, `entry_point` and `written_inputs`, which is read as a language model's
    answer is, and may have an `id`. Raises ProblemError, with the line, where one is no such row.
    """
    known: set[str] = set()
    for place, row in read_rows("case_file", uri):
        function = _function(row, place, uri)
        if function.function_id in known:
            raise ProblemError(f"{place}: a second program {function.function_id}; remove one")
        known.add(function.function_id)
        written = parse_answer(text_of(row, place, "written_inputs"), function)
        yield extend(Inputs, function, arguments=written.arguments, writer=WRITER)


def problems_of_executions(
    executions: Iterable[Execution], options: ProblemOptions, report: StepReport
) -> tuple[list[Problem], list[Shot]]:
    """Return the problems of executed functions, `max_problems` at most, and the solved examples.

    The functions of the `few_shot` examples are no problems, nor are others with the same program,
    however it is laid out. Dropped, and counted by reason: of
    cases those of `CaseReason`; of problems what `problems_of_programs` drops, and
    ``few_shot_example``. Raises ProblemError where there are not enough for examples.
    """
    found = list(_problems(executions, options, report))
    examples = last_ones(found, options) if options.few_shot else []
    if examples:
        shown = {_tree(problem) for problem in examples}
        found, all_of_them = [p for p in found if _tree(p) not in shown], len(found)
        report.stage("problems", "problems").drop("few_shot_example", all_of_them - len(found))
    shots = [Shot(problem.prompt, problem.program) for problem in examples]
    return list(drawn(found, options, report)), shots


def _tree(problem: Problem) -> str:
    """Return what a program has in common with the same one, otherwise laid out."""
    return ast.dump(parse_module(problem.program))


def _problems(
    executions: Iterable[Execution], options: ProblemOptions, report: StepReport
) -> Iterator[Problem]:
    problems = report.stage("problems", "problems")
    stage = report.stage("recorded cases", "cases")
    for execution in executions:
        sound = []
        for case in execution.cases:
            if reason := _unsoundness(case):
                stage.drop(reason)
            else:
                stage.keep()
                sound.append(case)
        found = induction_problem(execution, sound, options)
        if isinstance(found, Problem):
            yield found
        else:
            problems.drop(found)


def _unsoundness(case: Case) -> CaseReason | None:
    """Return why a case says nothing of the function alone, or None."""
    if case.outcome != "returned" and case.outcome != "raised":
        return case.outcome
    if not case.deterministic:
        return "nondeterministic"
    if case.exception_type in _EXHAUSTED:
        return "resource_exhausted"
    return "unresolved_name" if case.exception_type in _BROKEN else None


def _function(row: dict[str, Any], place: str, uri: str) -> Function:
    program = text_of(row, place, "program")
    entry_point = text_of(row, place, "entry_point")
    try:
        tree = parse_module(program)
    except SyntaxError as error:
        raise ProblemError(f"{place}: program cannot be parsed: {error}") from None
    nodes = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == entry_point
    ]
    if not nodes:
        raise ProblemError(f"{place}: program defines no function {entry_point!r}")
    node = nodes[-1]
    return Function(
        function_id=storable(str(row.get("id") or ""))
        or hashlib.sha256(program.encode()).hexdigest(),
        program=program,
        entry_point=entry_point,
        parameters=parameters_of(node, ast.unparse),
        repository="",
        path=uri.rpartition("/")[2],
        first_line=node.lineno,
        last_line=node.end_lineno or node.lineno,
        licence=None,
        dump=uri,
        source_sha256="",
    )
