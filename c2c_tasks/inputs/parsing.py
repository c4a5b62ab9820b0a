"""Inputs read from what a language model wrote.

Models answer in many forms: fenced code, ``examples = [dict(...), ...]``, dict displays,
JSON, calls of the function itself, doctests, comments between them, the last item cut off. All
are read with `ast`; nothing is evaluated. What a reasoning model thinks first is no answer.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from c2c_tasks import literals
from c2c_tasks.inputs.constants import NotConstant, constant_value
from c2c_tasks.inputs.signatures import WrongArguments, bind, bind_call, check
from c2c_tasks.records import Function
from c2c_tasks.syntax import parse_expression, parse_module

MAX_ANSWER_CHARACTERS = 200_000
MAX_CANDIDATES = 2_000
"""Items looked at in one answer."""
MAX_TRUNCATED = 20
"""Items that are not closed, looked for in one block."""
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*\n?(.*?)(?:^[ \t]*(?:```|~~~)|\Z)", re.S | re.M)
_THINKING = re.compile(r"\s*<think>")
_THOUGHT = re.compile(r"</think>[ \t]*$", re.M)
"""The end of thoughts that the prompt has opened; inside a text of an item a quote follows."""
_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.) ?", re.M)
_JSON_NAMES = {"true": True, "false": False, "null": None, "nan": float("nan"), "inf": float("inf")}


@dataclass(slots=True)
class Answer:
    """What could be read from a model's answer."""

    arguments: list[str] = field(default_factory=list)
    """Distinct canonical literals, in order of appearance."""
    refused: dict[str, int] = field(default_factory=dict)
    """Items that were not taken, by reason: ``not_a_literal``, ``unknown_parameter``,
    ``missing_parameter``, ``too_many_arguments``, ``wrong_arguments``, ``unrepresentable``,
    ``repeated``, ``truncated``."""


def parse_answer(text: str, function: Function) -> Answer:
    """Return the arguments that an answer proposes for a function. Raises nothing."""
    reader = _Reader(function)
    said = _without_thoughts(text[:MAX_ANSWER_CHARACTERS].replace("\x00", ""))
    if said is None:
        reader.refuse("truncated")
        return reader.answer
    for found in _FENCE.finditer(said):
        reader.block(found.group(1))
    if not reader.candidates and not reader.answer.refused:
        reader.block(said)
    return reader.answer


def _without_thoughts(text: str) -> str | None:
    """Return what follows the thoughts; None where they do not end."""
    while _THINKING.match(text):
        _, closed, text = text.partition("</think>")
        if not closed:
            return None
    ends = list(_THOUGHT.finditer(text))
    return text[ends[-1].end() :] if ends else text


def _transcript(code: str) -> str:
    """Return what is typed in a session of an interpreter, without prompts and outputs."""
    if ">>>" not in code:
        return code
    lines = code.splitlines()
    typed = [_PROMPT.sub("", line) for line in lines if _PROMPT.match(line)]
    return "\n".join(typed) or code


def _used_in_calls(module: ast.Module) -> set[str]:
    """Return the names that stand in arguments: a list of that name is a value, not the items."""
    return {
        name.id
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]
        for name in ast.walk(argument)
        if isinstance(name, ast.Name)
    }


