from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.config import CaseOptions
from c2c_tasks.curation.selection import form, select
from c2c_tasks.literals import dumps
from c2c_tasks.records import Case


def returned(x: object, output: object, *lines: int) -> Case:
    return Case(
        arguments=dumps({"x": x}),
        outcome="returned",
        output=dumps(output),
        covered_lines=list(lines),
    )


def raised(x: object, type_: str, *lines: int) -> Case:
    return Case(
        arguments=dumps({"x": x}),
        outcome="raised",
        exception_type=type_,
        exception_message="no",
        covered_lines=list(lines),
    )


def selected(cases: list[Case], *body_lines: int, **options: Any) -> list[Case]:
    options = {"min_cases": 1, "min_distinct_outputs": 1, **options}
    return select(cases, body_lines, CaseOptions(**options)).cases


def test_lines_come_first_then_what_is_new_then_what_is_short() -> None:
    cases = [
        returned(100, 1, 2, 3),
        returned(1, 1, 2, 3),
        returned(200, 2, 2, 3),
        returned(3_000, 3, 2, 5),
        returned(4, 1, 2, 3),
    ]
    assert selected(cases, 2, 3, 5, max_cases=3) == [cases[1], cases[2], cases[3]]


@pytest.mark.parametrize(
    ("plain", "other"),
    [
        (returned(2, 7, 2), returned(300, 8, 2)),  # another output
        (returned(2, 7, 2), returned(300, 7, 2, 9)),  # another path, through a helper
        (returned(2, 7, 2), returned([3], 7, 2)),  # arguments of another form
        (returned(2, [8], 2), returned(300, [8, "a"], 2)),  # an output of another form
        (returned(2, 7, 2), raised(300, "ValueError", 2)),
        (raised(2, "ValueError", 2), raised(300, "KeyError", 2)),
    ],
)
def test_what_differs_is_worth_its_length(plain: Case, other: Case) -> None:
    options: dict[str, Any] = {"max_cases": 2, "max_raised_share": 1.0}
    first = returned(1, 7, 2) if plain.outcome == "returned" else raised(1, "ValueError", 2)
    if plain.output == "[8]":
        first = returned(1, [7], 2)
    assert selected([first, plain, other], 2, **options) == [first, other]


def test_a_line_more_is_worth_any_difference() -> None:
    cases = [returned(1, 1, 2), returned("other", ["form"], 2), returned(100, 1, 2, 3)]
    assert selected(cases, 2, 3, max_cases=1) == [cases[2]]


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("[1, 22, 333]", "[0]"),
        ("['a', 'b, c', \"d's\"]", "[s]"),
        ("['', '']", "['']"),
        ("{'x': [-1, 2.5]}", "{s: [-0, 0.0]}"),
        ("[(1, 'a'), (2, 'b')]", "[(0, s), (0, s)]"),
        ("'\\'1\\''", "s"),
        ("None", "None"),
    ],
)
def test_forms(literal: str, expected: str) -> None:
    assert form(literal) == expected


CASES = st.builds(
    lambda x, output, lines, error: (
        raised(x, error, *sorted(lines)) if error else returned(x, output, *sorted(lines))
    ),
    st.integers(0, 40),
    st.sampled_from([0, 1, [], [1], "a"]),
    st.sets(st.integers(1, 8)),
    st.sampled_from(["", "", "", "ValueError", "KeyError"]),
)


@given(
    st.lists(CASES, max_size=25, unique_by=lambda case: case.arguments),
    st.integers(1, 12),
    st.sampled_from([0.0, 0.2, 1.0]),
    st.randoms(use_true_random=False),
)
def test_selections(cases: list[Case], most: int, share: float, rng: Any) -> None:
    options = CaseOptions(
        max_cases=most, min_cases=1, min_distinct_outputs=1, max_raised_share=share
    )
    found = select(cases, range(1, 9), options)
    assert found.cases == [case for case in cases if case in found.cases]
    kept = len(found.cases)
    assert kept <= most and kept + found.refused <= len(cases)
    shuffled = rng.sample(cases, len(cases))
    again = select(shuffled, range(1, 9), options)
    assert {case.arguments for case in again.cases} == {case.arguments for case in found.cases}
    assert again.refused == found.refused


@given(st.lists(CASES, min_size=1, max_size=25, unique_by=lambda case: case.arguments))
def test_the_first_of_the_queue_is_the_best_of_all(cases: list[Case]) -> None:
    """What is not looked at again is not better than what is taken."""
    options: dict[str, Any] = {"max_raised_share": 1.0}
    uncovered = set(range(1, 9))
    left = list(cases)
    while left:
        size = len(cases) - len(left) + 1
        now = selected(cases, *range(1, 9), max_cases=size, **options)
        (case,) = [case for case in left if case in now]
        left.remove(case)
        gains = [len(uncovered.intersection(other.covered_lines)) for other in [case, *left]]
        assert gains[0] == max(gains)
        uncovered.difference_update(case.covered_lines)


def test_many_cases_take_no_square_of_time() -> None:
    def seconds(count: int) -> float:
        cases = [returned(n, n % 50, *range(1, 2 + n % 30)) for n in range(count)]
        started = time.process_time()
        selected(cases, *range(1, 40), max_cases=500)
        return time.process_time() - started

    seconds(100)
    few, many = (min(seconds(count) for _ in range(2)) for count in (500, 4_000))
    assert many < 24 * few + 0.05  # a square would be 64
