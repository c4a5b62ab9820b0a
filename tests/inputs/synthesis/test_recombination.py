"""Rows of parts of others, and of values of other kinds."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.inputs.synthesis.inference import understand
from c2c_tasks.inputs.synthesis.mutation import MAX_LENGTH, Mutations
from c2c_tasks.inputs.synthesis.recombination import Recombination
from c2c_tasks.literals import dumps

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
VALUES = st.recursive(
    SCALARS | st.binary(max_size=3) | st.sets(st.integers(), max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


def recombination(function_of: Any, seed: int = 0) -> Recombination:
    known = understand(function_of("def f(x, y): return x + y"))
    return Recombination(Mutations(known, random.Random(seed)))


@given(first=VALUES, second=VALUES, seed=st.integers(0, 1_000))
def test_any_values_recombine_and_none_is_changed_in_place(
    first: Any, second: Any, seed: int, function_of: Any
) -> None:
    made = recombination(function_of, seed)
    row, other = {"x": first, "y": second}, {"x": second, "y": first}
    before = repr((row, other))
    for changed in (made.crossed(row, other), made.transplanted(row), made.recast(row)):
        assert list(changed) == ["x", "y"]
        dumps(changed)
    assert repr((row, other)) == before


def rows(make: Any, count: int = 200) -> list[str]:
    return [dumps(make()) for _ in range(count)]


def test_a_crossed_row_holds_parts_of_both(function_of: Any) -> None:
    made = recombination(function_of)
    found = rows(lambda: made.crossed({"x": [1, 2], "y": "ab"}, {"x": [3, 4], "y": "cd"}))
    assert {"{'x': [1, 4], 'y': 'ab'}", "{'x': [1, 2], 'y': 'cd'}"} <= set(found)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"x": [1, 2], "y": [5, 6]}, {"x": [5, 6], "y": [5, 6]}),
        ({"x": [1, 2], "y": [5, 6]}, {"x": [5, 2], "y": [5, 6]}),
        ({"x": [1, 2, 4], "y": 9}, {"x": [1, 2, 4], "y": 7}),
        ({"x": [1, 2, 4], "y": 9}, {"x": [1, 2, 4], "y": 3}),
        ({"x": {"a": 1}, "y": "k"}, {"x": {"a": 1, "k": 1}, "y": "k"}),
        ({"x": "abc", "y": "z"}, {"x": "abc", "y": "abc"}),
        ({"x": 4, "y": 9}, {"x": 9, "y": 9}),
        ({"x": [5, (0, 0), (4, 4)]}, {"x": [5, (4, 4), (4, 4)]}),
    ],
)
def test_a_value_takes_what_another_has(row: Any, expected: Any, function_of: Any) -> None:
    """Items at their places, a length, a sum, a key: what comparisons ask for."""
    made = recombination(function_of)
    assert dumps(expected) in rows(lambda: made.transplanted(row))


def test_values_are_recast_at_any_depth(function_of: Any) -> None:
    made = recombination(function_of)
    found = set(rows(lambda: made.recast({"x": {"a": 1}}), 600))
    assert {"{'x': {}}", "{'x': None}", "{'x': ''}", "{'x': {'a': []}}"} <= found
    assert "{'x': {'a': {'a': 1}}}" in found  # what walks trees wants them deep


def test_values_do_not_grow_without_end(function_of: Any) -> None:
    made = recombination(function_of)
    row = {"x": [1, 2, 3], "y": [4, 5]}
    for _ in range(300):
        row = made.transplanted(made.crossed(row, row))
        assert all(len(value) <= MAX_LENGTH for value in row.values() if isinstance(value, list))
