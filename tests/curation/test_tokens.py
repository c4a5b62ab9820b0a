from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from c2c_tasks.curation.tokens import canonical_digest, shingles, top_level_functions

ORIGINAL = """
import math

SCALE = 10

def _half(value):
    return value / 2

def area(width, height, *, rounded=False):
    total = width * height
    for step in range(3):
        total += math.sqrt(_half(step)) * SCALE
    return round(total) if rounded else total
"""

RENAMED = '''
import math as m

K = 10

def h(v: float) -> float:
    """Halve."""
    return v / 2

def surface(a: float, b: float, *, whole: bool = False) -> float:
    """Return the surface.

    At length.
    """
    t = a * b  # not rounded yet
    for i in range(3):
        t += (m.sqrt(h(i)) *
              K)
    return round(t) if whole else t
'''


def test_names_layout_docstrings_and_annotations_do_not_count() -> None:
    assert shingles(ORIGINAL, "area") == shingles(RENAMED, "surface")
    assert canonical_digest(ORIGINAL, "area") == canonical_digest(RENAMED, "surface")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(a, b): return a - b", "def f(a, b): return b - a"),
        ("def f(a): return a + 1", "def f(a): return a + 2"),
        ("def f(a): return a + 1", "def f(a): return a + 1.0"),
        ("def f(a): return a.lower()", "def f(a): return a.upper()"),
        ("def f(a): return min(a)", "def f(a): return max(a)"),
        (
            "from math import sin\ndef f(a): return sin(a)",
            "from math import cos as sin\ndef f(a): return sin(a)",
        ),
        ("def f(a):\n if a: a = 1\n return a", "def f(a):\n if a:\n  a = 1\n  return a"),
        ("def f(a): return f'{a!r}'", "def f(a): return f'{a!s}'"),
        ("def f(a, n): return a[:n]", "def f(a, n): return a[n:]"),
        ("def f(a, b): return min(max(a, b), 1)", "def f(a, b): return min(max(a, b, 1))"),
        ("def f(a): return [[a], 1]", "def f(a): return [[a, 1]]"),
        ("def f(a, *b): return b", "def f(a, b): return b"),
        ("def f(a, *, b): return b", "def f(a, b): return b"),
        (
            "def f(a):\n for b in a:\n  a = b\n return a",
            "def f(a):\n for b in a:\n  a = b\n  return a",
        ),
    ],
)
def test_what_behaves_otherwise_is_told_apart(one: str, other: str) -> None:
    assert canonical_digest(one, "f") != canonical_digest(other, "f")
    assert shingles(one, "f") != shingles(other, "f")


def test_helpers_are_told_apart() -> None:
    helpers = "def g(a): return -a\ndef h(a): return a * a\n"
    one, other = (f"{helpers}def f(a): return {text}" for text in ("g(h(a))", "h(g(a))"))
    assert canonical_digest(one, "f") != canonical_digest(other, "f")


def test_entry_points_of_one_program_are_told_apart() -> None:
    program = "def even(n): return n == 0 or odd(n - 1)\ndef odd(n): return n and even(n - 1)"
    assert canonical_digest(program, "even") != canonical_digest(program, "odd")
    renamed = program.replace("even", "a").replace("odd", "b")
    assert canonical_digest(program, "odd") == canonical_digest(renamed, "b")


def test_a_statement_put_in_leaves_most_shingles_alone() -> None:
    inserted = ORIGINAL.replace("    for step", "    extra = [width]\n    for step")
    before, after = shingles(ORIGINAL, "area"), shingles(inserted, "area")
    assert before != after
    assert len(before - after) <= 4


def test_programs_too_deep_for_recursion_are_read() -> None:
    program = f"def f(x):\n    return {' + '.join(['x'] * 2_000)}\n"
    assert " ".join(["BinOp.left.op.right"] * 5) in shingles(program, "f")


def test_every_syntax_of_the_standard_library_is_read() -> None:
    folder = Path(sysconfig.get_path("stdlib"))
    for name in ("argparse", "ast", "dataclasses", "functools", "inspect", "typing"):
        program = (folder / f"{name}.py").read_text(encoding="utf-8")
        assert len(shingles(program, "none")) > 500


def test_gaps_in_the_tree_are_told_apart() -> None:
    one = "def f(a, *, b, c=1): return {**a, 'b': b}"
    other = "def f(a, *, b=1, c): return {**a, 'b': b}"
    assert canonical_digest(one, "f") != canonical_digest(other, "f")


def test_integers_past_the_digit_limit_are_read() -> None:
    program = f"def f(x):\n    return x + 0x{'f' * 6_000}\n"
    assert any("f" * 6_000 in shingle for shingle in shingles(program, "f"))


@pytest.mark.parametrize("program", ["def f(:", "x = '\0'", "return " + "(" * 5_000])
def test_what_cannot_be_parsed_is_a_syntax_error(program: str) -> None:
    with pytest.raises(SyntaxError):
        shingles(program, "f")


def test_top_level_functions_are_cut_out_whole() -> None:
    found = top_level_functions("import os\n\ndef f(x):\n    return x\n\nasync def g(): pass\n")
    assert found == {"f": "def f(x):\n    return x", "g": "async def g(): pass"}
