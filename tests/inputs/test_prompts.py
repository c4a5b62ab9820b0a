"""What a model is shown."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from c2c_tasks.inputs.parsing import parse_answer
from c2c_tasks.inputs.prompts import MAX_PROGRAM_CHARACTERS, messages


def test_all_before_the_function_is_the_same(function_of: Any) -> None:
    first = messages(function_of("def f(x): return x"), 10)
    second = messages(function_of("def g(y, z): return y"), 10)
    assert first[:-1] == second[:-1]
    assert [message["role"] for message in first] == [
        "system",
        *["user", "assistant"] * ((len(first) - 2) // 2),
        "user",
    ]


def test_the_program_is_shown_as_it_is_written(function_of: Any) -> None:
    program = "import re\n\n\ndef f(x):  # odd\n    return   re.escape( x )\n"
    last = messages(function_of(program), 10)[-1]["content"]
    assert last == f"```python\n{program.strip()}\n```\n\nInputs of `f`:"


def test_the_examples_are_answers_that_the_parser_takes(function_of: Any) -> None:
    """Each example's inputs read back whole, and its function runs on each of them."""
    chat = messages(function_of("def f(x): return x"), 10)[1:-1]
    for question, answer in zip(chat[::2], chat[1::2], strict=True):
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


def test_a_long_program_is_shown_as_its_function(function_of: Any) -> None:
    table = f"TABLE = {list(range(5_000))}\n"
    content = messages(function_of(f"{table}\ndef f(x):\n    return TABLE[x]\n"), 10)[-1]["content"]
    assert content.startswith("```python\ndef f(x):\n    return TABLE[x]\n```")


def test_a_long_function_is_cut_at_a_line(function_of: Any) -> None:
    body = "".join(f"    x += {i}\n" for i in range(2_000))
    content = messages(function_of(f"def f(x):\n{body}    return x\n"), 10)[-1]["content"]
    assert len(content) < MAX_PROGRAM_CHARACTERS + 100
    *_, last, dots, fence, _, _ = content.split("\n")
    assert last.startswith("    x += ")
    assert (dots, fence) == ("    ...", "```")


def test_a_program_that_cannot_be_read_is_cut(function_of: Any) -> None:
    program = "def f(x):\n    return " + "-" * 50_000 + "x\n"
    shown = replace(function_of("def f(x): pass"), program=program)
    assert len(messages(shown, 10)[-1]["content"]) < MAX_PROGRAM_CHARACTERS + 100
