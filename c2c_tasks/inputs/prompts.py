"""The prompt that asks a language model for inputs.

Everything before the function is the same for all functions, so that an engine with prefix
caching reads it once. Answers have the form that `c2c_tasks.inputs.grammar` derives.
"""

from __future__ import annotations

import hashlib
import json
from itertools import islice
from typing import Literal

from c2c_tasks.inputs.trimming import shown_programs
from c2c_tasks.records import Function

STOP: tuple[str, ...] = ("\n]", "\n```", "\n# Function")
"""What ends an answer to `text`; none of it can stand in an item, which is one line."""

_INSTRUCTIONS = """\
You write test inputs for Python functions. You are shown a function; you do not run it.

Answer with a Python list and nothing else: one item a line, each a call of `dict` whose \
keywords are the function's parameters, in their order.

- Give {inputs} items, no two alike.
- Work out first what each parameter must be, from how the body uses it. An input that makes \
the function fail is worth little: at most one in ten may.
- Make the outputs differ. Take every branch at least once, run loops zero, one and many \
times, and use the values that conditions compare with, and their neighbours.
- Mix ordinary inputs with odd ones: empty, single, negative, large, repeated, unsorted, \
mixed case, not ASCII.
- Write values as literals: numbers, strings in double quotes, bytes, True, False, None, lists, \
tuples, sets, dicts. No names, no calls, no lambda, no comprehension, no comments.
- Keep items short, under 200 characters. Leave a parameter with a default out of some items.
- Write `*args` as a tuple under its name and `**kwargs` as a dict under its name; leave \
them out where there are none."""

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
[
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
[
dict(),
dict(tables=({"a": 1},)),
dict(tables=({"a": 1, "b": 2}, {"b": 3})),
dict(tables=({"x": -1}, {"x": 1}), minimum=0),
dict(tables=({"k": 5}, {"m": 4}, {"k": 1}), minimum=6),
dict(tables=({}, {"only": 9})),
]""",
    ),
)


def chat(function: Function, inputs: int, trim: int = 0) -> list[dict[str, str]] | None:
    """Return the chat that asks for `inputs` inputs of a function.

    `trim` is a level of the rule of `c2c_tasks.inputs.trimming`, counted from 0, the whole
    program. None where there is no such level: the prompt cannot become shorter.
    """
    program = _shown(function, trim)
    if program is None:
        return None
    task = f"{_fenced(program)}\n\nInputs of `{function.entry_point}`:"
    return [*_chat_prefix(inputs), {"role": "user", "content": task}]


def text(function: Function, inputs: int, trim: int = 0) -> str | None:
    """Return the same as one text, which a model without a chat template goes on with.

    The answer ends at `STOP`.
    """
    program = _shown(function, trim)
    if program is None:
        return None
    return f"{_text_prefix(inputs)}# Function\n{program}\n\n# Inputs\n"


def digest(style: Literal["chat", "text"], inputs: int) -> str:
    """Return the SHA-256 of what all prompts begin with, in hexadecimal."""
    prefix = _chat_prefix(inputs) if style == "chat" else _text_prefix(inputs)
    return hashlib.sha256(json.dumps(prefix).encode()).hexdigest()


def _chat_prefix(inputs: int) -> list[dict[str, str]]:
    messages = [{"role": "system", "content": _INSTRUCTIONS.format(inputs=inputs)}]
    for shot, answer in _SHOTS:
        messages.append({"role": "user", "content": _fenced(shot)})
        messages.append({"role": "assistant", "content": answer})
    return messages


def _text_prefix(inputs: int) -> str:
    shots = [f"# Function\n{shot}\n\n# Inputs\n{answer}\n\n" for shot, answer in _SHOTS]
    return "".join([_INSTRUCTIONS.format(inputs=inputs), "\n\n", *shots])


def _shown(function: Function, trim: int) -> str | None:
    return next(islice(shown_programs(function), trim, None), None)


def _fenced(program: str) -> str:
    return f"```python\n{program}\n```"
