"""Expressions are read for given arguments as Python would evaluate them, or not at all."""

from __future__ import annotations

import ast
import random
from typing import Any

import pytest

from c2c_tasks.inputs.constants import NotConstant
from c2c_tasks.inputs.synthesis.conditions import layout_of
from c2c_tasks.inputs.synthesis.reading import Reading

ARGUMENTS: dict[str, Any] = {"n": 7, "s": "Some Text", "xs": [3, 1, 2], "d": {"a": [1, 2]}}


def reading(body: str = "pass", **arguments: Any) -> Reading:
    entry = ast.parse(f"def f():\n    {body}").body[0]
    assert isinstance(entry, ast.FunctionDef)
    made = Reading(layout_of(entry), random.Random(0))
    made.start({**ARGUMENTS, **arguments})
    return made


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    "text",
    ["n * 2 + 1", "s.lower().split()[0]", "len(xs) - 1", "xs[-1]", "xs[1:]", "d['a'][0]",
     "sorted(xs)", "max(xs) % 2", "s[:4]", "s.count('e')", "-n",
     "sum(xs) / n", "[n, *xs]", "round(n / 3, 2)", "list(range(n))", "str(n) + s", "ord(s[0])",
     "s.startswith('So')", "int('12') + n", "set(xs)"],
)  # fmt: skip
def test_as_python_does(text: str) -> None:
    assert reading().read(expression(text)) == eval(text, dict(ARGUMENTS))


@pytest.mark.parametrize(
    "text",
    ["unknown", "open('x')", "xs[99]", "d['b']", "n / 0", "s.encode()", "len(n)", "int(s)",
     "xs[n:'a']", "'a' * 10**9", "round(n, -10**9)", "(lambda: 1)()", "s + n"],
)  # fmt: skip
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(NotConstant):
        reading().read(expression(text))
    assert reading().maybe(expression(text)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("n > 6", True), ("n in xs", False), ("not n", False), ("s", True), ("n < s", None),
     ("xs == [3, 1, 2]", True), ("unknown == 1", None), ("f()", None), ("d['a'][5]", None)],
)  # fmt: skip
def test_how_conditions_come_out(text: str, expected: bool | None) -> None:
    assert reading().holds(expression(text)) is expected


def test_names_are_followed_to_their_definitions() -> None:
    made = reading("a = n + 1; b = a * 2")
    assert made.read(expression("b")) == 16
    with pytest.raises(NotConstant):
        reading("a = b; b = a").read(expression("a"))


def test_a_loop_variable_is_one_of_its_values() -> None:
    made = reading("for x in xs: pass")
    value = made.read(expression("x"))
    assert value in ARGUMENTS["xs"]
    assert made.read(expression("x + 1")) == value + 1
    with pytest.raises(NotConstant):
        reading("for x in xs: pass", xs=[]).read(expression("x"))


@pytest.mark.parametrize("test", ["n in b'ab'", "n in 'ab'", "n < s", "xs in {1}"])
def test_a_comparison_that_raises_is_unknown(test: str) -> None:
    assert reading(n=300).holds(expression(test)) is None
