"""The problems of MBPP, the sanitized subset, from a file of JSON Lines.

Austin et al., Program Synthesis with Large Language Models (2021), https://arxiv.org/abs/2108.07732.
Prompts are laid out as EvalPlus does: a docstring of the text and, as in the paper, all asserts
that an answer is graded by. So they name the function, and show what is tested.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import Any

from c2c_tasks.config.evaluation import ProblemOptions
from c2c_tasks.evaluation.errors import ProblemError
from c2c_tasks.evaluation.isolation import isolated
from c2c_tasks.evaluation.lines import read_rows, text_of
from c2c_tasks.evaluation.problems import drawn
from c2c_tasks.evaluation.records import Problem
from c2c_tasks.shards import StepReport
from c2c_tasks.syntax import parse_module


def mbpp_problems(uri: str, options: ProblemOptions, report: StepReport) -> Iterator[Problem]:
    """Yield the problems of the file, or `max_problems` of them.

    A row has `task_id`, `text` (or `prompt`), `code` and `test_list`; what is to be run before
    the tests is `test_setup_code` or the list `test_imports`. Modules of the standard library
    that tests name are imported in any case: some copies of the file have no `test_imports`.
    Raises ProblemError, with the line, where one is no such row.
    """
    rows = (_problem(row, place) for place, row in read_rows("mbpp_file", uri))
    yield from drawn(rows, options, report)


def _problem(row: dict[str, Any], place: str) -> Problem:
    program = text_of(row, place, "code")
    tests = _texts(row, place, "test_list")
    if not tests:
        raise ProblemError(f"{place}: has no tests in `test_list`")
    if "task_id" not in row:
        raise ProblemError(f"{place}: has no `task_id`")
    try:
        solution, tree = parse_module(program), parse_module("\n".join(tests))
    except SyntaxError as error:
        raise ProblemError(f"{place}: code or tests cannot be parsed: {error}") from None
    entry_point = _entry_point(solution, tree)
    if entry_point is None:
        raise ProblemError(f"{place}: the tests call no function that `code` defines")
    setup = [str(row.get("test_setup_code") or ""), *_texts(row, place, "test_imports")]
    setup += _imports(tree)
    text = text_of(row, place, "text", "prompt").strip()
    return Problem(
        problem_id=f"Mbpp/{row['task_id']}",
        task="mbpp",
        prompt="\n".join(['"""', text, *tests, '"""', ""]),
        program=program,
        entry_point=entry_point,
        parameters=[],
        cases=[],
        shown_cases=[],
        held_cases=[],
        tests=isolated("\n".join([*filter(None, setup), *tests]), entry_point),
    )


def _texts(row: dict[str, Any], place: str, column: str) -> list[str]:
    values = row.get(column, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ProblemError(f"{place}: `{column}` is no list of texts")
    return values


def _entry_point(solution: ast.Module, tests: ast.Module) -> str | None:
    """Return the function of the solution that the tests call first."""
    defined = {node.name for node in solution.body if isinstance(node, ast.FunctionDef)}
    called = (
        node.func.id
        for node in ast.walk(tests)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    )
    return next((name for name in called if name in defined), None)


def _imports(tests: ast.Module) -> list[str]:
    """Return imports of the modules that tests name, as ``math`` in ``math.isclose``."""
    used = {node.id for node in ast.walk(tests) if isinstance(node, ast.Name)}
    return [f"import {name}" for name in sorted(used & sys.stdlib_module_names)]
