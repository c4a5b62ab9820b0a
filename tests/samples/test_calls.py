from __future__ import annotations

import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.literals import dumps
from c2c_tasks.records import Parameter, ParameterKind
from c2c_tasks.samples.calls import call_expression, header

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=5)
    | st.binary(max_size=3)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.frozensets(st.integers(), max_size=3)
    ),
    max_leaves=5,
)
KINDS: dict[str, ParameterKind] = {
    "a": "positional_only",
    "b": "positional_only",
    "c": "positional_or_keyword",
    "d": "positional_or_keyword",
    "rest": "var_positional",
    "e": "keyword_only",
    "f": "keyword_only",
    "others": "var_keyword",
}


@st.composite
def calls(draw: st.DrawFn) -> tuple[list[Parameter], dict[str, Any]]:
    """Parameters of some of the kinds, in a lawful order, and a value for each."""
    parameters: list[Parameter] = []
    arguments: dict[str, Any] = {}
    optional = False
    for name in [name for name in KINDS if draw(st.booleans())]:
        default = None
        match KINDS[name]:
            case "var_positional":
                arguments[name] = tuple(draw(st.lists(VALUES, max_size=3)))
            case "var_keyword":
                keys = st.text(max_size=4) | st.sampled_from(["class", "x", "ﬁ", "__debug__", "a"])
                keys = keys.filter(lambda key: key not in KINDS or key in "ab")
                arguments[name] = draw(st.dictionaries(keys, VALUES, max_size=3))
            case "keyword_only":
                arguments[name] = draw(VALUES)
                default = draw(st.sampled_from([None, "'default'"]))
            case _:
                arguments[name] = draw(VALUES)
                optional = optional or draw(st.booleans())
                default = "'default'" if optional else None
        parameters.append(Parameter(name, KINDS[name], None, default))
    return parameters, arguments


@given(calls(), st.booleans())
def test_a_call_binds_what_it_was_written_for(
    call: tuple[list[Parameter], dict[str, Any]], by_keyword: bool
) -> None:
    parameters, arguments = call
    expression = call_expression("target", parameters, arguments, by_keyword=by_keyword)
    namespace: dict[str, Any] = {}
    exec(f"{header('target', parameters)}\n    return locals()\n", namespace)
    bound = eval(expression, namespace)
    assert {name: dumps(value) for name, value in bound.items()} == {
        name: dumps(value) for name, value in arguments.items()
    }


@given(calls())
def test_a_header_declares_the_parameters(call: tuple[list[Parameter], dict[str, Any]]) -> None:
    parameters, _ = call
    namespace: dict[str, Any] = {}
    exec(f"{header('target', parameters)} pass", namespace)
    declared = inspect.signature(namespace["target"]).parameters.values()
    assert [(p.name, p.kind.name.lower()) for p in declared] == [
        (p.name, p.kind) for p in parameters
    ]


def test_annotations_and_defaults_are_the_authors() -> None:
    parameters = [
        Parameter("text", "positional_or_keyword", "str"),
        Parameter("width", "positional_or_keyword", "int | None", "None"),
        Parameter("fill", "keyword_only", None, "' '"),
    ]
    assert header("pad", parameters) == "def pad(text: str, width: int | None = None, *, fill=' '):"


PAIR = [Parameter("x", "positional_or_keyword"), Parameter("y", "positional_or_keyword", None, "2")]
REST = Parameter("rest", "var_positional")


@pytest.mark.parametrize(
    ("parameters", "arguments", "by_keyword", "expected"),
    [
        (PAIR, {"x": 1, "y": 2}, False, "f(1, 2)"),
        (PAIR, {"x": 1, "y": 2}, True, "f(x=1, y=2)"),
        (PAIR, {"y": 2, "x": 1}, False, "f(1, 2)"),
        (PAIR, {"x": 1}, False, "f(1)"),
        (PAIR, {"y": 1}, False, "f(y=1)"),
        ([*PAIR, REST], {"x": 1, "y": 2, "rest": (3, 4)}, True, "f(1, 2, 3, 4)"),
        ([*PAIR, REST], {"x": 1, "y": 2, "rest": ()}, True, "f(x=1, y=2)"),
        ([Parameter("o", "var_keyword")], {"o": {"a": 1, "b": 2}}, False, "f(a=1, b=2)"),
        (
            [Parameter("o", "var_keyword")],
            {"o": {"a": 1, "b c": 2}},
            False,
            "f(**{'a': 1, 'b c': 2})",
        ),
    ],
)
def test_calls_read_as_people_write_them(
    parameters: list[Parameter], arguments: dict[str, Any], by_keyword: bool, expected: str
) -> None:
    assert call_expression("f", parameters, arguments, by_keyword=by_keyword) == expected


@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        (PAIR, {"z": 1}),
        ([*PAIR, REST], {"y": 1, "rest": (3,)}),
        ([Parameter("a", "positional_only"), Parameter("b", "positional_only")], {"b": 0}),
    ],
)
def test_what_no_call_can_bind_is_refused(
    parameters: list[Parameter], arguments: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"^f"):
        call_expression("f", parameters, arguments)
