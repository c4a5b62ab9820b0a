"""Rounds of refinement: exceptions are mended, and lines that did not run are reached."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from c2c_tasks.inputs.synthesis import refine
from c2c_tasks.literals import loads
from c2c_tasks.records import Case


def rounds(function: Any, run_case: Any, *rows: str, count: int = 3) -> list[Case]:
    """The cases of some rows, and of what refinement makes of them."""
    cases = [run_case(function, row) for row in rows]
    for _ in range(count):
        cases += [run_case(function, row) for row in refine(function, cases)]
    return cases


def lines_of(cases: list[Case]) -> set[int]:
    return {line for case in cases for line in case.covered_lines}


@pytest.mark.parametrize(
    ("body", "row"),
    [
        ("return x + 1", "{'x': 'a'}"),
        ("return x.upper()", "{'x': 3}"),
        ("return len(x) * 2", "{'x': 5}"),
        ("return [i * 2.5 for i in x]", "{'x': [[1], [2]]}"),
        ("return x['key'] + 1", "{'x': {}}"),
        ("return x[10]", "{'x': [1, 2]}"),
        ("a, b, c = x\n    return a, c", "{'x': [1, 2]}"),
        ("return int(x) + 1", "{'x': 'word'}"),
        ("return 100 // x", "{'x': 0}"),
        ("return max(x)", "{'x': []}"),
        ("return {x: 1}", "{'x': [1]}"),
        ("return ''.join(x)", "{'x': [1, 2]}"),
        ("return x ** 0.5 < 2", "{'x': 'ab'}"),
        ("return 'abc'[x]", "{'x': 'a'}"),
        ("return x.index('q')", "{'x': 'abc'}"),
        ("return b'z' in x", "{'x': 'abc'}"),
        ("return re.search(b'z', x) is None", "{'x': 'abc'}"),
        ("return unicodedata.category(x)", "{'x': 'abc'}"),
        ("assert x == 'strict'\n    return x", "{'x': 'abc'}"),
    ],
)
def test_exceptions_are_mended(body: str, row: str, function_of: Any, run_case: Any) -> None:
    """One input that fails is enough to come to some that do not."""
    function = function_of(f"import re, unicodedata\ndef f(x):\n    {body}\n", "f")
    cases = rounds(function, run_case, row, count=2)
    assert cases[0].outcome == "raised"
    returned = sum(case.outcome == "returned" for case in cases)
    assert returned >= (1 if "strict" in body else 5)


@pytest.mark.parametrize(
    "condition",
    [
        "x == 48_611",
        "x > 31_337",
        "x % 997 == 13",
        "x * 3 + 1 == 3_001",
        "x // 7 == 123",
        "-x == 4_242",
        "not x < 77_777",
        "10_000 < x < 10_003",
        "x in (8_191, 8_192)",
        "abs(x) == 5_555",
        "y == 'open sesame'",
        "y.startswith('zq_')",
        "y.strip().lower() == 'quit now'",
        "len(y) == 37",
        "y[0] == '%' and y[-1] == '%'",
        "'#!' in y",
        "y.isspace()",
        "y.count('@') == 3",
        "z['mode'] == 'fast'",
        "z.get('retries', 0) > 5_000",
        "'missing' not in z and z.get('deep') == 7_007",
        "x == 9_119 and y == 'both'",
        "x == 9_119 or y == 'either'",
        "isinstance(x, str)",
        "y.split('|')[0] == 'head'",
        "y[4:7] == 'mid'",
        "y[2:] == 'end'",
        "x == LIMIT",
    ],
)
def test_conditions_are_steered_to(condition: str, function_of: Any, run_case: Any) -> None:
    """No random value meets these: the condition must be worked backwards."""
    program = f"""\
LIMIT = 86_420

def f(x, y, z):
    if {condition}:
        return "reached"
    return x, y, z
