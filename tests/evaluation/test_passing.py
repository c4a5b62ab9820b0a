"""Recorded arguments reach an answer as Python itself would pass them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.evaluation.passing import Passing
from c2c_tasks.literals import dumps
from c2c_tasks.records import Parameter, ParameterKind
from c2c_tasks.samples.calls import header
from c2c_tasks.sandbox.child import bind, value_of
from c2c_tasks.syntax import parse_module
from tests.evaluation.grader import problem, returned

NAMES = {"a": "u", "b": "v", "c": "w", "d": "x", "rest": "others", "more": "further"}
"""The parameters of the program, each with what an answer calls it, unless by name alone."""


@st.composite
def functions(draw: st.DrawFn) -> tuple[list[Parameter], dict[str, Any]]:
    """Draw parameters, and arguments that a call can pass."""
    count = draw(st.integers(0, 4))
    kinds: list[ParameterKind] = ["positional_only", "positional_or_keyword", "keyword_only"]
    chosen = sorted(draw(st.lists(st.sampled_from(kinds), min_size=count, max_size=count)),
                    key=kinds.index)  # fmt: skip
    defaults = draw(st.integers(0, count))
    rest, more = draw(st.booleans()), draw(st.booleans())
    parameters: list[Parameter] = []
    arguments: dict[str, Any] = {}
    for position, kind in enumerate(chosen):
        name = "abcd"[position]
        default = str(-position - 1) if position >= defaults else None
        parameters.append(Parameter(name, kind, default=default))
        if default is None or draw(st.booleans()):
            arguments[name] = position
    given_positions = [p.name in arguments for p in parameters if p.kind != "keyword_only"]
    if rest:
        parameters.insert(len(given_positions), Parameter("rest", "var_positional"))
        if all(given_positions):
            arguments["rest"] = tuple(draw(st.lists(st.integers(50, 60), max_size=2)))
    only = [p.name in arguments for p in parameters if p.kind == "positional_only"]
    for name in [p.name for p in parameters if p.kind == "positional_only"][only.count(True) :]:
        arguments.pop(name, None)  # what follows a gap cannot be passed
    only_given = [p for p in parameters if p.kind == "positional_only" and p.name in arguments]
    if [p.name for p in only_given] != [p.name for p in parameters][: len(only_given)]:
        for parameter in only_given:
            arguments.pop(parameter.name)
        arguments.pop("rest", None)
    if more:
        parameters.append(Parameter("more", "var_keyword"))
        arguments["more"] = dict.fromkeys(draw(st.sets(st.sampled_from(["k", "l"]))), 70)
    return parameters, arguments


def program(parameters: list[Parameter]) -> str:
    names = ", ".join(parameter.name for parameter in parameters)
    return f"{header('f', parameters)}\n    return [{names}]\n"


def call(code: str, entry_point: str, arguments: str) -> Any:
    """Call a function as the sandbox's child does."""
    names: dict[str, Any] = {}
    exec(code, names)
    function = names[entry_point]
    positional, named = bind(function.__code__, value_of(arguments))
    return function(*positional, **named)


def answer_to(parameters: list[Parameter], arguments: dict[str, Any], code: str) -> Any:
    """Return what an answer makes of recorded arguments, and how they were passed."""
    case = returned(dumps(arguments), "None")
    task = problem([case], parameters=parameters, shown=0)
    calls = Passing(task).calls(code, parse_module(code))
    assert calls is not None and calls.positions == [0]
    return call(calls.program, calls.entry_point, calls.arguments[0]), calls.called_by


@given(functions())
def test_by_name_and_by_position(drawn: tuple[list[Parameter], dict[str, Any]]) -> None:
    parameters, arguments = drawn
    code = program(parameters)
    expected = call(code, "f", dumps(arguments))
    assert answer_to(parameters, arguments, code) == (expected, "name")
    decorated = f"def same(f):\n    return f\n\n\n@same\n{code}"
    assert answer_to(parameters, arguments, decorated) == (expected, "name")
    renamed = [
        p if p.kind == "keyword_only" else Parameter(NAMES[p.name], p.kind, default=p.default)
        for p in parameters
    ]
    found, _ = answer_to(parameters, arguments, program(renamed))
    assert found == expected
    found, _ = answer_to(
        parameters, arguments, f"def same(f):\n    return f\n\n\n@same\n{program(renamed)}"
    )
    assert found == expected


@given(functions())
def test_what_takes_everything(drawn: tuple[list[Parameter], dict[str, Any]]) -> None:
    parameters, arguments = drawn
    code = "class f:\n    def __new__(cls, *rest, **more):\n        return [rest, more]\n"
    (rest, more), called_by = answer_to(parameters, arguments, code)
    passed = [*arguments.get("rest", ()), *arguments.get("more", {}).values()]
    passed += [value for name, value in arguments.items() if name not in ("rest", "more")]
    assert sorted([*rest, *more.values()]) == sorted(passed)
    assert called_by == "position"
