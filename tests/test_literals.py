"""The codec of canonical literals: total on what it promises, strict on the rest."""

from __future__ import annotations

import ast
import contextlib
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.literals import Unrepresentable, canonical, dumps, loads

HASHABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=4),
    max_leaves=8,
)
VALUES = st.recursive(
    HASHABLE | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner)
        | st.dictionaries(HASHABLE, inner, max_size=4)
        | st.sets(HASHABLE, max_size=4)
    ),
    max_leaves=12,
)


def same(left: Any, right: Any) -> bool:
    """Equality that tells types, signs of zero and NaN apart, and dict orders."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return repr(left) == repr(right)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return same(list(left.items()), list(right.items()))
    return bool(left == right)


@given(VALUES)
def test_reads_back_to_an_equal_value_of_the_same_type(value: Any) -> None:
    assert same(loads(dumps(value)), value)


@given(VALUES)
def test_text_is_a_fixed_point(value: Any) -> None:
    text = dumps(value)
    assert dumps(loads(text)) == text


@given(VALUES)
def test_literal_eval_reads_what_has_a_literal(value: Any) -> None:
    text = dumps(value)
    if "float(" not in text and "frozenset(" not in text and "1e309" not in text:
        assert same(ast.literal_eval(text), value)


@given(st.text(max_size=200))
def test_arbitrary_text_gives_a_value_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        loads(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({3, 1, 10}, "{1, 3, 10}"),
        (set(), "set()"),
        (frozenset(), "frozenset()"),
        (frozenset({"b", "a"}), "frozenset({'a', 'b'})"),
        (math.inf, "float('inf')"),
        (-math.inf, "float('-inf')"),
        ((1,), "(1,)"),
        (-0.0, "-0.0"),
        (1 + 2j, "(1+2j)"),
        ("\ud800", "'\\ud800'"),
        ({1: [None, ...]}, "{1: [None, Ellipsis]}"),
    ],
)
def test_spelling(value: Any, text: str) -> None:
    assert dumps(value) == text.replace("Ellipsis", "...")


class _Text(str):
    pass


RECURSIVE: list[Any] = []
RECURSIVE.append(RECURSIVE)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (object(), "type object"),
        (_Text("a"), "type _Text"),
        ({math.nan}, "NaN"),
        ({math.nan: 1}, "NaN"),
        ({(1, math.nan)}, "NaN"),
        (RECURSIVE, "recursive"),
        ("a" * 100_001, "too long"),
        ([0] * 100_000, "too long"),
        ([10**5000], "digit limit"),
        ([1 << 10**7], "too long"),
        (complex(-0.0, 1), "complex"),
        (complex(math.nan, 1), "complex"),
        (lambda: 0, "type function"),
    ],
)
def test_refuses_what_would_not_come_back(value: Any, reason: str) -> None:
    with pytest.raises(Unrepresentable, match=reason):
        dumps(value)


@pytest.mark.parametrize(
    "text", ["__import__('os')", "f()", "x", "1 + 1", "[i for i in ()]", "{**{}}", "-'a'", "("]
)
def test_refuses_what_is_not_a_literal(text: str) -> None:
    with pytest.raises(ValueError, match="not a literal"):
        loads(text)


def test_sets_of_strings_are_written_alike_under_every_hash_seed() -> None:
    code = (
        "from c2c_tasks.literals import dumps\n"
        "print(dumps({frozenset({'a', 'b'}), 'x', (1, 'y'), None}))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1


def representable(value: object) -> bool:
    try:
        dumps(value)
    except Unrepresentable:
        return False
    return True


@given(st.lists(VALUES.filter(representable), max_size=6))
def test_canonical_texts_are_left_as_they_are(values: list[object]) -> None:
    texts = [dumps(value) for value in values]
    assert canonical(texts) == texts


PIECES = [
    "'",
    '"',
    "\\",
    "a",
    "1",
    "0",
    "-",
    ".",
    "e",
    ",",
    ", ",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    " ",
]


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=9).map("".join), max_size=4))
def test_what_is_canonical_reads_back_to_itself(texts: list[str]) -> None:
    try:
        found = canonical(texts)
    except ValueError:
        return
    assert len(found) == len(texts)
    assert [dumps(loads(text)) for text in found] == found


@pytest.mark.parametrize(
    ("text", "is_canonical"),
    [
        ("-0", "0"),
        ("01.0", "1.0"),
        ("01", None),
        ("1_0", "10"),
        ("'a' 'b'", "'ab'"),
        ("{3, 1}", "{1, 3}"),
    ],
)
def test_other_spellings_are_written_anew(text: str, is_canonical: str | None) -> None:
    if is_canonical is None:
        with pytest.raises(ValueError, match="literal"):
            canonical([text])
    else:
        assert canonical(["1", text]) == ["1", is_canonical]


def test_texts_that_hang_together_are_no_literals() -> None:
    with pytest.raises(ValueError, match="literal"):
        canonical(["{'a'", "'b'}, 2"])


PARTS = st.floats() | st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e16])


@given(PARTS, PARTS)
def test_a_complex_number_has_a_literal_where_one_reads_back(real: float, imaginary: float) -> None:
    value = complex(real, imaginary)
    try:
        same = repr(ast.literal_eval(repr(value))) == repr(value)
    except ValueError:
        same = False
    if same:
        assert dumps(value) == repr(value)
    else:
        with pytest.raises(Unrepresentable):
            dumps(value)
