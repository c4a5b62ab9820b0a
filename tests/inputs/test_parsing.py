"""Inputs are read from whatever form a model's answer has."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.inputs.parsing import MAX_CANDIDATES, Answer, parse_answer
from c2c_tasks.literals import dumps
from c2c_tasks.records import Function, Parameter

AREA = "def area(width, height=1): return width * height"
COUNT = "def count(text, *words, limit=0): return 0"


@pytest.fixture
def area(function_of: Any) -> Function:
    made: Function = function_of(AREA)
    return made


def read(text: str, function: Function) -> list[str]:
    return parse_answer(text, function).arguments


@pytest.mark.parametrize(
    "text",
    [
        "- area(1, 2)\n- area(3)",
        "Inputs: area(1, 2), area(3)",
        "```python\nexamples = [\n    dict(width=1, height=2),\n    dict(width=3),\n]\n```",
        "examples = [dict(width=1, height=2), dict(width=3)]",
        "[{'width': 1, 'height': 2}, {'width': 3}]",
        '```json\n[{"width": 1, "height": 2}, {"width": 3}]\n```',
        "area(1, 2)\narea(3)",
        "area(1, height=2)\narea(width=3)",
        "print(area(1, 2))\nassert area(3) == 3",
        "examples = [(1, 2), (3,)]",
        "examples = []\nexamples.append(dict(width=1, height=2))\nexamples += [dict(width=3)]",
        "w = 1\nexamples = [dict(width=w, height=2)] + [dict(width=w + 2)]",
        "Here you are:\n\n1. `area(1, 2)`: a strip\n2. `area(3)`: the default\n",
        "Sure! dict(width=1, height=2) and then {'width': 3} should do.",
        "~~~\ndict(width=1, height=2)  # a strip\n# and now\ndict(width=3)\n~~~",
        "```python\n[dict(width=1, height=2)]\n```\nand\n```python\n[dict(width=3)]\n```",
        "```python\nexamples = [\n    dict(width=1, height=2),\n    dict(width=3),\n    dict(wid",
        "examples: list[dict] = [dict(width=1, height=2), dict(width=3)]",
        "[\ndict(width=1, height=2),\ndict(width=3),\n]",
        "[\ndict(width=1, height=2),\ndict(width=3),\n",
        ">>> area(1, 2)\n2\n>>> area(\n...     3,\n... )\n3\n",
        "```pycon\n>>> area(1, 2)\n{'width': 9}\n>>> area(3)\n```",
        "* area(1, 2)\n* area(3)",
        "* `area(1, 2)`\n* `dict(width=3)`",
        "1. area(1, 2)\n2. area(3)",
        "[[1, 2], [3]]",
        '{"width": 1, "height": 2}\n{"width": 3}\n',
        '{"inputs": [{"width": 1, "height": 2}, {"width": 3}]}',
        "w, h = 1, 2\nkw = {'width': 1, 'height': 2}\narea(**kw)\narea(*[3])",
        "```python\ndef area(width, height=1):\n    return width * height\n```\n"
        "Inputs: area(1, 2), area(3)",
        "<think>\nSay area(7)?\n</think>\n\n[\ndict(width=1, height=2),\ndict(width=3),\n]",
        "It may be dict(width=9).\n</think>\n```python\n[area(1, 2), area(3)]\n```",
    ],
)
def test_forms_of_answers(text: str, area: Function) -> None:
    assert read(text, area) == ["{'width': 1, 'height': 2}", "{'width': 3}"]


def test_comments_between_and_inside_items(area: Function) -> None:
    text = """\
