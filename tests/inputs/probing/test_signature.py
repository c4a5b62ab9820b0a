from __future__ import annotations

from typing import Any

import pytest

from c2c_tasks.inputs.probing.signature import signature_of, type_of
from c2c_tasks.literals import dumps
from c2c_tasks.records import Case
from tests.inputs.conftest import FunctionOf

INT, STR, FLOAT = ("int",), ("str",), ("float",)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 0.5], INT),
        ([1, 2.0, 0.5], FLOAT),
        ([1, True], INT),
        ([True, False], ("bool",)),
        ([None, "a", None], STR),
        ([None], ("none",)),
        ([[1, 2], (), [0.5]], ("list", INT)),
        ([(1, 2), (3,)], ("tuple", INT)),
        ([[], []], ("list", INT)),
        ([["a", None]], ("list", STR)),
        ([[[1], [2, 3]], []], ("list", ("list", INT))),
        ([[[[[1]]]]], ("list", ("list", ("list", INT)))),
        ([{"a": [1]}, {}], ("dict", STR, ("list", INT))),
        ([{1, 2}, frozenset()], ("set", INT)),
        ([b"a"], ("bytes",)),
        (["a", "b", [1]], STR),
    ],
)
def test_types(values: list[Any], expected: Any) -> None:
    assert type_of(values) == expected


def cases(*rows: dict[str, Any], output: Any = 0) -> list[Case]:
    return [Case(arguments=dumps(row), outcome="returned", output=dumps(output)) for row in rows]


def test_a_parameter_that_most_calls_leave_out_does_not_count(function_of: FunctionOf) -> None:
    function = function_of("def f(x, base=10, *more, flag=False):\n    return x\n")
    rows = cases({"x": 1, "base": 2}, {"x": 2, "base": 3, "more": (1,)}, {"x": 3, "flag": True})
    assert signature_of(function, rows) == {"x": INT, "base": INT}


def test_what_makes_fractions_takes_floats(function_of: FunctionOf) -> None:
    """Whoever annotates it says so; whoever does not is given integers to try."""
    function = function_of("def f(x, xs, flag):\n    return x\n")
    rows = cases({"x": 1, "xs": [1, 2], "flag": True}, output=0.5)
    assert signature_of(function, rows) == {"x": FLOAT, "xs": ("list", FLOAT), "flag": ("bool",)}
    assert signature_of(function, cases({"x": 1, "xs": [1]}, output=[1, {"a": 0.5}])) == {
        "x": FLOAT,
        "xs": ("list", FLOAT),
    }


def test_what_takes_numbers_and_texts_takes_anything(function_of: FunctionOf) -> None:
    function = function_of("def f(x):\n    return x\n")
    both = cases(*({"x": n} for n in range(8)), {"x": "a"}, {"x": None})
    assert signature_of(function, both) == {"x": ("any",)}
    assert signature_of(function, cases({"x": "a"}, {"x": [1]}, {"x": "b"})) == {"x": STR}


def test_names_and_annotations_do_not_count(function_of: FunctionOf) -> None:
    plain = function_of("def f(a, b):\n    return a\n")
    annotated = function_of("def g(text: str, /, *, n: 'int' = 3) -> str:\n    return text\n")
    first = signature_of(plain, cases({"a": "x", "b": 1}))
    second = signature_of(annotated, cases({"text": "y", "n": 2}))
    assert list(first.values()) == list(second.values()) == [STR, INT]
