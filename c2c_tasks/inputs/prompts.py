"""The prompt that asks a language model for inputs.

Everything before the function is the same for all functions, so that an engine with prefix
caching reads it once.
"""

from __future__ import annotations

import ast

from c2c_tasks.records import Function
from c2c_tasks.syntax import parse_module

MAX_PROGRAM_CHARACTERS = 10_000
"""Longer programs are shown as their entry point alone."""

_INSTRUCTIONS = """\
You write test inputs for Python functions. You are shown one function; you do not run it.

Answer with one Python code block and nothing else: a list named `examples` in which every \
item is a call of `dict` whose keywords are the function's parameters.

- Give {count} items, no two alike.
- Work out first what each parameter must be, from how the body uses it; an input that makes \
the function fail is worth little, so let at most one in ten do so.
- Make the outputs differ. Take every branch at least once, run loops zero, one and many \
times, and touch the values that conditions compare with, as well as their neighbours.
- Mix ordinary inputs with the odd ones: empty, single, negative, large, repeated, unsorted, \
mixed case, not ASCII.
- Write values out as literals: numbers, strings, bytes, True, False, None, lists, tuples, \
sets, dicts. No names, no calls, no lambda, no imports, no comprehension.
- Keep each item under 200 characters. Leave a parameter with a default out of some items.
- The items of `*args` are given as a tuple under its name, those of `**kwargs` as a dict."""

_SHOTS = (
    (
        """\
def shorten(text, width=10, mark="..."):
    if len(text) <= width:
        return text
    if width <= len(mark):
        return mark[:width]
    return text[: width - len(mark)].rstrip() + mark""",
        """\
examples = [
    dict(text="short"),
    dict(text="exactly 10"),
    dict(text="a sentence that is too long"),
    dict(text="word and a half", width=8),
    dict(text="", width=0),
    dict(text="tiny width", width=2),
    dict(text="Ünïcödé everywhere", width=12, mark="…"),
    dict(text="no mark at all here", width=7, mark=""),
]""",
    ),
    (
        """\
def merge_counts(*tables, minimum=1):
    total = {}
    for table in tables:
        for key, count in table.items():
            total[key] = total.get(key, 0) + count
    return {key: count for key, count in sorted(total.items()) if count >= minimum}""",
        """\
examples = [
    dict(tables=()),
    dict(tables=({"a": 1},)),
    dict(tables=({"a": 1, "b": 2}, {"b": 3})),
    dict(tables=({"x": -1}, {"x": 1}), minimum=0),
    dict(tables=({"k": 5}, {"m": 4}, {"k": 1}), minimum=6),
    dict(tables=({}, {"only": 9})),
]""",
    ),
)


def messages(function: Function, count: int) -> list[dict[str, str]]:
    """Return the chat that asks for `count` inputs of a function."""
    chat = [{"role": "system", "content": _INSTRUCTIONS.format(count=count)}]
    for program, answer in _SHOTS:
        chat.append({"role": "user", "content": _shown(program)})
        chat.append({"role": "assistant", "content": f"```python\n{answer}\n```"})
    task = f"{_shown(_trimmed(function))}\n\nInputs of `{function.entry_point}`:"
    return [*chat, {"role": "user", "content": task}]


def _shown(program: str) -> str:
    return f"```python\n{program.strip()}\n```"


def _statements(program: str) -> list[ast.stmt]:
    try:
        return parse_module(program).body
    except SyntaxError:
        return []


def _trimmed(function: Function) -> str:
    """Return the program, or of a long one the entry point, cut at a line if need be."""
    program = function.program
    if len(program) <= MAX_PROGRAM_CHARACTERS:
        return program
    for node in _statements(program):
        if getattr(node, "name", None) == function.entry_point:
            program = ast.get_source_segment(function.program, node) or program
    if len(program) <= MAX_PROGRAM_CHARACTERS:
        return program
    return program[:MAX_PROGRAM_CHARACTERS].rpartition("\n")[0] + "\n    ..."
