"""Programs: the function after all that it needs, and nothing else."""

from __future__ import annotations

import ast
import builtins
import symtable
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.extraction.conftest import Extraction


def test_what_is_needed_comes_along_and_nothing_else(extraction: Extraction) -> None:
    program = extraction.program(
        '''
        """A module."""
        import re, sys
        from math import (  # two
            ceil,
            floor,
            pi,
        )
        UNUSED = 1
        WIDTH = 80  # characters
        NAMES = {
            # a comment inside
            "one": 1,
        }
        def unused(x):
            return sys.argv
        class Box:
            """Holds."""
            size = WIDTH
        def helper(x):
            return Box.size + ceil(x)
        def f(x):
            return re.sub("a", "b", x), helper(1), floor(2), NAMES
        '''
    )
    assert program == dedent(
        '''\
        import re
        from math import ceil, floor

        WIDTH = 80  # characters
        NAMES = {
            # a comment inside
            "one": 1,
        }


        class Box:
            """Holds."""
            size = WIDTH


        def helper(x):
            return Box.size + ceil(x)


        def f(x):
            return re.sub("a", "b", x), helper(1), floor(2), NAMES
        '''
    )


@pytest.mark.parametrize(
    "imports",
    [
        "import urllib.parse\nimport urllib.request\n",
        "import urllib.request\nimport urllib.parse\nimport urllib\n",
        "import urllib.parse, urllib.request\n",
    ],
)
def test_parts_of_a_package_are_imported_as_needed(extraction: Extraction, imports: str) -> None:
    (function,) = extraction.extract(f"{imports}def f(x):\n    return urllib.parse.quote(x)\n")
    assert "import urllib.parse\n" in function.program
    assert "request" not in function.program
    scope: dict[str, Any] = {}
    exec(function.program, scope)
    assert scope["f"]("a b") == "a%20b"


def test_recursion_and_mutual_recursion(extraction: Extraction) -> None:
    text = "def even(n):\n    return n == 0 or odd(n - 1)\n\n\n"
    text += "def odd(n):\n    return n != 0 and even(n - 1)\n"
    even, odd = extraction.extract(text)
    assert even.program == odd.program == text
    assert even.function_id != odd.function_id


def test_decorators_and_defaults_are_needed_too(extraction: Extraction) -> None:
    text = (
        "from functools import lru_cache\n\nSIZE = 3\nBASE = 2\n\n\n"
        "@lru_cache(maxsize=SIZE)\ndef f(x, base=BASE):\n    return x ** base\n"
    )
    assert extraction.extract(text)[0].program == text


def test_a_table_that_is_filled_at_import_comes_with_its_filling(extraction: Extraction) -> None:
    program = extraction.program(
        """
        TABLE = {}
        for i in range(3):
            TABLE[i] = i * i
        TABLE.update({9: 81})
        OTHER = [i]
        def f(x):
            return TABLE[x]
        """
    )
    scope: dict[str, object] = {}
    exec(program, scope)
    assert scope["TABLE"] == {0: 0, 1: 1, 2: 4, 9: 81}
    assert "OTHER" not in scope


def test_the_last_binding_counts(extraction: Extraction) -> None:
    program = extraction.program(
        """
        LIMIT = open("x")
        LIMIT = 3
        LIMIT = LIMIT + 1
        def f(x):
            return x + LIMIT
        """
    )
    assert program == "LIMIT = 3\nLIMIT = LIMIT + 1\n\n\ndef f(x):\n    return x + LIMIT\n"


def test_an_accelerated_twin_is_left_out(extraction: Extraction) -> None:
    text = "def f(x):\n    return x * 2\n"
    twin = "\n\ntry:\n    from _speedups import f\nexcept ImportError:\n    pass\n"
    assert extraction.extract(text + twin)[0].program == text


def test_a_choice_at_import_comes_whole(extraction: Extraction) -> None:
    text = (
        "try:\n    from math import gcd\nexcept ImportError:\n    gcd = None\n\n\n"
        "def f(x):\n    return gcd(x, 6)\n"
    )
    assert extraction.extract(text)[0].program == text


def test_statements_that_share_a_line_are_told_apart(extraction: Extraction) -> None:
    program = extraction.program("É = 'é'; B = 2; C = 3\ndef f(x):\n    return B + x; 'é;'\n")
    assert program == "B = 2\n\n\ndef f(x):\n    return B + x; 'é;'\n"


@pytest.mark.parametrize("name", ["FALSE", "helper", "Box"])
def test_what_is_needed_must_be_pure_as_well(extraction: Extraction, name: str) -> None:
    text = (
        "import random\nFALSE = random.random()\ndef helper(x):\n    print(x)\n"
        "class Box:\n    size = input()\n"
        f"def f(x):\n    return {name}, x\n"
    )
    before = dict(extraction.stage("functions").dropped)
    assert extraction.extract(text) == []
    dropped = extraction.stage("functions").dropped
    assert dropped != before
    assert set(dropped) <= {"impure_module", "performs_io", "returns_no_value"}


def test_annotations_that_resolve_keep_their_imports(extraction: Extraction) -> None:
    text = (
        "from typing import List\n\nVector = List[float]\n\n\n"
        "def f(x: Vector, y: int | None = None) -> Vector:\n    return x\n"
    )
    assert extraction.extract(text)[0].program == text


def test_annotations_that_do_not_resolve_stay_text(extraction: Extraction) -> None:
    function = "def f(x: np.ndarray) -> Unknown:\n    y: Other = x\n    return y\n"
    (found,) = extraction.extract(f"import numpy as np\n{function}")
    assert found.program == f"from __future__ import annotations\n\n\n{function}"
    exec(found.program, {})


@pytest.mark.parametrize(("annotation", "kept"), [("list[int]", False), ("Node", True)])
def test_postponed_annotations_stay_so_where_it_matters(
    extraction: Extraction, annotation: str, kept: bool
) -> None:
    (found,) = extraction.extract(
        "from __future__ import annotations\n"
        f"def f(x: {annotation}):\n    return x\n"
        "class Node:\n    pass\n"
    )
    assert found.program.startswith("from __future__ import annotations\n") is kept
    exec(found.program, {})


def test_programs_of_the_standard_library_stand_alone(extraction: Extraction) -> None:
    root = Path(sysconfig.get_path("stdlib"))
    functions = [
        function
        for path in sorted(root.glob("*.py"))
        for function in extraction.extract(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert len(functions) > 300
    for function in functions:
        unbound = set(_unbound(function.program))
        assert not unbound, (function.entry_point, unbound, function.program)
        tree = ast.parse(function.program)
        last = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        assert function.entry_point in {node.name for node in last}


def _unbound(program: str) -> Iterator[str]:
    """Yield the names that a program reads and binds nowhere; annotations may be text."""
    text = program
    if not text.startswith("from __future__"):
        text = f"from __future__ import annotations\n{program}"
    module = symtable.symtable(text, "<program>", "exec")
    bound = {s.get_name() for s in module.get_symbols() if s.is_assigned() or s.is_imported()}
    scopes = [module]
    while scopes:
        scope = scopes.pop()
        scopes.extend(scope.get_children())
        for symbol in scope.get_symbols():
            free = symbol.is_referenced() if scope is module else symbol.is_global()
            if free and symbol.get_name() not in bound and not hasattr(builtins, symbol.get_name()):
                yield symbol.get_name()
