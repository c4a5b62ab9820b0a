"""How many outputs a function can have: a bound, where its returns tell one."""

from __future__ import annotations

import ast
import math

import pytest

from c2c_tasks.inputs.synthesis.range_of_outputs import most_outputs


def bound(program: str) -> float:
    entry = ast.parse(program).body[0]
    assert isinstance(entry, ast.FunctionDef)
    return most_outputs(entry)


@pytest.mark.parametrize(
    ("body", "most"),
    [
        ("return x > 1", 2),
        ("return not x", 2),
        ("return isinstance(x, int) and all(x)", 2),
        ("return x.startswith('a') or x.isdigit()", 2),
        ("return 1 if x else 'a'", 2),
        ("return", 1),
        ("print(x)", 1),
        ("return print(x)", 1),
        ("if x: return 1\n    return 1", 1),
        ("if x: return 1", 2),
        ("if x: return 1\n    else: return 2", 2),
        ("if x: return 1\n    elif x is None: return 2\n    else: raise KeyError", 2),
        ("for i in x:\n        return True", 2),
        ("try: return x > 1\n    except TypeError: return None", 3),
        ("found = False\n    for i in x:\n        if i: found = True\n    return found", 2),
        ("with x: return -5", 1),
        ("return (1, 2)", 1),
        ("return x > 1\n    def g(): return x", 3),
    ],
)
def test_constants_and_truth_values_are_counted(body: str, most: int) -> None:
    assert bound(f"def f(x):\n    {body}\n") == most


@pytest.mark.parametrize(
    "body",
    [
        "return x",
        "return x or 1",
        "return x + 1",
        "return any",
        "return x and x.alive",
        "x = 1 if x else x\n    return x",
        "x = 1\n    return x",  # as narrow as it is, the name is a parameter's
        "n = 0\n    n += x\n    return n",
        "n = 0\n    for n in x: pass\n    return n",
        "n = 0\n    def g():\n        nonlocal n\n        n = x\n    g()\n    return n",
        "n = 0\n    with x as n: pass\n    return n",
        "n, m = x\n    return n",
        "n = m = x\n    return n",
        "a = []\n    a.append(x)\n    return a",
        "return [1]",
        "yield 1",
        "def isinstance(a, b): return a\n    return isinstance(x, 1)",
        "(n := x)\n    return n",
    ],
)
def test_what_may_be_anything_has_no_bound(body: str) -> None:
    assert bound(f"def f(x):\n    {body}\n") == math.inf
