"""Any program that parses is written for: without an exception, in little time, always alike."""

from __future__ import annotations

import ast
import os
import random
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.config import InputOptions
from c2c_tasks.inputs.synthesis import SynthesisWriter, refine
from c2c_tasks.literals import dumps, loads
from c2c_tasks.records import Case, Function
from c2c_tasks.shards import StepReport

COMPLAINTS = [
    ("TypeError", "unsupported operand type(s) for +: 'int' and 'str'"),
    ("TypeError", "'int' object is not iterable"),
    ("TypeError", "'set' object is not subscriptable"),
    ("AttributeError", "'list' object has no attribute 'split'"),
    ("KeyError", "'a'"),
    ("IndexError", "list index out of range"),
    ("ZeroDivisionError", "division by zero"),
    ("ValueError", "not enough values to unpack (expected 3, got 1)"),
    ("ValueError", "invalid literal for int() with base 10: 'x'"),
    ("ValueError", "substring not found"),
    ("RecursionError", "maximum recursion depth exceeded"),
]


def write(function: Function) -> list[str]:
    report = StepReport("write_inputs", "memory:")
    rows = list(SynthesisWriter(InputOptions()).write([function], report))
    return rows[0].arguments if rows else []


def invented(function: Function, rows: list[str]) -> list[Case]:
    """Cases as the function might have had, drawn by its own text."""
    rng = random.Random(function.program)
    lines = range(1, function.program.count("\n") + 2)
    cases = []
    for row in rows:
        covered = sorted(rng.sample(lines, rng.randint(0, len(lines))))
        kind, message = rng.choice(COMPLAINTS)
        match rng.randrange(3):
            case 0:
                output = str(rng.randint(0, 3))
                case = Case(arguments=row, outcome="returned", output=output)
            case 1:
                case = Case(
                    arguments=row,
                    outcome="raised",
                    exception_type=kind,
                    exception_message=message,
                    covered_lines=covered,
                )
            case _:
                case = Case(arguments=row, outcome="timed_out", covered_lines=covered)
        cases.append(case)
    return cases


def written_and_refined(function: Function) -> list[str]:
    rows = write(function)
    return rows + refine(function, invented(function, rows or [dumps({})]))


def standard_library(function_of: Any, count: int) -> Iterator[Function]:
    """Functions and methods of the standard library, as programs of their own."""
    root = Path(sysconfig.get_path("stdlib"))
    paths = sorted(root.glob("*.py")) + sorted(root.glob("test/test_[a-e]*.py"))
    random.Random(7).shuffle(paths)
    found = 0
    for path in paths:
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                node.decorator_list = []
                yield function_of(ast.unparse(node))
                found += 1
                if found == count:
                    return


def test_functions_of_the_standard_library(function_of: Any) -> None:
    count = written = 0
    for function in standard_library(function_of, 1_000):
        started = time.process_time()
        rows = written_and_refined(function)
        assert time.process_time() - started < 2, function.program
        assert len(rows) == len(set(rows))
        for row in rows:
            assert dumps(loads(row)) == row
        count += 1
        written += bool(rows)
    assert count == 1_000
    assert written > 600


DIGEST = """
import hashlib, importlib.util, json, sys
def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
common = load("common", sys.argv[1])
this = load("this", sys.argv[2])
function_of = common.function_of.__wrapped__()
digest = hashlib.sha256()
for function in this.standard_library(function_of, 300):
    digest.update(json.dumps(this.written_and_refined(function)).encode())
sets = "def f(x, y):\\n    for i in {'a', 'b', 'c'}:\\n        if x in {'d', 'e'} or i == x:\\n" \\
    "            return sorted({*y})\\n    return y in {('p', 1), frozenset({'q', 'r'})}\\n"
function = function_of(sets)
rows = this.write(function) + ["{'x': {'k', 'l', 'm'}, 'y': [{'s', 't', 'u'}]}"]
digest.update(json.dumps(rows + this.refine(function, this.invented(function, rows))).encode())
print(digest.hexdigest())
"""


