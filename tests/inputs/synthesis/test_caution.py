"""Rows on which a function may never end are tried one at a time."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from c2c_tasks.config import InputOptions
from c2c_tasks.inputs.synthesis import SynthesisWriter, refine
from c2c_tasks.inputs.synthesis.caution import Caution
from c2c_tasks.inputs.synthesis.outcomes import outcomes_of
from c2c_tasks.literals import loads
from c2c_tasks.records import Case
from c2c_tasks.shards import StepReport

HALVES = "def f(n):\n    while n:\n        n //= 2\n    return n\n"
CALLS = "def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)\n"
LOOPS = """\
def f(n):
    total = 0
    for i in range(n):
        for j in range(n):
            total += j
    return total
"""
PLAIN = "def f(n):\n    return n * 2 if n > 0 else -n\n"


def numbers(rows: list[str]) -> list[float]:
    return [n for row in rows for n in loads(row).values() if isinstance(n, int | float)]


def written(function: Any) -> list[float]:
    report = StepReport("inputs", "memory:")
    (row,) = SynthesisWriter(InputOptions(inputs_per_function=60)).write([function], report)
    return numbers(row.arguments)


@pytest.mark.parametrize(
    ("program", "most", "negative"),
    [(HALVES, 10**9, 1), (CALLS, 12, 1), (LOOPS, 300, 1)],
)
def test_first_inputs_hold_one_of_each_sort(
    program: str, most: int, negative: int, function_of: Any
) -> None:
    """The writer sees no outcomes: a second row of the sort could be the third that never ends."""
    found = written(function_of(program))
    assert sum(n < 0 for n in found) <= negative
    assert sum(n > most for n in found) <= 1


def test_plain_functions_are_given_any_number(function_of: Any) -> None:
    found = written(function_of(PLAIN))
    assert sum(n < 0 for n in found) > 2
    assert sum(n > 300 for n in found) > 2


def case(n: float, outcome: Any = "returned", exception: str | None = None) -> Case:
    output = "0" if outcome == "returned" else None
    return Case(arguments=f"{{'n': {n}}}", outcome=outcome, output=output, exception_type=exception)


def caution(program: str, *cases: Case) -> Caution:
    entry = ast.parse(program).body[0]
    assert isinstance(entry, ast.FunctionDef)
    return Caution(entry, outcomes_of(entry, list(cases)) if cases else None)


def test_what_did_not_end_is_not_tried_again() -> None:
    for outcome, exception in (("timed_out", None), ("killed", None), ("raised", "RecursionError")):
        known = caution(CALLS, case(8), case(40, outcome, exception), case(-1, outcome, exception))
        assert known.allows({"n": 7})
        assert not known.allows({"n": 9})
        assert not known.allows({"n": -2})
    assert not caution(PLAIN, case(3), case(10**6, "timed_out")).allows({"n": 10**5})


def test_what_ended_may_be_tried_again() -> None:
    known = caution(HALVES, case(5), case(-3, "raised", "ValueError"), case(10**6))
    assert all(known.allows({"n": n}) for n in (-4, -5, -6, 10**6, 10**8))


def test_what_did_not_end_for_another_reason_forbids_no_numbers() -> None:
    lists = [Case(arguments=f"{{'n': [{n}]}}", outcome="timed_out") for n in range(9)]
    assert caution(CALLS, *lists).allows({"n": 9})
    assert caution(CALLS, case(2, "timed_out"), case(6)).allows({"n": 5})
    assert caution(CALLS, case(0, "timed_out")).allows({"n": 9})
    assert caution(CALLS, case(8, "timed_out")).allows({"n": 3})


def test_odd_numbers_do_no_harm() -> None:
    for value in (10**400, -(10**400), float("nan"), float("inf"), True):
        assert isinstance(caution(CALLS, case(3)).allows({"n": value}), bool)


def test_refinement_keeps_to_it(function_of: Any) -> None:
    """A function that ends for small natural numbers alone has its third chance left."""
    function = function_of(CALLS)
    cases = [case(n) for n in range(6)] + [case(-1, "timed_out"), case(900, "timed_out")]
    cases = [Case(**{**_fields(c), "covered_lines": [2]}) for c in cases]
    assert all(0 <= n <= 5 for n in numbers(refine(function, cases)))


def _fields(case: Case) -> dict[str, Any]:
    return {name: getattr(case, name) for name in case.__slots__}
