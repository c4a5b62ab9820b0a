"""Answers that need no model."""

from __future__ import annotations

from typing import Any

import pytest

from c2c_tasks.config.evaluation import ModelOptions
from c2c_tasks.evaluation.answering import solver_for
from c2c_tasks.evaluation.bounds import lookup_program
from c2c_tasks.evaluation.code_extraction import extract_code
from c2c_tasks.evaluation.records import Answer, Problem
from c2c_tasks.records import Parameter, ParameterKind
from c2c_tasks.shards import StepReport
from tests.evaluation.programs import problem, raised, returned


def answers(solver: Any, *problems: Problem, samples: int = 1) -> tuple[list[Answer], StepReport]:
    report = StepReport("answer", "memory:")
    made = solver_for(ModelOptions(solver=solver, samples_per_problem=samples))
    rows = list(made.answer(iter(problems), report))
    report.stages[0].check()
    return rows, report


def function_of(one: Problem) -> Any:
    module: dict[str, Any] = {}
    exec(lookup_program(one), module)
    return module[one.entry_point]


def test_the_reference_answers_with_the_program() -> None:
    rows, report = answers("reference", problem(1), problem(2), samples=2)
    assert [row.sample for row in rows] == [0, 1, 0, 1]
    assert [row.problem_id for row in rows[::2]] == [problem(n).problem_id for n in (1, 2)]
    assert extract_code(rows[2].text, "add") == problem(2).program.strip()
    assert report.facts["solver"] == {"name": "reference", "samples_per_problem": 2}
    assert report.stage("answers", "answers").rows_out == 4


def test_a_lookup_knows_what_is_shown() -> None:
    one = problem(5)
    (row,), _ = answers("lookup", one)
    assert extract_code(row.text, "add") == lookup_program(one).strip()
    add = function_of(one)
    assert {add(100 + p) - p for p in one.shown_cases} == {105}
    for position in one.held_cases:
        with pytest.raises(Exception, match=r"^$") as error:
            add(100 + position)
        assert type(error.value).__name__ == "NotShown"


def test_a_lookup_tells_values_apart_as_grading_does() -> None:
    values = [1, True, 1.0, float("nan"), {1, 2}, frozenset({1}), [{"a": (1,)}], "", b"", None]
    cases = [returned(str(number), x=value) for number, value in enumerate(values)]
    cases += [raised("BadZipFile", x=-1), raised("UnicodeDecodeError", "no", x=-2)]
    one = problem(0, [*cases, *(raised("LookupError", x=n) for n in (7, 8))], entry_point="locals_")
    look_up = function_of(one)
    for position in one.shown_cases:
        case = one.cases[position]
        argument = eval(case.arguments)["x"]
        if case.outcome == "returned":
            assert repr(look_up(argument)) == case.output
        else:
            with pytest.raises(Exception, match=r"^$") as error:
                look_up(argument)
            assert type(error.value).__name__ == case.exception_type
    assert len(one.shown_cases) == 10


def test_a_lookup_takes_any_parameters() -> None:
    kinds: list[tuple[str, ParameterKind, str | None]] = [
        ("given", "positional_only", None),
        ("type", "positional_or_keyword", "len"),
        ("args", "var_positional", None),
        ("value", "keyword_only", "NAME"),
        ("kwargs", "var_keyword", None),
    ]
    parameters = [Parameter(name, kind, "Ünknown", default) for name, kind, default in kinds]
    cases = [
        returned(1, given=1),
        returned(2, given=1, type=2),
        returned(3, given=1, type=2, args=(3,)),
        returned(4, given=1, value=4),
        returned(5, given=1, kwargs={"x": 5}),
        returned(6, given=6),
        returned(7, given=7),
    ]
    one = problem(0, cases, parameters=parameters)
    f = function_of(one)
    calls: list[Any] = [
        lambda: f(1),
        lambda: f(1, 2),
        lambda: f(1, 2, 3),
        lambda: f(1, value=4),
        lambda: f(1, x=5),
        lambda: f(6),
        lambda: f(7),
    ]
    assert [calls[p]() for p in one.shown_cases] == [p + 1 for p in one.shown_cases]
    assert len(one.shown_cases) == 5