def test_the_same_rows_in_every_process() -> None:
    here = Path(__file__).resolve()
    paths = [str(here.parent.parent / "conftest.py"), str(here)]
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST, *paths],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(here.parents[3])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
    assert len(digests.pop()) == 65


NESTED_LAMBDAS = "sorted(x, key=lambda x: " * 80 + "x" + ")" * 80
PROGRAMS = {
    "sum of a thousand terms": "def f(x):\n    return " + " + ".join(["x"] * 1_500),
    "a thousand subscripts": "def f(x):\n    return x" + "[0]" * 900,
    "a chain of two thousand names": "def f(x):\n" + "    x = x[0]\n" * 2_000 + "    return x",
    "a thousand branches": "def f(x):\n    if x == 0: return 0\n"
    + "".join(f"    elif x == {i}: return {i}\n" for i in range(1, 900)),
    "a thousand tests": "def f(x):\n"
    + "".join(f"    if x == {i}: x += {i}\n" for i in range(900))
    + "    return x",
    "lambdas in lambdas": f"def f(x):\n    return {NESTED_LAMBDAS}",
    "calls of nothing": "def f(x):\n    for i in range(): next(); max(); sum(); zip(); int()\n"
    "    return frozenset(), iter(), reversed(), sorted(), x.pop(), x.split(), x.get()",
    "a text split into itself": "def f(x):\n    while x:\n        y = x.split(',')[0]\n"
    "        z = y.split(';')[0]\n        if z == x: return z\n",
    "large cubes": "def f(x):\n    return x[50][50][50] + x[0][0][0] + len(x[40])",
    "keys of keys": "def f(x):\n    while x:\n"
    + "".join(f"        x['k{i}'] = x\n        x = x['k{i}']\n" for i in range(300)),
    "definitions that double": "def f(x):\n    a0 = x\n"
    + "".join(f"    a{i + 1} = a{i} + a{i}\n" for i in range(40))
    + "    if a40 == 5: return 1\n    return 0",
    "a pattern that explodes": "import re\ndef f(x):\n"
    "    return re.match(r'(((((((a{30}){30}){30}){30}){30}){30}){30}){30}', x)",
    "patterns that are none": "import re\ndef f(x):\n    return re.match('(', x), re.sub('[', x)",
    "numbers out of range": "def f(x):\n"
    "    if x == 10**400 or x > 1e308 * 10 or x / 1e-308 == 3:\n"
    "        return round(x, -10**9)\n    return x << 10**9, x == -float('nan')",
    "every statement": "async def f(x, /, *y, z, **w):\n    global g\n"
    "    async for i in x: await i\n"
    "    async with x as q: yield q\n    try: del x[0], x\n    except* ValueError: raise\n"
    "    match y:\n        case [1, *_] | {'a': 2, **r} | int(3) | None: pass\n"
    "    class C: pass\n    x: int\n    x[0]: int = y\n    a = b = [*x, *y]\n    x @= (yield)\n"
    "    assert x, y\n    return\n",
    "names": f"def f({'n' * 5_000}s, é, _):\n    return é\n",
    "surrogates": "def f(x: bytes):\n    return x == '\\ud800' or x.split('\\udfff')",
    "sets of sets": "def f(x):\n"
    "    return x in {frozenset({1}), frozenset({'a'})} or x == {1, 'b'}",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_meant_to_hurt(name: str, function_of: Any) -> None:
    function = function_of(PROGRAMS[name])
    started = time.process_time()
    for row in written_and_refined(function):
        loads(row)
    assert time.process_time() - started < 5


def test_what_was_written_before_does_not_matter(function_of: Any) -> None:
    functions = list(standard_library(function_of, 40))
    first = [write(function) for function in functions]
    assert [write(function) for function in reversed(functions)] == first[::-1]
