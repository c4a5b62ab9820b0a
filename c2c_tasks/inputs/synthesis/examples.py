"""Arguments of calls that docstrings and comments write."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import Any

from c2c_tasks import literals
from c2c_tasks.inputs.constants import NotConstant, constant_value
from c2c_tasks.inputs.signatures import Arguments, WrongArguments, bind_call
from c2c_tasks.inputs.synthesis.conditions import FunctionNode
from c2c_tasks.records import Function
from c2c_tasks.syntax import parse_expression, parse_module

MAX_EXAMPLES = 20
MAX_MENTIONS = 100
MAX_CALL_CHARACTERS = 600


def written_calls(function: Function, entry: FunctionNode) -> list[Arguments]:
    """Return the arguments of example calls, as parameter to value, distinct, in order.

    Doctests first, with names that earlier lines of the same doctest bind; then any text
    in the docstring or a comment that reads as a call with constant arguments.
    """
    found: dict[str, Arguments] = {}  # by literal: the repr of a constant may be endless
    docstring = ast.get_docstring(entry, clean=False) or ""
    for arguments in chain(
        _doctest_calls(function, docstring),
        _mentioned_calls(function, docstring),
        _mentioned_calls(function, "\n".join(_comments(function.program))),
    ):
        if len(found) == MAX_EXAMPLES:
            break
        with suppress(literals.Unrepresentable):
            found.setdefault(literals.dumps(arguments), arguments)
    return list(found.values())


def _doctest_calls(function: Function, docstring: str) -> Iterator[Arguments]:
    names: dict[str, Any] = {}
    for source in _doctest_sources(docstring):
        try:
            module = parse_module(source)
        except SyntaxError:
            continue
        for statement in module.body:
            yield from _calls_in(function, statement, names)
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    try:
                        names[name] = constant_value(value, names)
                    except NotConstant:
                        names.pop(name, None)


def _doctest_sources(docstring: str) -> Iterator[str]:
    lines: list[str] = []
    for raw in [*docstring.splitlines(), ""]:
        line = raw.strip()
        if line.startswith("...") and lines:
            lines.append(line[4:])
            continue
        if lines:
            yield "\n".join(lines)
            lines = []
        if line.startswith(">>>"):
            lines.append(line[4:])


def _calls_in(function: Function, tree: ast.AST, names: dict[str, Any]) -> Iterator[Arguments]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name | ast.Attribute)
            and function.entry_point
            == (node.func.id if isinstance(node.func, ast.Name) else node.func.attr)
        ):
            try:
                yield bind_call(function.parameters, node, names)
            except (NotConstant, WrongArguments):
                continue


def _mentioned_calls(function: Function, text: str) -> Iterator[Arguments]:
    starts = re.finditer(rf"(?<![\w.]){re.escape(function.entry_point)}\(", text)
    for start in islice(starts, MAX_MENTIONS):
        call = _balanced(text[start.start() : start.start() + MAX_CALL_CHARACTERS])
        if call is None:
            continue
        try:
            tree = parse_expression(call)
        except SyntaxError:
            continue
        yield from _calls_in(function, tree, {})


def _balanced(text: str) -> str | None:
    """Return the text up to the parenthesis that closes its first one, outside of quotes."""
    depth = 0
    quote = ""
    for position, character in enumerate(text):
        if quote:
            if character == quote and text[position - 1] != "\\":
                quote = ""
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth == 0:
                return text[: position + 1]
    return None


def _comments(program: str) -> Iterator[str]:
    for line in program.splitlines():
        _, mark, comment = line.partition("#")
        if mark:
            yield comment.strip()
