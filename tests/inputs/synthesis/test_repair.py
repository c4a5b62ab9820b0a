"""One exception is enough to come to arguments that do not raise it."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from c2c_tasks.inputs.synthesis.complaints import Complaint, complaints
from c2c_tasks.inputs.synthesis.repair import mended
from c2c_tasks.literals import dumps, loads
from c2c_tasks.records import Case


@pytest.mark.parametrize(
    ("body", "row"),
    [
        ("x + 1", "{'x': 'a'}"),
        ("x.upper()", "{'x': 3}"),
        ("len(x)", "{'x': 5}"),
        ("[i * 2.5 for i in x]", "{'x': [[1], [2]]}"),
        ("x['key'] + 1", "{'x': {}}"),
        ("x['a']['b']", "{'x': {'a': {}}}"),
        ("x[6]", "{'x': [1, 2]}"),
        ("[a for a, b, c in [x]]", "{'x': [1, 2]}"),
        ("int(x)", "{'x': 'word'}"),
        ("100 // x", "{'x': 0}"),
        ("sum(x) / len(x)", "{'x': []}"),
        ("max(x)", "{'x': []}"),
        ("{x: 1}", "{'x': [1]}"),
        ("''.join(x)", "{'x': [1, 2]}"),
        ("abs(x)", "{'x': 'ab'}"),
        ("'abc'[x]", "{'x': 'a'}"),
        ("x.index('q')", "{'x': 'abc'}"),
        ("[].insert(x, 1)", "{'x': 1.5}"),
        ("ord(x)", "{'x': 5}"),
        ("__import__('math').sqrt(x)", "{'x': -4}"),
        ("__import__('re').sub('a', 'b', x)", "{'x': [1]}"),
        ("sorted(x)", "{'x': [1, 'a', 2]}"),
        ("f'{x:.2f}'", "{'x': 'a'}"),
        ("f(x - 1) if x else x", "{'x': -1}"),
        ("x[0][0]", "{'x': 5}"),
    ],
)
def test_some_mended_row_returns(body: str, row: str, function_of: Any, run_case: Any) -> None:
    function = function_of(f"def f(x):\n    return {body}\n")
    case = run_case(function, row)
    assert case.outcome == "raised"
    rows = [dumps(arguments) for arguments in islice(mended(case, loads(row)), 12)]
    assert "returned" in {run_case(function, text).outcome for text in rows}


def test_what_a_message_complains_of() -> None:
    def read(message: str) -> list[Complaint]:
        return complaints(Case(arguments="{}", outcome="raised", exception_message=message))

    assert read("unsupported operand type(s) for +: 'int' and 'str'") == [
        Complaint("int", ("str",)),
        Complaint("str", ("int",)),
    ]
    assert read("'NoneType' object is not iterable") == [Complaint("none", ("list", "str", "dict"))]
    assert read("'int' object has no attribute 'items'") == [Complaint("int", ("dict",))]
    assert read("'Tree' object is not iterable") == []
    assert read("something else") == []


def test_a_mended_row_leaves_the_other_parameters_alone(function_of: Any, run_case: Any) -> None:
    function = function_of("def f(x, y):\n    return x.upper() * len(y)\n")
    arguments = {"x": 1, "y": [1]}
    case = run_case(function, dumps(arguments))
    rows = list(mended(case, arguments))
    assert any(isinstance(row["x"], str) and row["y"] == [1] for row in rows)
    assert arguments == {"x": 1, "y": [1]}
