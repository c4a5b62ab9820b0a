from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from c2c_tasks.inputs.probing.behaviour import behaviour_of
from c2c_tasks.literals import dumps
from c2c_tasks.records import Case
from tests.inputs.conftest import FunctionOf

PLAIN = "def f(x):\n    return -x\n"


def returned(x: object, output: object, *lines: int, name: str = "x") -> Case:
    return Case(
        arguments=dumps({name: x}),
        outcome="returned",
        output=dumps(output),
        covered_lines=list(lines or (2,)),
    )


def raised(x: object, type_: str = "ValueError", message: str = "no") -> Case:
    return Case(
        arguments=dumps({"x": x}),
        outcome="raised",
        exception_type=type_,
        exception_message=message,
        covered_lines=[2],
    )


PROBES = [returned(n, -n) for n in range(1, 17)]


@pytest.fixture
def told(function_of: FunctionOf) -> Any:
    """The digest of a plain function whose cases are its first probes."""

    def tell(probes: list[Case], program: str = PLAIN, cases: list[Case] = PROBES[:1]) -> Any:
        return behaviour_of(function_of(program), cases, probes)

    return tell


def test_names_and_messages_do_not_count(told: Any) -> None:
    renamed = [returned(n, -n, name="y") for n in range(1, 17)]
    assert told(PROBES) == told(renamed, "def g(y):\n    return 0 - y\n")
    assert told([raised(0, message="no"), *PROBES]) == told([raised(0, message="why"), *PROBES])


@pytest.mark.parametrize(
    "changed",
    [
        returned(1, 1),
        returned(1, -1.0),
        returned(1, True),
        returned(2_000, -1),
        raised(1),
        replace(PROBES[0], outcome="unrepresentable", output=None),
    ],
)
def test_inputs_and_outcomes_count(told: Any, changed: Case) -> None:
    assert told([changed, *PROBES[1:]]) not in (None, told(PROBES))
    assert told([raised(1, "KeyError"), *PROBES[1:]]) != told([raised(1), *PROBES[1:]])


def test_arguments_in_a_row_are_not_one_tuple(told: Any) -> None:
    probes = [returned((n, n), -n) for n in range(1, 17)]
    assert told(probes, "def f(*x):\n    return x\n") != told(probes, "def f(x):\n    return x\n")


def test_sums_in_another_order_are_the_same(told: Any) -> None:
    def outputs(value: Any) -> list[Case]:
        return [returned(n, value if n == 1 else -n) for n in range(1, 17)]

    assert told(outputs(0.1 + 0.2)) == told(outputs(0.3))
    assert told(outputs({"a": [(-0.0, 0.1 + 0.2)]})) == told(outputs({"a": [(0.0, 0.3)]}))
    assert told(outputs(0.3001)) != told(outputs(0.3))
    assert told(outputs(float("inf"))) != told(outputs(0.3))


@pytest.mark.parametrize(
    "probes",
    [
        [],
        PROBES[:3],  # 2.6 bits
        [returned(n, 7) for n in range(16)],
        [returned(n, n < 4) for n in range(16)],  # four of one, 10.8 bits
        [returned(n, n) for n in range(16)],  # what was put in
        [raised(n) for n in range(9)] + PROBES[9:],
        [*PROBES, replace(PROBES[0], arguments="{'x': 0}", outcome="timed_out", output=None)],
        [*PROBES, replace(PROBES[0], arguments="{'x': 0}", outcome="killed", output=None)],
    ],
)
def test_what_tells_too_little_tells_nothing(told: Any, probes: list[Case]) -> None:
    assert told(probes) is None


def test_two_outputs_can_tell_enough(told: Any) -> None:
    assert told([returned(n, n < 5) for n in range(16)]) is not None


def test_lines_that_only_cases_reach_leave_something_untold(told: Any) -> None:
    program = "def f(x):\n    if x is None:\n        return 0\n    return -x\n"
    elsewhere = [returned(None, 0, 2, 3)]
    probes = [returned(n, -n, 2, 4) for n in range(1, 17)]
    assert told(probes, program, elsewhere) is None
    assert told(probes, program, [returned(1, -1, 2, 4)]) is not None
    refused = [returned(1, -1, 2, 4), replace(raised("a"), covered_lines=[2, 3])]
    assert told(probes, program, refused) is not None


def test_nothing_is_told_without_coverage(told: Any) -> None:
    bare = [replace(case, covered_lines=[]) for case in PROBES]
    assert told(bare, PLAIN, bare) is None
