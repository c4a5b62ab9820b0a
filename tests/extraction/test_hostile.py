"""Whatever text a file holds, extraction comes to an end, adds up, and what it gives is sound."""

from __future__ import annotations

import sys
import sysconfig
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from c2c_tasks.config import ExtractionOptions
from c2c_tasks.curation.tokens import canonical_digest, canonical_digest_of
from c2c_tasks.extraction.candidates import _examined, hopeless
from c2c_tasks.extraction.names import needed_names
from c2c_tasks.extraction.scan import Scan
from c2c_tasks.records import SourceFile
from c2c_tasks.syntax import parse_module, without_warnings
from tests.extraction.conftest import Extraction

if TYPE_CHECKING:
    import ast

STDLIB = Path(sysconfig.get_path("stdlib"))
REAL = [
    (STDLIB / name).read_text(encoding="utf-8")
    for name in ("colorsys.py", "textwrap.py", "statistics.py", "heapq.py", "dataclasses.py")
]
BEFORE_INLINING = pytest.mark.skipif(
    sys.version_info >= (3, 12),
    reason="the symbol table counts a comprehension's names as the module's (PEP 709)",
)
GOOD = "def good(x):\n    return x + 1\n"


def sound(extraction: Extraction, text: str) -> list[str]:
    """Extract from a text; return the names of its candidates, which can stand alone."""
    functions = extraction.extract(text)
    for function in functions:
        assert canonical_digest(function.program, function.entry_point) == function.function_id
    return [function.entry_point for function in functions]


DEEP = {
    "brackets": "(" * 100_000,
    "closed brackets": "x = " + "(" * 150 + "1" + ")" * 150,
    "lists": "x = " + "[" * 100_000 + "]" * 100_000,
    "minus": "x = " + "-" * 100_000 + "1",
    "not": "x = " + "not " * 100_000 + "1",
    "lambda": "x = " + "lambda: " * 100_000 + "1",
    "attributes": "x = a" + ".b" * 100_000,
    "calls": "x = a" + "()" * 100_000,
    "items": "x = a" + "[0]" * 100_000,
    "sum": "x = " + "1 + " * 100_000 + "1",
    "powers": "x = " + "1 ** " * 100_000 + "1",
    "conditions": "x = " + "a if b else " * 50_000 + "c",
    "elif": "if 0:\n    pass\n" + "elif 0:\n    pass\n" * 30_000,
    "blocks": "".join(" " * n + "if 1:\n" for n in range(99)) + " " * 99 + "pass",
    "f-strings": "x = " + 'f"{' * 140,
    "decorators": "@a\n" * 50_000 + "def f(x):\n    return x",
    "strings": "x = " + '"a" ' * 200_000,
    "digits": "x = " + "1" * 1_000_000,
    "columns": "".join(f"{' ' * (n % 100)}x\n" for n in range(10_000)),
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep_nesting_ends(extraction: Extraction, text: str) -> None:
    began = time.process_time()
    names = sound(extraction, f"{GOOD}\n\n{text}\n")
    assert set(names) <= {"good", "f"}
    assert time.process_time() - began < 20
    (stage,) = (stage for stage in extraction.report.stages if stage.name == "parsed files")
    assert stage.rows_in == 1


@pytest.mark.parametrize("expression", ["x" + " + x" * 700, "x" + ".a" * 900, "-" * 150 + "x"])
@pytest.mark.parametrize("place", ["body", "default", "annotation", "decorator", "constant"])
def test_deep_functions_are_judged(extraction: Extraction, expression: str, place: str) -> None:
    text = {
        "body": f"def f(x):\n    return {expression}\n",
        "default": f"x = 1\ndef f(y=(1 +\n  {expression})):\n    return y\n",
        "annotation": f"def f(x: {expression}):\n    return x\n",
        "decorator": f"x = len\n@({expression})\ndef f(y):\n    return y\n",
        "constant": f"x = 1\nC = {expression}\ndef f(y):\n    return y + C\n",
    }[place]
    assert sound(extraction, text) in ([], ["f"])
    assert extraction.stage("functions").rows_in == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def f(x):\n    print 'x'\n    return x\n", "syntax_error"),
        ("def f(x):\n    exec 'x' in {}\n    return x\n", "syntax_error"),
        ("def f(x):\n    return `x`\n", "syntax_error"),
        ("def f((a, b)):\n    return a\n", "syntax_error"),
        ("def f(x):\n    try: pass\n    except E, e: pass\n    return x\n", "syntax_error"),
        ("def f(x):\n    return '\0'\n", "syntax_error"),
        ("def f(x):\n\tif x:\n        return x\n", "syntax_error"),
        ("def f(x):\n    return '\ud800'\n", "syntax_error"),
    ],
)
def test_what_is_not_python_3(extraction: Extraction, text: str, reason: str) -> None:
    assert sound(extraction, text) == []
    assert extraction.stage("parsed files").dropped == {reason: 1}


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n\treturn x\n",
        "def f(x):\r    return x\r",
        "def f(x):\r\n    return x\r\n",
        "def f(x):\n    s = '''\ndef g():\n'''\n    return s + x\n",
        "def f(\n    x,\n):\n    return x\n",
        "def f(x):\n    return(x)\n",
        "def f(x):\n    return[x]\n",
        "def f(x):\n    return -x\n",
        "def f(x):\n    return \\\n        x\n",
        "def f(x):\n    if x: return x\n    return None\n",
        "def f(x):\n    return None or x\n",
        "def f(x):\n    return None, x\n",
        "def g():\n    pass\ndef f(x):\n    return x\n",
        "def  f (x):\n    return x\n",
    ],
)
def test_the_text_hides_no_candidate(extraction: Extraction, text: str) -> None:
    assert hopeless(text) is None
    assert sound(extraction, text) == ["f"]


