"""Constant expressions are folded; nothing is evaluated, and nothing grows past the limits."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.inputs.constants import NotConstant, constant_value, written


def fold(text: str, names: dict[str, Any] | None = None) -> Any:
    return constant_value(ast.parse(text, mode="eval").body, names)


@pytest.mark.parametrize(
    "text",
    [
        "[0] * 5",
        "2**31 - 1",
        "-2 ** 2",
        "frozenset([1])",
        "dict(a=1, **{'b': 2})",
        "{**{'a': 1}, 'b': (1,)}",
        "[*range(3), *'ab']",
        "'ab' * 3 + 'c'",
        "list(range(10, 0, -3))",
        "sorted({3, 1, 2})",
        "{1, 2} | {3}",
        "float('inf')",
        "int('12') // 5",
        "complex(1, -2)",
        "not 0",
        "~5",
        "tuple()",
        "dict([('a', 1)])",
        "7 % 4",
        "1 << 10",
        "b'x' * 2",
    ],
)
def test_what_people_write_is_folded_as_python_does(text: str) -> None:
    value = fold(text)
    expected = eval(text)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "f(1)",
        "lambda: 1",
        "[i for i in range(3)]",
        "open('/etc/passwd')",
        "(1).bit_length()",
        "{[]: 1}",
        "{[1]}",
        "1 / 0",
        "'%s' % 1",
        "f'{1}'",
        "range(1, 2, 0)",
        "int('x')",
        "-'a'",
    ],
)
def test_what_is_no_constant_is_refused(text: str) -> None:
    with pytest.raises(NotConstant):
        fold(text)


@pytest.mark.parametrize(
    "text",
    [
        "[0] * 10**9",
        "'a' * 10**12",
        "9**9**9",
        "1 << 10**9",
        "range(10**9)",
        "list(range(10**9))",
        "10**4000 * 10**4000",
        "float('9' * 1000)",
        "[" * 60 + "]" * 60,
    ],
)
def test_what_would_grow_is_refused(text: str) -> None:
    with pytest.raises(NotConstant):
        fold(text)


def test_names_are_those_that_are_given() -> None:
    assert fold("[x, x + 1]", {"x": 2}) == [2, 3]
    with pytest.raises(NotConstant, match="the name y"):
        fold("[x, y]", {"x": 2})


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3)
    | st.tuples(inner, inner)
    | st.dictionaries(st.text(max_size=2) | st.integers(), inner, max_size=3),
    max_leaves=8,
))  # fmt: skip
def test_the_repr_of_plain_values_folds_back(value: object) -> None:
    assert repr(fold(repr(value))) == repr(value)


def test_a_set_is_written_in_one_order() -> None:
    assert written({"b", "a", "c"}) == "{'a', 'b', 'c'}"
    assert fold("[*{'b', 'a', 'c'}]") == ["a", "b", "c"]
    assert written("as it is") == "as it is"