class _Reader:
    def __init__(self, function: Function) -> None:
        self.function = function
        self.answer = Answer()
        self.seen: set[str] = set()
        self.candidates = 0
        name = re.escape(function.entry_point)
        self.starts = re.compile(rf"\bdict\s*\(|\{{|(?<!def )(?<![\w.]){name}\s*\(")
        self.used: set[str] = set()

    def block(self, code: str) -> None:
        """Read a block as a module; item by item where that does not parse or has no items."""
        before = self.candidates
        code = _transcript(code)
        with suppress(SyntaxError):
            names: dict[str, Any] = dict(_JSON_NAMES)
            module = parse_module(code)
            self.used = _used_in_calls(module)
            for statement in module.body:
                with suppress(RecursionError):  # a sum of a thousand lists
                    self.statement(statement, names)
        if self.candidates > before:
            return
        for text in self.balanced_items(code):
            with suppress(SyntaxError):
                self.item(parse_expression(text.strip()), dict(_JSON_NAMES))

    def statement(self, node: ast.stmt, names: dict[str, Any]) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if name in self.used or not self.collection(value, names):
                    try:
                        names[name] = constant_value(value, names)
                    except NotConstant:
                        names.pop(name, None)
            case ast.Assign(value=value) | ast.AugAssign(value=value) | ast.Expr(value=value):
                self.collection(value, names)
            case ast.AnnAssign(value=value) if value is not None:
                self.collection(value, names)
            case ast.Assert(test=test):
                self.collection(test, names)

    def collection(self, node: ast.expr, names: dict[str, Any]) -> bool:
        """Read the items of an expression; tell whether there were any."""
        before = self.candidates
        match node:
            case ast.List(elts=items) | ast.Tuple(elts=items):
                if not all(isinstance(item, ast.Constant) for item in items):
                    for item in items:
                        self.item(item, names)
            case ast.Call(func=ast.Attribute(attr="append" | "extend" | "add"), args=[value]):
                if not self.collection(value, names):
                    self.item(value, names)
            case ast.Dict(keys=[ast.Constant(value=str(name))], values=[ast.List() as items]) if (
                not self.is_parameter(name)  # {"inputs": [...]}
            ):
                self.collection(items, names)
            case ast.Dict() | ast.Call():
                self.item(node, names)
            # "- f(1)" and "* f(1)" are bullets
            case ast.Compare(left=inner) | ast.UnaryOp(operand=inner) | ast.Starred(value=inner):
                self.collection(inner, names)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                self.collection(left, names)
                self.collection(right, names)
        return self.candidates > before

    def item(self, node: ast.expr, names: dict[str, Any]) -> None:
        """Take one item, or count why not."""
        if self.candidates >= MAX_CANDIDATES:
            return
        self.candidates += 1
        try:
            arguments = self.arguments(node, names)
            if arguments is None:
                self.candidates -= 1
                return
            row = literals.dumps(arguments)
            literals.loads(row)
        except NotConstant:
            self.refuse("not_a_literal")
        except WrongArguments as error:
            self.refuse(error.reason)
        except (literals.Unrepresentable, ValueError, RecursionError):
            self.refuse("unrepresentable")
        else:
            if row in self.seen:
                self.refuse("repeated")
            else:
                self.seen.add(row)
                self.answer.arguments.append(row)

    def arguments(self, node: ast.expr, names: dict[str, Any]) -> dict[str, Any] | None:
        """Return the arguments that an item gives; None where it is no item at all."""
        parameters = self.function.parameters
        match node:
            case ast.Call(func=ast.Name(id="dict")) | ast.Dict():
                return check(parameters, constant_value(node, names))
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if (
                name == self.function.entry_point
            ):
                return bind_call(parameters, node, names)
            case ast.Call(func=ast.Name(id="print" | "list" | "str" | "repr"), args=[inner]):
                return self.arguments(inner, names)
            case ast.Tuple():
                return bind(parameters, constant_value(node, names), {})
            case ast.List() if sum(p.kind.startswith("positional") for p in parameters) > 1:
                return bind(parameters, constant_value(node, names), {})  # JSON has no tuples
            case ast.Compare(left=left):
                return self.arguments(left, names)
        return None

    def is_parameter(self, name: str) -> bool:
        kinds = {p.name: p.kind for p in self.function.parameters}
        return name in kinds or "var_keyword" in kinds.values()

    def refuse(self, reason: str) -> None:
        self.answer.refused[reason] = self.answer.refused.get(reason, 0) + 1

    def balanced_items(self, code: str) -> Iterator[str]:
        """Yield the text of each outermost item; count those that are not closed.

        After one of those the search goes on in the next line: the last item may be cut off,
        or a brace may stand in the prose between items.
        """
        position = 0
        truncated = 0
        while self.candidates < MAX_CANDIDATES and truncated < MAX_TRUNCATED:
            found = self.starts.search(code, position)
            if found is None:
                return
            line = code.rfind("\n", 0, found.start()) + 1
            if "#" in code[line : found.start()]:
                position = code.find("\n", found.start()) + 1 or len(code)
                continue
            end = _end_of_item(code, found.start())
            if end is None:
                truncated += 1
                self.refuse("truncated")
                position = code.find("\n", found.end()) + 1 or len(code)
            else:
                yield code[found.start() : end]
                position = end


_TOKEN = re.compile(
    r"\"\"\".*?\"\"\"|'''.*?'''"
    r"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
    r"|\#[^\n]*|[\[({]|[\])}]|[\"']",
    re.S,
)


def _end_of_item(code: str, start: int) -> int | None:
    """Return where the brackets opened from `start` on are closed; None where they are not."""
    depth = 0
    for found in _TOKEN.finditer(code, start):
        token = found.group()
        if token in ("(", "[", "{"):
            depth += 1
        elif token in (")", "]", "}"):
            depth -= 1
            if depth <= 0:
                return found.end() if depth == 0 else None
        elif token in ('"', "'"):
            return None  # a text that is never closed
    return None
