"""Changes keep the kind of a value, leave the old one alone, and stay within bounds."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.inputs.synthesis.inference import understand
from c2c_tasks.inputs.synthesis.mutation import MAX_LENGTH, Mutations
from c2c_tasks.literals import dumps

HASHABLE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=3),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3),
    max_leaves=4,
)
VALUES = st.recursive(
    HASHABLE | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner)
        | st.sets(HASHABLE, max_size=3)
        | st.dictionaries(HASHABLE, inner, max_size=3)
    ),
    max_leaves=8,
)


def mutations(function_of: Any, seed: int = 0) -> Mutations:
    known = understand(function_of("def f(x): return x + 4_321, 'constant'"))
    return Mutations(known, random.Random(seed))


@given(value=VALUES, seed=st.integers(0, 1_000))
def test_kinds_are_kept_and_nothing_is_changed_in_place(
    value: Any, seed: int, function_of: Any
) -> None:
    before = repr(value)
    changed = mutations(function_of, seed).of_value(value)
    assert type(changed) is type(value)
    assert repr(value) == before


def test_most_changes_change(function_of: Any) -> None:
    change = mutations(function_of)
    for value in (5, 2.5, "word", [1, 2, 3], (1, "a"), {1, 2}, {"a": 1}, True, b"ab"):
        changed = {dumps(change.of_value(value)) for _ in range(30)}
        assert len(changed - {dumps(value)}) >= (1 if value is True else 5)


def test_constants_of_the_program_come_up(function_of: Any) -> None:
    change = mutations(function_of)
    assert any(abs(change.of_value(5) - 4_321) <= 1 for _ in range(200))
    assert any("constant" in change.of_value("a") for _ in range(200))


def test_values_do_not_grow_without_end(function_of: Any) -> None:
    change = mutations(function_of)
    items: list[Any] = [1, 2, 3]
    for _ in range(300):
        items = change.of_value(items)
        assert len(items) <= MAX_LENGTH


def test_rows_take_values_of_other_rows(function_of: Any) -> None:
    change = mutations(function_of)
    others = [{"x": "from elsewhere"}]
    made = [change.of_arguments({"x": 1, "y": 2}, others) for _ in range(60)]
    assert {"x": "from elsewhere", "y": 2} in made
    assert all(list(row) == ["x", "y"] for row in made)
    assert change.of_arguments({}) == {}
