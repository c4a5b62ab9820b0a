"""What a model is shown."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from itertools import count, pairwise, takewhile
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.inputs.parsing import parse_answer
from c2c_tasks.inputs.prompts import STOP, chat, text
from c2c_tasks.records import Function

HELPERS = '''\
# A licence, of some length, that says nothing of what the function is given by those who call it.
class Table:
    """Rows and columns."""

    def __init__(self, rows):
        """Take rows."""
        self.rows = rows  # as they are


def helper(x):
    """Say something about x that takes a whole line, and then some more of the same."""
    y = x + 1
    return y * 2


def f(x, *,
      y=1):
    """Return it."""
    return helper(x)  # once
'''


def shown(function: Function) -> list[str]:
    """The last message at each level."""
    chats = takewhile(lambda c: c is not None, (chat(function, 30, level) for level in count()))
    return [messages[-1]["content"] for messages in chats if messages]


def test_all_before_the_function_is_the_same(function_of: Any) -> None:
    first, second = function_of("def f(x): return x"), function_of("def g(y, z): return y")
    one, two = chat(first, 10) or [], chat(second, 10) or []
    assert one[:-1] == two[:-1]
    assert [message["role"] for message in one] == ["system", *["user", "assistant"] * 2, "user"]
    start = (text(first, 10) or "").partition("def f(x)")[0]
    assert start.endswith("# Function\n")
    assert (text(second, 10) or "").startswith(start)


def test_the_program_is_shown_as_it_is_written(function_of: Any) -> None:
    program = "import re\n\n\ndef f(x):  # odd\n    return   re.escape( x )\n"
    function = function_of(program)
    task = f"```python\n{program.strip()}\n```\n\nInputs of `f`:"
    assert (chat(function, 10) or [])[-1]["content"] == task
    assert (text(function, 10) or "").endswith(f"# Function\n{program.strip()}\n\n# Inputs\n")


def test_the_examples_are_answers_that_the_parser_takes(function_of: Any) -> None:
    """Each example's inputs read back whole, and its function runs on each of them."""
    messages = (chat(function_of("def f(x): return x"), 10) or [])[1:-1]
    for question, answer in zip(messages[::2], messages[1::2], strict=True):
        program = question["content"].removeprefix("```python\n").removesuffix("\n```")
        function = function_of(program)
        read = parse_answer(answer["content"], function)
        assert read.refused == {}
        assert len(read.arguments) >= 5
        namespace: dict[str, Any] = {}
        exec(program, namespace)
        outputs = []
        for row in read.arguments:
            values = ast.literal_eval(row)
            rest = next((p.name for p in function.parameters if p.kind == "var_positional"), None)
            positional = values.pop(rest, ()) if rest else ()
            outputs.append(repr(namespace[function.entry_point](*positional, **values)))
        assert len(set(outputs)) >= 4


def test_a_text_that_is_gone_on_with_ends_at_a_stop_string(function_of: Any) -> None:
    function = function_of("def f(x): return x")
    answer = '[\ndict(x="]"),\ndict(x=2),\n]\n\n# Function\ndef g(y):'
    ends = [answer.find(stop) for stop in STOP if stop in answer]
    read = parse_answer(answer[: min(ends)], function)
    assert read.arguments == ["{'x': ']'}", "{'x': 2}"]
    assert read.refused == {}


def test_levels_show_less_and_less(function_of: Any) -> None:
    whole, bare, headers, alone = shown(function_of(HELPERS, "f"))
    assert "licence" in whole
    assert "licence" not in bare and "Rows" not in bare and "y * 2" in bare
    assert '"""Return it."""' in bare
    assert "y * 2" not in headers and "def helper(x):\n    ..." in headers
    assert "def __init__(self, rows):\n        ..." in headers
    assert "helper(x):" not in alone
    assert '```python\ndef f(x, *,\n      y=1):\n    """Return it."""\n' in alone


def test_a_long_function_loses_its_middle(function_of: Any) -> None:
    body = "".join(f"    x += {i}\n" for i in range(2_000))
    function = function_of(f"def f(\n    x,\n):\n{body}    return x\n")
    for content, limit in zip(shown(function)[1:], (4_000, 1_500, 500), strict=True):
        assert len(content) < limit + 50
        found = re.search(r"    # (\d+) lines are left out here\n", content)
        assert found
        assert int(found[1]) + content.count("    x += ") == 2_000
        assert content.startswith("```python\ndef f(\n    x,\n):\n    x += 0\n")
        assert content.endswith("    return x\n```\n\nInputs of `f`:")


def test_a_program_that_cannot_be_read_is_cut(function_of: Any) -> None:
    program = "def f(x):\n    return " + "-" * 50_000 + "x\n"
    levels = shown(replace(function_of("def f(x): pass"), program=program))
    assert len(levels[-1]) < 200
    assert "def f(x):\n    # 1 lines are left out here" in levels[-1]


LINES = st.sampled_from(
    ["import re", "# words of a comment", "A = 1", "def g(a):\n    'Doc.'\n    return a",
     "class C:\n    'Doc.'\n    def m(self):\n        return 1", "def h(): return " + "1 + " * 300
     + "1", "@re.sub\ndef i(b):\n    # no\n    return b"]
)  # fmt: skip


@given(
    st.lists(LINES, max_size=8), st.lists(st.sampled_from(["x += 1", "# odd" * 20]), max_size=99)
)
def test_each_level_is_shorter_with_the_same_prefix_and_the_header(
    before: list[str], body: list[str]
) -> None:
    header = "def f(x, y=(1, 2)):"
    program = "\n".join([*before, header, *(f"    {line}" for line in body), "    return x"])
    function = Function(
        function_id="0" * 64, program=program, entry_point="f", parameters=[], repository="",
        path="", first_line=1, last_line=1, licence=None, dump="",
        source_sha256="",
    )  # fmt: skip
    levels = shown(function)
    assert levels == shown(function)
    assert all(len(less) < len(more) for more, less in pairwise(levels))
    assert all(header in level for level in levels)
    texts = [text(function, 30, level) or "" for level in range(len(levels))]
    assert text(function, 30, len(levels)) is None
    assert len({one.partition("# Function\nimport")[0][:2_000] for one in texts}) == 1