"""
    row = "{'x': 1, 'y': 'a', 'z': {'a': 1}}"
    cases = rounds(function_of(program), run_case, row)
    assert 4 in lines_of(cases[:1])
    assert 5 not in lines_of(cases[:1])
    assert any(case.output == "'reached'" for case in cases)


@pytest.mark.parametrize(
    "body",
    [
        "for item in x:\n        if item == 31_007:\n            return 'reached'",
        "for i, word in enumerate(x):\n        if word == 'needle':\n            return 'reached'",
        "for k, v in x.items():\n        if v == 60_601:\n            return 'reached'",
        "total = sum(x)\n    if total == 12_321:\n        return 'reached'",
        "size = len(x)\n    if size >= 50:\n        return 'reached'",
        "try:\n        return int(x)\n    except ValueError:\n        return 'reached'",
        "n = x + 1\n    m = n * 2\n    if m == 80_806:\n        return 'reached'",
        "if x == 70_001:\n        pass\n    elif x == 70_002:\n        return 'reached'",
        "if x > 5_000:\n        if x < 5_003:\n            return 'reached'",
        "assert x > 5_000\n    if x < 5_003:\n        return 'reached'",
        "while x > 90_000:\n        return 'reached'",
    ],
)
def test_paths_through_loops_names_and_handlers(body: str, function_of: Any, run_case: Any) -> None:
    start = {"x.items": "{'x': {'a': 1}}", "in x:": "{'x': [1]}", "(x):": "{'x': [1, 2]}"}
    sequence = any(mark in body for mark in ("in x:", "enumerate(x)", "sum(x)", "len(x)"))
    row = start["x.items"] if "x.items" in body else start["in x:"] if sequence else "{'x': 1}"
    cases = rounds(function_of(f"def f(x):\n    {body}\n    return x\n"), run_case, row)
    assert cases[0].output != "'reached'"
    assert any(case.output == "'reached'" for case in cases)


@pytest.mark.parametrize(
    ("body", "row"),
    [
        ("if not x:\n        return x\n    return x.no_such_attribute", "{'x': 1}"),
        ("return x and x.alive", "{'x': [1]}"),
        ("return len({type(i) for i in x})", "{'x': [1, 2]}"),
        ("return 1 + (max(map(f, x.values())) if x else 0) if isinstance(x, dict) else 0",
         "{'x': {'a': 1}}"),
    ],
)  # fmt: skip
def test_few_outputs_call_for_values_of_other_kinds(
    body: str, row: str, function_of: Any, run_case: Any
) -> None:
    cases = rounds(function_of(f"def f(x):\n    {body}\n"), run_case, row, count=5)
    assert len({case.output for case in cases if case.outcome == "returned"}) >= 3


@pytest.mark.parametrize(
    "body",
    [
        "return sum(a == b == c for a, b, c in zip(x, y, z))",
        "return [a for a, b in zip(x, y) if a == b and a in z]",
    ],
)
def test_few_outputs_call_for_values_that_meet(body: str, function_of: Any, run_case: Any) -> None:
    row = "{'x': [5, 2, 9], 'y': [3, 31], 'z': [44, 1]}"
    cases = rounds(function_of(f"def f(x, y, z):\n    {body}\n"), run_case, row, count=6)
    assert len({case.output for case in cases if case.outcome == "returned"}) >= 3


def test_inputs_of_another_writer_are_kept_to(function_of: Any, run_case: Any) -> None:
    """As a second stage, refinement changes what it is given, and most of it returns."""
    function = function_of("def f(x, y):\n    return x['unit'].lower() * y['times']\n")
    rows = [f"{{'x': {{'unit': 'm{n}'}}, 'y': {{'times': 2}}}}" for n in range(5)]
    cases = rounds(function, run_case, *rows, "{'x': {}, 'y': {'times': 2}}", count=2)
    new = cases[6:]
    assert sum(case.outcome == "returned" for case in new) >= 0.6 * len(new) > 5


def test_enough_is_enough(function_of: Any, run_case: Any) -> None:
    function = function_of("def f(x):\n    return x * 2\n")
    cases = [run_case(function, f"{{'x': {i}}}") for i in range(12)]
    assert refine(function, cases) == []
    assert refine(function, cases[:11]) != []
    uncovered = [replace(case, covered_lines=[1]) for case in cases]
    assert refine(function, uncovered) != []
    same = [replace(case, output="1") for case in cases]
    assert refine(function, same) != []


def test_rows_are_new_and_bounded(function_of: Any, run_case: Any) -> None:
    function = function_of("def f(x, y=2):\n    return x + y\n")
    cases = [run_case(function, "{'x': 1}"), run_case(function, "{'x': 'a'}")]
    rows = refine(function, cases, limit=7)
    assert 0 < len(rows) <= 7
    assert len({*rows, "{'x': 1}", "{'x': 'a'}"}) == len(rows) + 2
    assert all("x" in loads(row) for row in rows)


def test_a_kind_that_works_is_kept_in_spite_of_others_that_fail(
    function_of: Any, run_case: Any
) -> None:
    function = function_of("def f(x, y):\n    return x[y] + 1\n")
    good = ["{'x': [1, 2, 3], 'y': 0}", "{'x': [4, 5], 'y': 1}"]
    cases = rounds(function, run_case, *good, "{'x': 'ab', 'y': 0}", count=1)
    assert sum(case.outcome == "returned" for case in cases[3:]) >= len(cases[3:]) / 2


def test_nothing_is_known_where_the_program_cannot_be_read(function_of: Any) -> None:
    function = replace(function_of("def f(x): return x"), program="def f(x:")
    assert refine(function, [Case(arguments="{'x': 1}", outcome="killed")]) == []


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("ValueError", "not enough values to unpack (expected 999999999999, got 1)"),
        ("ValueError", "too many values to unpack (expected " + "9" * 5_000 + ")"),
        ("KeyError", "[1, 2]"),
        ("KeyError", "'" + "(" * 300),
        ("KeyError", "{float('nan')}"),
        ("TypeError", "must be real number, not str"),
        ("TypeError", "unhashable type: 'list'"),
        ("TypeError", "'int' object is not iterable"),
        ("TypeError", "'frozenset' object is not subscriptable"),
        ("AttributeError", "'tuple' object has no attribute 'split'"),
        ("OverflowError", "int too large to convert to float"),
        ("IndexError", ""),
        (None, None),
    ],
)
def test_messages_of_hostile_exceptions(
    kind: str | None, message: str | None, function_of: Any
) -> None:
    """The text of an exception is the function's own: it may say anything."""
    function = function_of("def f(x, y):\n    return x\n")
    rows = [
        "{'x': 1" + "0" * 400 + ", 'y': {(1, 'a'), frozenset({2})}}",
        "{'x': [(1, [2])], 'y': {1: {2: {3: 4}}}}",
        "{'x': {'a', b'c', 1.5}, 'y': '\\ud800'}",
    ]
    cases = [
        Case(arguments=row, outcome="raised", exception_type=kind, exception_message=message)
        for row in rows
    ]
    for row in refine(function, cases):
        loads(row)
