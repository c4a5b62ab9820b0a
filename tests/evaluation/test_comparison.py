from __future__ import annotations

import math
from functools import partial
from itertools import permutations, starmap

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from c2c_tasks.evaluation.comparison import same_outcome, same_output
from c2c_tasks.literals import dumps
from c2c_tasks.records import Case

NAN, INF = "float('nan')", "float('inf')"


@pytest.mark.parametrize(
    ("recorded", "found"),
    [
        ("1", "True"),
        ("1", "1.0"),
        ("0.0", "-0.0"),
        ("0", "False"),
        ("[1]", "(1,)"),
        ("{1}", "frozenset({1})"),
        ("'1'", "1"),
        ("b'a'", "'a'"),
        ("None", "False"),
        ("{1: 2}", "{1: 2.0}"),
        ("{1: 2}", "{True: 2}"),
        ("{1}", "{True}"),
        ("{(1,)}", "{(True,)}"),
        ("[1, 2]", "[2, 1]"),
        (NAN, INF),
        (INF, "float('-inf')"),
        ("[]", "set()"),
        ("1.0", "1.0000000001"),
        ("0.1", "(0.1+0j)"),
        ("{}", "{1: 1}"),
    ],
)
def test_different(recorded: str, found: str) -> None:
    assert not same_output(recorded, found, 0.0)
    assert not same_output(found, recorded, 0.0)


@pytest.mark.parametrize(
    ("recorded", "found", "tolerance"),
    [
        ("{1: 2, 3: 4}", "{3: 4, 1: 2}", 0.0),
        ("[{'a': {1: 2, 3: 4}}]", "[{'a': {3: 4, 1: 2}}]", 0.0),
        (NAN, NAN, 0.0),
        (f"[{NAN}]", f"[{NAN}]", 1e-6),
        (f"{{1: {NAN}, 2: 3}}", f"{{2: 3, 1: {NAN}}}", 0.0),
        (INF, INF, 1e-6),
        ("1.0", "1.0000001", 1e-6),
        ("1e+300", "1.0000001e+300", 1e-6),
        ("[(0.3, {'a': 1e-10})]", "[(0.30000000000000004, {'a': 1.0000000001e-10})]", 1e-6),
        ("{0.3, 1.0}", "{0.30000000000000004, 1.0}", 1e-6),
        ("{0.3: 'a', 1: 'b'}", "{1: 'b', 0.30000000000000004: 'a'}", 1e-6),
        ("frozenset({(1, 0.3)})", "frozenset({(1, 0.30000000000000004)})", 1e-6),
        ("(0.3+1j)", "(0.30000000000000004+1j)", 1e-6),
        ("0.0", "-0.0", 1e-6),
    ],
)
def test_same(recorded: str, found: str, tolerance: float) -> None:
    assert same_output(recorded, found, tolerance)
    assert same_output(found, recorded, tolerance)


@pytest.mark.parametrize(
    ("recorded", "found"),
    [
        ("1.0", "1.1"),
        ("0.0", "1e-12"),
        ("1", "1.0000001"),
        ("1000000", "1000001"),
        ("'1.0'", "'1.0000001'"),
        ("{0.3, 1.0}", "{0.5, 1.0}"),
        ("{0.3: 1.0}", "{0.30000000000000004: 2.0}"),
        (INF, "1e+308"),
        (NAN, "1.0"),
    ],
)
def test_a_tolerance_has_an_end(recorded: str, found: str) -> None:
    assert not same_output(recorded, found, 1e-6)
    assert not same_output(found, recorded, 1e-6)


def case(outcome: str, **fields: str) -> Case:
    return Case(arguments="{}", outcome=outcome, **fields)  # type: ignore[arg-type]


def test_exceptions_are_the_same_by_type() -> None:
    first = case("raised", exception_type="ValueError", exception_message="a")
    assert same_outcome(first, case("raised", exception_type="ValueError"), 0.0)
    assert not same_outcome(first, case("raised", exception_type="KeyError"), 0.0)
    assert not same_outcome(first, case("returned", output="'ValueError'"), 0.0)


@pytest.mark.parametrize("outcome", ["timed_out", "killed", "unrepresentable"])
def test_what_has_no_value_is_the_same_as_nothing(outcome: str) -> None:
    assert not same_outcome(case(outcome), case(outcome), 0.1)
    assert not same_outcome(case("returned", output="None"), case(outcome), 0.1)


FLOATS = st.floats(allow_nan=False, width=32)
KEYS = st.one_of(st.integers(), st.text(max_size=3), FLOATS, st.tuples(FLOATS, st.booleans()))
VALUES = st.recursive(
    st.one_of(KEYS, st.none(), st.floats(), st.sets(FLOATS, max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=50)
@given(VALUES, st.sampled_from([0.0, 1e-6]))
def test_a_value_is_the_same_as_itself(value: object, tolerance: float) -> None:
    assert same_output(dumps(value), dumps(value), tolerance)
    assert same_output(dumps(_reversed(value)), dumps(value), tolerance)


@settings(max_examples=50)
@given(VALUES, VALUES)
def test_without_a_tolerance_what_is_the_same_is_equal(first: object, second: object) -> None:
    if same_output(dumps(first), dumps(second), 0.0):
        assert first == second or "nan" in repr(first)


@given(st.lists(st.floats(1e-3, 1e3), max_size=5))
def test_the_tolerance_is_relative(values: list[float]) -> None:
    near = [value * (1 + 1e-9) for value in values]
    assert same_output(dumps(values), dumps(near), 1e-8)
    far = [*values, 1.0]
    assert not same_output(dumps(far), dumps([*near, 1 + 1e-6]), 1e-8)
    assert all(math.isfinite(value) for value in near)


def _reversed(value: object) -> object:
    """Return an equal value whose dicts have their items the other way round."""
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    if isinstance(value, list | tuple):
        return type(value)(_reversed(item) for item in value)
    return value


HUNDREDTHS = st.integers(950, 1_050).map(lambda number: number / 100)


@example({10.0, 10.1}, {10.1, 10.19})
@example({9.95, 10.0}, {9.99, 10.06})
@given(st.sets(HUNDREDTHS, max_size=4), st.sets(HUNDREDTHS, max_size=4))
def test_sets_of_floats_are_the_same_where_any_pairing_is_near_enough(
    recorded: set[float], found: set[float]
) -> None:
    pairings = permutations(found) if len(recorded) == len(found) else []
    expected = any(
        all(starmap(partial(math.isclose, rel_tol=0.01), zip(recorded, pairing, strict=True)))
        for pairing in pairings
    )
    assert same_output(dumps(recorded), dumps(found), 0.01) == expected