def test_no_candidate_of_the_standard_library_is_hidden() -> None:
    """Parsed all the same, files that are given up hold no candidate."""
    given_up = 0
    for path in sorted(STDLIB.glob("*/*.py")):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeError:
            continue
        if hopeless(text) != "no_candidate_shape":
            continue
        file = SourceFile(text, path.name, "", None, "", "")
        try:
            found = list(_examined(file, ExtractionOptions(), canonical_digest_of))
        except SyntaxError:
            continue
        given_up += 1
        assert all(isinstance(item, str) for item in found), path
    assert given_up > 20


@BEFORE_INLINING
def test_needed_names_are_those_of_the_compiler() -> None:
    checked = 0
    for path in sorted(STDLIB.glob("*.py"))[::2]:
        text = path.read_text(encoding="utf-8")
        lines = text.split("\n")

        def text_of(node: ast.stmt, lines: list[str] = lines) -> str:
            decorators = getattr(node, "decorator_list", ())
            first = min([node.lineno, *(item.lineno for item in decorators)])
            return "\n".join(lines[first - 1 : node.end_lineno])

        for statement in parse_module(text).body:
            if statement.col_offset or hasattr(statement, "module"):
                continue
            with without_warnings():
                expected = needed_names(text_of(statement))
            assert Scan(statement, text_of).needed == expected, (path, statement.lineno)
            checked += 1
    assert checked > 1_000


@pytest.mark.parametrize(
    "text",
    [
        "def f(x, x): return x",
        "def f(x):\n nonlocal y\n return x",
        "def f(x):\n from math import *\n return x",
        "def f(x):\n y: (yield) = 1\n return x",
        "def f(x):\n return [(yield) for y in x]",
        "def f(x):\n return [y := z for y in x]",
        "def f(x):\n return super().a + __class__",
        "def f(x):\n global y\n y = 1\n return y",
        "def f(x):\n class A:\n  __a = b\n  def g(self): return __c, x\n return A",
        "def f(x):\n return [y for y in z if (w := y)]",
        "def f(x=lambda a: b + a, *c: d, **e): return x",
        "def f(x):\n def g(): return h\n h = 1\n return g",
        "def f(x):\n try: pass\n except E as e: return e",
        "def f(x):\n match x:\n  case {'a': b, **c}: return b\n  case [*d]: return e",
        pytest.param("X = [a for b in c for d in b]", marks=BEFORE_INLINING),
        pytest.param("X = {a: (lambda e: f + e) for a in X}", marks=BEFORE_INLINING),
        "X += f(lambda: X)",
        "del X[i]",
        "for i in X: Y[i] = i",
    ],
)
def test_rules_of_scope(text: str) -> None:
    (statement,) = parse_module(text).body
    try:
        expected: frozenset[str] | None = needed_names(text)
    except SyntaxError:
        expected = None
    assert Scan(statement, lambda _: text).needed == expected


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A real file of which some pieces were cut, moved, doubled or typed over."""
    text = draw(st.sampled_from(REAL))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 200)))
        place = draw(st.integers(0, len(text)))
        piece = draw(
            st.sampled_from([text[start:end], "", "\n", "\t", "\r", "\f", ";", "\\\n", '"""'])
            | st.text(max_size=6)
        )
        text = text[:place] + piece + text[draw(st.sampled_from([place, end])) :]
    return text


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(text=mutated())
def test_mutated_files(text: str) -> None:
    sound(Extraction(), text)


@settings(max_examples=200)
@given(raw=st.binary(max_size=300))
def test_any_bytes(raw: bytes) -> None:
    sound(Extraction(), GOOD + raw.decode("utf-8", "replace"))
    sound(Extraction(), raw.decode("latin-1") + "\n" + GOOD)
