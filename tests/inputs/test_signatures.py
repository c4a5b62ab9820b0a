"""Arguments are bound as Python would bind them."""

from __future__ import annotations

import ast
import inspect
from typing import Any

import pytest

from c2c_tasks.inputs.constants import NotConstant
from c2c_tasks.inputs.signatures import WrongArguments, bind_call, check

HEADERS = ["a, b=2", "a, /, b, *, c=3", "a, *rest, c=1", "a=1, *rest, **others", "*, a, b=None", ""]
CALLS = [
    "f()",
    "f(1)",
    "f(1, 2)",
    "f(1, 2, 3)",
    "f(1, b=2)",
    "f(a=1)",
    "f(1, c=1, b=2)",
    "f(1, c=[4])",
    "f(1, 2, c=5)",
    "f(*[1, 2])",
    "f(**{'a': 1})",
    "f(1, x=1, y=2)",
    "f(1, a=1)",
    "f(*(1, 2), b=3)",
]


def bound(program: str, call: str, function_of: Any) -> dict[str, Any]:
    tree = ast.parse(call, mode="eval").body
    assert isinstance(tree, ast.Call)
    return bind_call(function_of(program).parameters, tree)


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("call", CALLS)
def test_a_call_binds_as_python_binds_it(header: str, call: str, function_of: Any) -> None:
    program = f"def f({header}): pass"
    namespace: dict[str, Any] = {}
    exec(program, namespace)
    signature = inspect.signature(namespace["f"])
    try:
        expected = eval(call, {"f": signature.bind}).arguments
    except TypeError:
        with pytest.raises(WrongArguments):
            bound(program, call, function_of)
    else:
        assert bound(program, call, function_of) == expected


def test_positional_only_parameters_may_be_named(function_of: Any) -> None:
    """The call was read, not run: rows hold arguments by name whatever their kind."""
    assert bound("def f(a, b, /): pass", "f(b=1, a=2)", function_of) == {"a": 2, "b": 1}


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("f(1, 2, 3, 4)", "too_many_arguments"),
        ("f(1)", "missing_parameter"),
        ("f(1, 2, d=3)", "unknown_parameter"),
        ("f(1, 2, a=3)", "wrong_arguments"),
    ],
)
def test_what_does_not_fit_is_named(call: str, reason: str, function_of: Any) -> None:
    with pytest.raises(WrongArguments) as refused:
        bound("def f(a, b, c=1): pass", call, function_of)
    assert refused.value.reason == reason


def test_arguments_that_are_no_constants(function_of: Any) -> None:
    for call in ("f(x)", "f(*x)", "f(*3)", "f(**[1])", "f(a=lambda: 1)"):
        with pytest.raises(NotConstant):
            bound("def f(a): pass", call, function_of)


def test_collectors_may_be_given_whole_or_by_name(function_of: Any) -> None:
    parameters = function_of("def f(a, *rest, k=0, **others): pass").parameters
    assert check(parameters, {"rest": [1, 2], "a": 0}) == {"a": 0, "rest": (1, 2)}
    assert check(parameters, {"a": 0, "others": {"x": 1}, "y": 2}) == {
        "a": 0,
        "others": {"x": 1, "y": 2},
    }


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"a": 1, "rest": 5}, "wrong_arguments"),
        ({"rest": [1]}, "missing_parameter"),
        ({1: 2}, "unknown_parameter"),
        ({"a": 1, "others": {"a": 2}}, "wrong_arguments"),
        ({"a": 1, "others": {3: 2}}, "unknown_parameter"),
    ],
)
def test_named_arguments_that_do_not_fit(
    given: dict[Any, Any], reason: str, function_of: Any
) -> None:
    parameters = function_of("def f(a, *rest, **others): pass").parameters
    with pytest.raises(WrongArguments) as refused:
        check(parameters, given)
    assert refused.value.reason == reason


def test_a_default_cannot_be_skipped_before_more_values(function_of: Any) -> None:
    parameters = function_of("def f(a, b=1, *rest): pass").parameters
    with pytest.raises(WrongArguments, match="without b before it"):
        check(parameters, {"a": 1, "rest": [2]})


def test_rows_come_in_header_order(function_of: Any) -> None:
    parameters = function_of("def f(a, b, c): pass").parameters
    assert list(check(parameters, {"c": 1, "a": 2, "b": 3})) == ["a", "b", "c"]
