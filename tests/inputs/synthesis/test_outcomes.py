"""What cases lack, and when there is no use in more."""

from __future__ import annotations

import ast
from typing import Any

from c2c_tasks.inputs.synthesis.outcomes import (
    ENOUGH_RETURNED,
    PATIENCE,
    SHORT_PATIENCE,
    Outcomes,
    outcomes_of,
)
from c2c_tasks.records import Case

PROGRAM = "def f(x):\n    if x:\n        return x\n    return 7\n"
TRUTH = "def f(x):\n    return x > 0\n"


def outcomes(cases: list[Case], program: str = PROGRAM) -> Outcomes:
    entry = ast.parse(program).body[0]
    assert isinstance(entry, ast.FunctionDef)
    return outcomes_of(entry, cases)


def returned(n: int, output: object = None, lines: tuple[int, ...] = (2, 3, 4)) -> Case:
    output = n if output is None else output
    return Case(
        arguments=f"{{'x': {n}}}", outcome="returned", output=repr(output), covered_lines=[*lines]
    )


def other(n: int, outcome: Any = "raised") -> Case:
    return Case(arguments=f"{{'x': {n}}}", outcome=outcome, covered_lines=[2])


def test_enough() -> None:
    cases = [returned(n) for n in range(ENOUGH_RETURNED)]
    assert outcomes(cases).is_enough
    assert not outcomes(cases[1:]).is_enough
    assert not outcomes([returned(n, 1) for n in range(ENOUGH_RETURNED)]).is_enough
    assert not outcomes([returned(n, lines=(2, 3)) for n in range(ENOUGH_RETURNED)]).is_enough


def test_two_outputs_are_enough_of_two() -> None:
    cases = [returned(n, n % 2 == 0, (2,)) for n in range(ENOUGH_RETURNED)]
    assert outcomes(cases, TRUTH).is_enough
    assert not outcomes(cases, PROGRAM).is_enough


def test_many_that_raised_want_as_many_returned() -> None:
    cases = [returned(n) for n in range(ENOUGH_RETURNED)]
    assert outcomes([*cases, other(50)]).is_enough
    assert not outcomes([*cases, *(other(n) for n in range(50, 60))]).is_enough


def test_what_is_not_to_be_had_is_given_up() -> None:
    cases = [returned(n, lines=(2, 3)) for n in range(ENOUGH_RETURNED)]
    idle = [returned(n, 1, (2, 3)) for n in range(100, 100 + PATIENCE)]
    assert not outcomes(cases + idle[1:]).is_enough
    assert outcomes(cases + idle).is_enough
    assert outcomes([*cases, *idle, returned(999)]).idle == 0, "a new line is progress"


def test_less_patience_for_more_of_the_same() -> None:
    cases = [returned(n, n % 4) for n in range(ENOUGH_RETURNED)]
    idle = [returned(n, 1) for n in range(100, 100 + SHORT_PATIENCE)]
    assert not outcomes(cases + idle[:-9]).is_enough
    assert outcomes(cases + idle).is_enough


def test_what_has_no_literal_was_returned_but_is_no_output() -> None:
    found = outcomes([other(n, "unrepresentable") for n in range(30)])
    assert len(found.returned) == 30
    assert not found.outputs
    assert found.is_stuck


def test_seeds_are_those_with_rare_lines_then_rare_outputs() -> None:
    cases = [returned(1, 0, (2,)), returned(2, 0, (2,)), returned(3, 5, (2,)),
             returned(4, 0, (2, 3))]  # fmt: skip
    assert [row["x"] for row in outcomes(cases).seeds()] == [4, 3, 1, 2]
