from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks import literals
from c2c_tasks.sandbox import child
from c2c_tasks.sandbox.child import Unbindable, bind, value_of

NAMESPACE: dict[str, Any] = {}
exec(
    "def f(a, b=2, /, c=3, *rest, d=4, **more): return (a, b, c, rest, d, more)\n"
    "def g(a, b=2, c=3): return (a, b, c)",
    NAMESPACE,
)


def call(name: str, values: dict[str, Any]) -> Any:
    function = NAMESPACE[name]
    positional, named = bind(function.__code__, values)
    return function(*positional, **named)


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ({"a": 1}, (1, 2, 3, (), 4, {})),
        ({"c": 9, "a": 1, "d": 5}, (1, 2, 9, (), 5, {})),
        ({"a": 1, "b": 5, "c": 6, "rest": (7, 8)}, (1, 5, 6, (7, 8), 4, {})),
        ({"a": 1, "more": {"a": 0, "z": 1}}, (1, 2, 3, (), 4, {"a": 0, "z": 1})),
        ({"a": 1, "rest": ()}, (1, 2, 3, (), 4, {})),
    ],
)
def test_values_reach_their_parameters(values: dict[str, Any], seen: object) -> None:
    assert call("f", values) == seen


def test_named_values_may_leave_out_defaults() -> None:
    assert call("g", {"c": 1, "a": 0}) == (0, 2, 1)


@pytest.mark.parametrize(
    "values",
    [
        {"a": 1, "rest": [7]},
        {"a": 1, "more": [("z", 1)]},
        {"b": 1},
        {"a": 1, "rest": (1,)},
        {"a": 1, "d": 1, "more": {"d": 2}},
    ],
)
def test_what_no_call_can_pass_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(Unbindable):
        call("f", values)


def test_little_is_loaded_where_functions_run() -> None:
    code = "import sys, c2c_tasks.sandbox.runner; print(*sys.modules)"
    process = subprocess.run(
        [sys.executable, "-s", "-P", "-S", "-c", code],
        env={"PYTHONPATH": str(Path(child.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(process.stdout.split())
    # Each of these has work to do in every child, or fills the heap that is copied for it.
    assert loaded.isdisjoint({"threading", "logging", "random", "asyncio", "subprocess"})
    assert len(loaded) < 95


TEXT = st.text() | st.text("ab'\"\\\n{}[]:, ", max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT | st.binary(),
    lambda item: (
        st.lists(item, max_size=3)
        | st.lists(item, max_size=3).map(tuple)
        | st.dictionaries(TEXT | st.integers(), item, max_size=3)
        | st.sets(st.integers(), max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(TEXT, VALUES, max_size=3))
def test_arguments_are_read_as_the_host_wrote_them(arguments: dict[str, Any]) -> None:
    text = literals.dumps(arguments)
    value = value_of(text)
    assert value == arguments
    assert literals.dumps(value) == text


NUMBERS = st.integers(-20, 20) | st.floats(-20, 20).map(lambda x: round(x, 2))
HASHABLE = NUMBERS | st.text(max_size=2) | st.tuples(NUMBERS) | st.frozensets(NUMBERS, max_size=9)
SETS = st.recursive(
    st.sets(NUMBERS, max_size=12) | st.sets(HASHABLE, max_size=6),
    lambda item: st.lists(item, max_size=3) | st.dictionaries(HASHABLE, item, max_size=2),
    max_leaves=4,
)


@given(SETS)
def test_items_of_sets_come_in_the_order_of_who_reads_the_literal(value: object) -> None:
    text = literals.dumps({"x": value})
    # repr goes through a set as a function does.
    assert repr(value_of(text)) == repr(literals.loads(text))


def test_a_set_of_constants_is_made_item_by_item() -> None:
    one_by_one: set[int] = set()
    for item in (3, 7, 11):
        one_by_one.add(item)
    assert list(value_of("{'x': {3, 7, 11}}")["x"]) == list(one_by_one)


@pytest.mark.parametrize(
    "text", ["", "{'x': y}", "{'x': open('/etc/passwd')}", "{'x': 1", "1}, {1", "{'x': 1\0}", "[,]"]
)
def test_what_is_no_literal_has_no_value(text: str) -> None:
    assert value_of(text) is None
