from __future__ import annotations

import ast
import doctest
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.literals import dumps
from c2c_tasks.records import Case, Function, Parameter
from c2c_tasks.samples.examples import Example, example_of
from c2c_tasks.samples.rendering import (
    RENDERINGS,
    Rendering,
    code_block,
    code_span,
    enumerate_terms,
)

PROGRAM = """
def divide(number, by=1, *others):
    if by == 0:
        raise ValueError("division by zero|`")
    for other in others:
        number -= other
    return {"whole": number // by, "rest": number % by} if number >= 0 else None
"""
FUNCTION = Function(
    function_id="ab" * 32,
    program=PROGRAM,
    entry_point="divide",
    parameters=[
        Parameter("number", "positional_or_keyword"),
        Parameter("by", "positional_or_keyword", None, "1"),
        Parameter("others", "var_positional"),
    ],
    repository="owner/name",
    path="a.py",
    first_line=1,
    last_line=6,
    licence=None,
    dump="file:///dump",
    source_sha256="",
)
BY_NAME = {rendering.name: rendering for rendering in RENDERINGS}


def example(arguments: dict[str, Any], output: object = None, error: str = "") -> Example:
    return example_of(
        FUNCTION,
        Case(
            arguments=dumps(arguments),
            outcome="raised" if error else "returned",
            output=None if error else dumps(output),
            exception_type="ValueError" if error else None,
            exception_message=error or None,
        ),
    )


EXAMPLES = [
    example({"number": 7, "by": 2, "others": ()}, {"whole": 3, "rest": 1}),
    example({"number": 9, "by": 4, "others": (1, 2)}, {"whole": 1, "rest": 2}),
    example({"number": -1, "by": 1, "others": ()}, None),
    example({"number": 7, "by": 0, "others": ()}, error="division by zero|`"),
]


def unfenced(text: str) -> str:
    """What the one code block of `text` holds."""
    (body,) = re.findall(r"^```\w*\n(.*)\n```$", text, re.DOTALL)
    return str(body)


@pytest.mark.parametrize("rendering", RENDERINGS, ids=lambda rendering: rendering.name)
def test_every_rendering_tells_of_every_argument_and_outcome(rendering: Rendering) -> None:
    assert all(rendering.accepts(one) for one in EXAMPLES)
    text = rendering.render(EXAMPLES)
    assert rendering.names_function == ("divide" in text)
    for expected in ("7", "9", "4", "whole", "ValueError"):
        assert expected in text
    assert not re.search(r"[ \t]$", text, re.MULTILINE)


@pytest.mark.parametrize("name", ["assertions", "test_function"])
def test_assertions_run_and_hold(name: str) -> None:
    namespace: dict[str, Any] = {"pytest": pytest}
    exec(PROGRAM + unfenced(BY_NAME[name].render(EXAMPLES)), namespace)
    if name == "test_function":
        namespace["test_divide"]()


@pytest.mark.parametrize("name", ["assertions", "test_function"])
def test_assertions_that_do_not_hold_fail(name: str) -> None:
    wrong = [*EXAMPLES, example({"number": 7, "by": 2, "others": ()}, {"whole": 3, "rest": 2})]
    namespace: dict[str, Any] = {"pytest": pytest}
    with pytest.raises(AssertionError):
        exec(PROGRAM + unfenced(BY_NAME[name].render(wrong)), namespace)
        namespace["test_divide"]()


def test_doctests_run_and_hold() -> None:
    namespace: dict[str, Any] = {}
    exec(PROGRAM, namespace)
    text = unfenced(BY_NAME["doctests"].render(EXAMPLES))
    test = doctest.DocTestParser().get_doctest(text, namespace, "rendered", None, None)
    results = doctest.DocTestRunner(verbose=False).run(test)
    assert results.attempted == len(EXAMPLES)
    assert results.failed == 0


def test_json_lines_read_back_to_arguments_and_outputs() -> None:
    lines = unfenced(BY_NAME["json_lines"].render(EXAMPLES)).splitlines()
    rows = [json.loads(line) for line in lines]
    assert rows[1]["input"] == {"number": 9, "by": 4, "others": [1, 2]}
    assert rows[1]["output"] == {"whole": 1, "rest": 2}
    assert rows[3]["error"] == {"type": "ValueError", "message": "division by zero|`"}


def test_dicts_read_back() -> None:
    lines = unfenced(BY_NAME["dicts"].render(EXAMPLES)).splitlines()
    arguments, _, output = lines[0].partition(" => ")
    assert ast.literal_eval(arguments) == {"number": 7, "by": 2, "others": ()}
    assert ast.literal_eval(output) == {"whole": 3, "rest": 1}


def test_tables_have_a_cell_for_each_parameter_and_the_result() -> None:
    partly = example({"number": 5}, {"whole": 5, "rest": 0})
    lines = BY_NAME["table"].render([*EXAMPLES, partly]).splitlines()
    assert lines[0] == "| `number` | `by` | `*others` | Result |"
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {5}
    assert lines[-1] == "| `5` |  |  | `{'whole': 5, 'rest': 0}` |"


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("json_lines", example({"number": (1, 2)}, 1)),
        ("json_lines", example({"number": 1}, {1: 2})),
        ("json_lines", example({"number": 1}, float("inf"))),
        ("json_lines", example({"number": "\ud800"}, 1)),
        ("assertions", example({"number": 1}, float("nan"))),
        ("test_function", example({"number": 1}, [float("nan")])),
        ("doctests", example({"number": 1}, float("inf"))),
        ("doctests", example({"number": 1}, error="two\nlines")),
        ("table", example({"number": "a" * 100}, 1)),
        ("table", example({}, 1)),
        ("sentences", example({"number": 1}, "a" * 1_000)),
    ],
)
def test_what_cannot_be_shown_truthfully_is_refused(name: str, refused: Example) -> None:
    assert not BY_NAME[name].accepts(refused)


def test_some_rendering_accepts_anything() -> None:
    odd = example({"number": ("\ud800" * 500, float("nan"))}, {float("inf"): b"\x00"})
    assert {name for name, r in BY_NAME.items() if r.accepts(odd)} >= {"arrows", "dicts"}


@given(st.text(alphabet="`a \n", min_size=1))
def test_code_is_never_closed_by_what_it_holds(text: str) -> None:
    fence, *body, closing = code_block(text).split("\n")
    assert fence == f"{closing}python"
    assert closing not in "\n".join(body)
    span = code_span(text)
    ticks = re.match("`+", span)
    assert ticks is not None
    assert len(ticks[0]) not in {len(run) for run in re.findall("`+", text)}


@pytest.mark.parametrize(
    ("terms", "expected"),
    [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_terms_are_joined_as_in_english(terms: list[str], expected: str) -> None:
    assert enumerate_terms(terms) == expected
