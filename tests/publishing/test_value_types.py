from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.literals import Unrepresentable, dumps
from c2c_tasks.publishing.value_types import type_of

KEYS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.tuples(st.integers(), st.text(max_size=3)),
    st.frozensets(st.integers(), max_size=2),
)
VALUES = st.recursive(
    KEYS | st.floats() | st.complex_numbers(allow_nan=False) | st.just(...),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner),
        st.tuples(inner, inner),
        st.sets(KEYS, max_size=3),
        st.dictionaries(KEYS, inner, max_size=3),
    ),
    max_leaves=8,
)


@given(VALUES)
def test_every_literal_tells_its_type(value: Any) -> None:
    try:
        literal = dumps(value)
    except Unrepresentable:
        return
    kind = type(value).__name__
    expected = {"NoneType": "None", "ellipsis": "Ellipsis"}.get(kind, kind)
    assert type_of(literal) == expected


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("{'a: b', 'c'}", "set"),
        ("{'a, b': 1}", "dict"),
        ('{"it\'s": 1}', "dict"),
        ("{'\\'': 1}", "dict"),
        ("{(1, 2): 3}", "dict"),
        ("{(1, 2)}", "set"),
        ("(1j, 2j)", "tuple"),
        ("(1+2j)", "complex"),
        ("1e+16", "float"),
    ],
)
def test_those_that_look_like_others(literal: str, expected: str) -> None:
    assert type_of(literal) == expected