examples = [
    # dict(width=9): left out
    dict(
        width=1,  # it's one, "so to say" (
    ),
    # don't miss this one:
    dict(width=2),   # -> 2)
    dict(width=[3, ]),
    dict(width=4
"""
    answer = parse_answer(text, area)
    assert answer.arguments == ["{'width': 1}", "{'width': 2}", "{'width': [3]}"]
    assert answer.refused == {"truncated": 1}


def test_brackets_in_texts_do_not_count(area: Function) -> None:
    text = "dict(width=')'), dict(width=\"{\"), dict(width='''\n)'''), dict(width='it\\'s (')"
    assert read(text + "\n dict(", area) == [
        "{'width': ')'}",
        "{'width': '{'}",
        "{'width': '\\n)'}",
        "{'width': \"it's (\"}",
    ]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("dict(width=lambda: 1)", "not_a_literal"),
        ("dict(width=object())", "not_a_literal"),
        ("dict(width=undefined)", "not_a_literal"),
        ("dict(width=[i for i in range(3)])", "not_a_literal"),
        ("dict(width=10**10**10)", "not_a_literal"),
        ("area(__import__('os').getcwd())", "not_a_literal"),
        ("dict(width=1, depth=2)", "unknown_parameter"),
        ("{1: 2}", "unknown_parameter"),
        ("dict(height=2)", "missing_parameter"),
        ("area(1, 2, 3)", "too_many_arguments"),
        ("area(1, width=2)", "wrong_arguments"),
        ("dict(width={float('nan')})", "unrepresentable"),
        ("dict(width=0)", "repeated"),
    ],
)
@pytest.mark.parametrize("form", ["[dict(width=0), {}]", "- dict(width=0)\n- {}"])
def test_items_are_refused_with_a_reason(item: str, reason: str, form: str, area: Function) -> None:
    answer = parse_answer(form.replace("{}", item), area)
    assert answer == Answer(["{'width': 0}"], {reason: 1})


def test_collectors_are_given_by_name(function_of: Any) -> None:
    function = function_of(COUNT)
    assert read("dict(text='a', words=('b', 'c')), count('a', 'b', limit=2)", function) == [
        "{'text': 'a', 'words': ('b', 'c')}",
        "{'text': 'a', 'words': ('b',), 'limit': 2}",
    ]


def test_values_of_json(area: Function) -> None:
    assert read('[{"width": true, "height": null}]', area) == ["{'width': True, 'height': None}"]


def test_other_calls_and_prose_are_no_items(area: Function) -> None:
    text = "import os\nos.system('x')\nvolume(1, 2)\nxs = [1, 2, 3]\nmy_area(1)\n"
    assert parse_answer(text, area) == Answer()
    assert parse_answer("I cannot {help} with that.", area).arguments == []


def test_an_open_brace_in_prose_hides_one_line_at_most(area: Function) -> None:
    answer = parse_answer("A set opens with { in Python.\nNow: dict(width=1)\n", area)
    assert answer == Answer(["{'width': 1}"], {"truncated": 1})


def test_thoughts_without_an_end_are_no_answer(area: Function) -> None:
    text = "<think>\nMaybe dict(width=1)?\n[dict(width=2)]"
    assert parse_answer(text, area) == Answer([], {"truncated": 1})


def test_the_end_of_thoughts_inside_a_text_is_text(area: Function) -> None:
    text = '[\ndict(width="<think>"),\ndict(width="</think>"),\n]'
    assert read(text, area) == ["{'width': '<think>'}", "{'width': '</think>'}"]


def test_a_list_that_calls_use_is_a_value(function_of: Any) -> None:
    function = function_of("def total(rows, start): return start")
    text = "rows = [[1, 2], [3, 4]]\ntotal(rows, 1)\ntotal(rows=rows, start=2)"
    assert parse_answer(text, function) == Answer(
        ["{'rows': [[1, 2], [3, 4]], 'start': 1}", "{'rows': [[1, 2], [3, 4]], 'start': 2}"]
    )


def test_no_answer_has_too_many_items(area: Function) -> None:
    text = "[" + ", ".join(f"dict(width={i})" for i in range(2 * MAX_CANDIDATES)) + "]"
    assert len(read(text, area)) == MAX_CANDIDATES


@pytest.mark.parametrize(
    "text",
    ["{" * 200_000, "dict(" * 40_000, "{\n" * 100_000, "```\n" * 60_000, "'" * 200_000,
     "[dict(width=1)]" + " + [dict(width=1)]" * 8_000, "[" * 5_000 + "dict(width=1)",
     "dict(width=" + "-" * 100_000 + "1)", "{'width': " * 10_000 + "1" + "}" * 10_000,
     "dict(width=" + "9" * 100_000 + ")", "\x00" * 1_000 + "{", "(area" * 40_000],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_answers_gone_wrong_are_read_in_little_time(text: str, area: Function) -> None:
    started = time.process_time()
    parse_answer(text, area)
    assert time.process_time() - started < 5


PIECES = st.sampled_from(
    ["dict(", "{", "}", ")", "(", "[", "]", "area(", "width", "=", ":", "'", '"', "'''", "#",
     "\n", "```", "python\n", ",", "1", "-", "lambda", "**", "*", " ", "\\", "examples", "+",
     "<think>", "</think>", ">>> ", "... ", "- ", "1. ", "`", "**kw", "kw", "true", '"inputs"',
     ".append(", "é", "\x00", "\ud800"]
)  # fmt: skip


@given(st.text() | st.lists(PIECES, max_size=40).map("".join))
def test_arbitrary_text_never_raises(text: str) -> None:
    function = Function(
        function_id="0" * 64, program=AREA, entry_point="area", parameters=[], repository="",
        path="", first_line=1, last_line=1, licence=None, dump="",
        source_sha256="",
    )  # fmt: skip
    parse_answer(text, function)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    | st.sets(st.integers() | st.text(max_size=3), max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(
    rows=st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=4, unique_by=repr),
    form=st.sampled_from(["dict", "display", "call", "named", "unpacked", "tuple", "list"]),
    fenced=st.booleans(),
)
def test_what_is_written_out_reads_back(rows: Any, form: str, fenced: bool) -> None:
    function = Function(
        function_id="0" * 64, program=AREA, entry_point="area",
        parameters=[Parameter(name, "positional_or_keyword") for name in ("width", "height")],
        repository="", path="", first_line=1, last_line=1, licence=None, dump="",
        source_sha256="",
    )  # fmt: skip
    spelled = [(dumps(width), dumps(height)) for width, height in rows]
    template = {
        "dict": "dict(width={}, height={})",
        "display": "{{'width': {}, 'height': {}}}",
        "call": "area({}, {})",
        "named": "area(height={1}, width={0})",
        "unpacked": "area(*[{0}], **{{'height': {1}}})",
        "tuple": "({}, {})",
        "list": "[{}, {}]",
    }[form]
    lines = ",\n".join(template.format(*pair) for pair in spelled)
    bare = f"[{lines}]" if form in ("tuple", "list") else f"These: {lines}"
    text = f"Here:\n```python\n[{lines}]\n```\n" if fenced else bare
    expected = list(dict.fromkeys(dumps({"width": w, "height": h}) for w, h in rows))
    assert parse_answer(text, function).arguments == expected
