"""Which functions become candidates, what is kept of them, and that every other one is counted."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.records import Parameter

if TYPE_CHECKING:
    from tests.extraction.conftest import Extraction

STDLIB = Path(sysconfig.get_path("stdlib"))
SOURCES = [
    (STDLIB / name).read_text(encoding="utf-8")
    for name in ("textwrap.py", "statistics.py", "locale.py", "colorsys.py", "ntpath.py")
]


def test_a_function_keeps_its_text_and_says_where_it_is_from(extraction: Extraction) -> None:
    text = (
        "# A banner.\n\n\n"
        "def scale(values, *, by=2.5):  # by a factor\n"
        '    """Multiply."""\n'
        "\n"
        "    # one by one\n"
        "    return [ value*by for value in values ]\n"
    )
    (function,) = extraction.extract(text)
    assert function.program == text.partition("\n\n\n")[2]
    assert function.entry_point == "scale"
    assert (function.first_line, function.last_line) == (4, 8)
    assert (function.repository, function.path) == ("owner/name", "package/module.py")
    assert (function.licence, function.dump) == ("MIT", "file:///dump.jsonl")


def test_parameters_are_written_as_in_the_header(extraction: Extraction) -> None:
    (function,) = extraction.extract(
        "def f(a, /, b: 'list [int]' = [1_0,\n    2], *c: int, d, e = \"é\" , **g):\n    return a\n"
    )
    assert function.parameters == [
        Parameter("a", "positional_only"),
        Parameter("b", "positional_or_keyword", "'list [int]'", "[10, 2]"),
        Parameter("c", "var_positional", "int"),
        Parameter("d", "keyword_only"),
        Parameter("e", "keyword_only", None, '"é"'),
        Parameter("g", "var_keyword"),
    ]


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("asynchronous", "async def f(x):\n    return x\n"),
        ("asynchronous", "def f(x):\n    async def g():\n        return x\n    return g\n"),
        ("no_parameters", "def f():\n    return 1\n"),
        ("too_many_parameters", "def f(a, b, *, c):\n    return a\n"),
        ("too_short", "def f(x): return x\n"),
        ("returns_no_value", "def f(x):\n    if x:\n        return\n    return None\n"),
        ("returns_no_value", "def f(x):\n    def g():\n        return 1\n    x.append(g)\n"),
        ("generator", "def f(x):\n    y = yield x\n    return y\n"),
        ("program_too_long", f"def f(x):\n    return x + {'1' * 300}\n"),
        ("performs_io", "def f(x):\n    print(x)\n    return x\n"),
        ("performs_io", "def f(x):\n    with open(x) as g:\n        return g\n"),
        ("dynamic_code", "def f(x):\n    return eval(x)\n"),
        ("dynamic_code", "def f(x):\n    return __import__(x)\n"),
        ("object_identity", "def f(x):\n    return id(x)\n"),
        ("hash_seed", "def f(x):\n    return hash(x)\n"),
        (
            "global_mutation",
            "STATE = None\nclass G:\n    def g(self, x):\n        global STATE\n        STATE = x\n"
            "def f(x):\n    return STATE or x\n",
        ),
        ("module_attribute", "def f(x):\n    return __name__ + x\n"),
        ("introspection", "def f(x):\n    return x.__globals__.a\n"),
        ("unresolved_name", "def f(x):\n    return y + x\n"),
        ("does_not_compile", "def f(x):\n    nonlocal y\n    return x\n"),
        ("global_mutation", "N = 0\ndef f(x):\n    global N\n    N += x\n    return N\n"),
        ("global_mutation", "SEEN = {}\ndef f(x):\n    SEEN[x] = 1\n    return x\n"),
        ("global_mutation", "SEEN = []\ndef f(x):\n    SEEN.append(x)\n    return x\n"),
        ("global_mutation", "A = [[]]\ndef f(x):\n    A[0][0] += 1\n    return x\n"),
        ("global_mutation", "def f(x):\n    f.calls = x\n    return x\n"),
        ("mutable_default", "def f(x, seen=[]):\n    seen.append(x)\n    return seen\n"),
        ("mutable_default", "def f(x, *, seen={}):\n    seen[x] = 1\n    return seen\n"),
        (
            "impure_module",
            "import datetime\ndef f(x):\n    d = datetime.date\n    return d.today()\n",
        ),
        ("impure_module", "import calendar\ndef f(x):\n    return calendar.prmonth(x, 1)\n"),
        ("star_import", "from math import *\ndef f(x):\n    return pow(x, 2)\n"),
        ("third_party_import", "import numpy as np\ndef f(x):\n    return np.sum(x)\n"),
        ("third_party_import", "def f(x):\n    import numpy\n    return numpy.sum(x)\n"),
        ("relative_import", "from . import other\ndef f(x):\n    return other(x)\n"),
        ("star_import", "from os import *\ndef f(x):\n    return getcwd() + x\n"),
        ("impure_module", "import random\ndef f(x):\n    return random.choice(x)\n"),
        ("impure_module", "from time import time\ndef f(x):\n    return time() + x\n"),
        ("impure_module", "import os\ndef f(x):\n    return os.path.exists(x)\n"),
        ("impure_module", "import os\ndef f(x):\n    return x(os)\n"),
        ("impure_module", "import os.path\ndef f(x):\n    return os.listdir(x)\n"),
        ("impure_module", "from os import path\ndef f(x):\n    return path.getsize(x)\n"),
        ("impure_module", "import datetime as d\ndef f(x):\n    return d.datetime.now() - x\n"),
        (
            "impure_module",
            "from datetime import datetime\ndef f(x):\n    return datetime.now() - x\n",
        ),
        (
            "impure_module",
            "try:\n    import os\nexcept ImportError:\n    os = None\n"
            "def f(x):\n    return os.listdir(x)\n",
        ),
        ("redefined", "def f(x):\n    return x\ndef f(x):\n    return x + 1\n"),
        ("redefined", "def f(x):\n    return x\nf = None\n"),
    ],
)
def test_every_rejection_has_a_reason(extraction: Extraction, reason: str, text: str) -> None:
    limits = {"max_parameters": 2, "max_program_characters": 250}
    assert extraction.reason(text, **limits) == reason


@pytest.mark.parametrize(
    "text",
    [
        "import os\ndef f(x):\n    return os.path.join(x, os.sep)\n",
        "from os.path import join, exists\ndef f(x):\n    return join(x, x)\n",
        "import datetime\ndef f(x):\n    return datetime.timedelta(days=x).days\n",
        "import collections.abc\ndef f(x):\n    return isinstance(x, collections.abc.Sized)\n",
        "def f(x):\n    from math import pi\n    return pi * x\n",
        "def f(x, seen=()):\n    seen = list(seen)\n    seen.append(x)\n    return seen\n",
        "def f(x, seen=None):\n    return sorted([x], key=seen)\n",
        "def f(x):\n    seen = []\n    seen.append(x)\n    seen[0] = x\n    return seen\n",
        "def f(x):\n    def g():\n        yield x\n    return list(g())\n",
        "SEEN = []\ndef f(x, SEEN):\n    SEEN.append(x)\n    return SEEN\n",
    ],
)
def test_pure_functions_are_kept(extraction: Extraction, text: str) -> None:
    (function,) = extraction.extract(text)
    compile(function.program, "<program>", "exec")


def test_the_main_guard_binds_nothing(extraction: Extraction) -> None:
    text = "def f(x):\n    return x + n\nif __name__ == '__main__':\n    n = int(input())\n"
    assert extraction.reason(text) == "unresolved_name"


def test_files_that_are_not_parsed_are_counted(extraction: Extraction) -> None:
    for content in (
        "class A:\n    def method(self, x):\n        return x\n",
        "def f(x):\n    print x\n    return x\n",
        "def f():\n    return 1\n",
        "def f(x):\n    return None  # for now\n",
        "def f(x):\n    return '\0'\n",
        "def f(x):\n    return " + "(" * 500 + ")" * 500 + "\n",
    ):
        assert extraction.extract(content) == []
    assert extraction.stage("parsed files").dropped == {
        "no_top_level_function": 1,
        "no_candidate_shape": 2,
        "syntax_error": 3,
    }
    assert extraction.stage("functions").rows_in == 0


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_line_ends_of_other_systems(extraction: Extraction, line_end: str) -> None:
    lines = ["LIMIT = 3", "", "", "def f(x):", "    return x + LIMIT", ""]
    (function,) = extraction.extract(line_end.join(lines))
    assert function.program == "\n".join(lines)


def test_form_feeds_and_other_separators_are_no_line_ends(extraction: Extraction) -> None:
    text = "SPACE = '\x1c\u2028'\n\x0c\ndef f(x):\n    return x + SPACE\n"
    assert "def f(x):\n    return x + SPACE\n" in extraction.extract(text)[0].program


def test_the_same_function_has_the_same_id_whatever_its_names(extraction: Extraction) -> None:
    (one,) = extraction.extract("def f(x):\n    y = x + 1\n    return y\n")
    (other,) = extraction.extract('def g(a):\n    """Doc."""\n    b = a + 1\n    return b\n')
    assert one.function_id == other.function_id


@given(st.text())
def test_any_text_is_extracted_or_counted(text: str) -> None:
    from tests.extraction.conftest import Extraction

    Extraction().extract(text)
    Extraction().extract(f"def f(x):\n    return {text}\n")


@given(st.sampled_from(SOURCES), st.data())
def test_damaged_files_are_extracted_or_counted(source: str, data: st.DataObject) -> None:
    from tests.extraction.conftest import Extraction

    lines = source.splitlines(keepends=True)
    first = data.draw(st.integers(0, len(lines)))
    last = data.draw(st.integers(first, len(lines)))
    for function in Extraction().extract("".join(lines[:first] + lines[last:])):
        compile(function.program, "<program>", "exec")


def test_deep_nesting_is_survived(extraction: Extraction) -> None:
    depth = sys.getrecursionlimit() * 2
    extraction.extract("def f(x):\n    return " + "+".join(["x"] * depth) + "\n")
    extraction.extract("def f(x):\n    return x" + ".a" * depth + "\n")
