from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.inputs.probing import Probing
from c2c_tasks.inputs.probing.probes import probe_rows
from c2c_tasks.inputs.probing.signature import Type, type_of
from c2c_tasks.literals import dumps, loads
from c2c_tasks.records import Case, Outcome
from tests.inputs.conftest import FunctionOf

INT: Type = ("int",)
STR: Type = ("str",)
SCALARS: list[Type] = [INT, STR, ("float",), ("bytes",), ("bool",)]
TYPES = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["list", "tuple"]), inner),
        st.tuples(st.just("set"), st.sampled_from(SCALARS)),
        st.tuples(st.just("dict"), st.sampled_from(SCALARS), inner),
    ),
    max_leaves=3,
)


@given(st.lists(TYPES, min_size=1, max_size=4).map(tuple), st.integers(1, 40))
def test_probes_are_of_their_types_and_differ(types: tuple[Type, ...], count: int) -> None:
    rows = probe_rows(types, count)
    texts = [dumps(row) for row in rows]
    assert 1 <= len(set(texts)) == len(texts) <= count
    for position, type_ in enumerate(types):
        column = [row[position] for row in rows]
        if any(column):  # what is empty is of any type
            assert type_of(column)[0] == type_[0]


@pytest.mark.parametrize("types", [(INT,), (STR, STR), (("list", INT), INT), (("any",), ("none",))])
def test_there_are_as_many_as_asked_for(types: tuple[Type, ...]) -> None:
    assert [len(probe_rows(types, count)) for count in (1, 16, 20)] == [1, 16, 20]


def test_of_two_values_there_are_two() -> None:
    assert sorted(probe_rows((("bool",),), 16)) == [(False,), (True,)]
    assert probe_rows((), 16) == []


def test_every_process_has_the_same() -> None:
    types = "(('set', ('str',)), ('dict', ('str',), ('int',)), ('str',))"
    script = (
        "from c2c_tasks.inputs.probing.probes import probe_rows\n"
        f"from c2c_tasks.literals import dumps\nprint(*map(dumps, probe_rows({types}, 16)))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("types", "are_related"),
    [
        ((("list", INT), INT), lambda xs, x: x in xs),
        ((INT, ("list", INT)), lambda x, xs: x in xs),
        ((("dict", STR, INT), STR), lambda table, key: key in table),
        ((STR, STR), lambda a, b: a == b),
        ((STR, STR), lambda a, b: a != b and sorted(a) == sorted(b)),
        ((STR, STR), lambda a, b: "" < b < a and a.startswith(b)),
        ((("list", INT), ("list", INT)), lambda a, b: a == b),
        ((("list", INT), ("list", INT)), lambda a, b: b and a != b and a[-len(b) :] == b),
    ],
)
def test_some_values_have_to_do_with_each_other(types: tuple[Type, ...], are_related: Any) -> None:
    rows = probe_rows(types, 16)
    related = [row for row in rows if are_related(*row)]
    assert related and len(related) < len(rows)


def case(x: object, output: object = None, outcome: Outcome = "returned") -> Case:
    return Case(
        arguments=dumps({"x": x}),
        outcome=outcome,
        output=dumps(output) if outcome == "returned" else None,
    )


def test_arguments_have_the_names_of_the_function(function_of: FunctionOf) -> None:
    function = function_of("def f(x):\n    return x\n")
    found = Probing(5).arguments(function, [case(1, 1), case(2, 2), case("a", outcome="raised")])
    assert [loads(text) for text in found] == [{"x": x} for (x,) in probe_rows((INT,), 5)]
    assert found == [dumps(loads(text)) for text in found]


@pytest.mark.parametrize(
    "cases",
    [
        [],
        [case(1, outcome="raised")],
        [case(1, 7), case(2, 7)],
        [case(1, 1), case(2, 2), case(9, outcome="timed_out")],
        [case(1, 1), case(2, 2), case(9, outcome="killed")],
    ],
)
def test_what_is_hopeless_is_not_probed(function_of: FunctionOf, cases: list[Case]) -> None:
    assert Probing(16).arguments(function_of("def f(x):\n    return x\n"), cases) == []
