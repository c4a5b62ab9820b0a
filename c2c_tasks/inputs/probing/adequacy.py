"""Whether probes can tell what a program does: whether they hold what it looks for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Any

from c2c_tasks import literals
from c2c_tasks.records import Case, Function
from c2c_tasks.syntax import parse_module

ORDINARY = 2
"""Numbers up to this, and their negatives, any probes meet."""
ALPHABET = 10
"""Length from which letters and digits are taken for a set of characters."""
_TYPE_TESTS = frozenset({"isinstance", "issubclass", "type", "hasattr", "callable"})
_UNHEARD = frozenset({"print", "getattr", "open", *_TYPE_TESTS})
"""Functions whose texts are not looked for in what a program is given."""
_UNHEARD_METHODS = frozenset({"encode", "decode", "debug", "info", "warning", "error"})
_FIELD = re.compile(r"%[-+ #0-9.]*[a-zA-Z%]|\{[^{}]*\}")
"""A field of a format, which stands for something else."""
_JUMPS = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def can_tell(function: Function, probes: Sequence[Case]) -> bool:
    """Return whether probes can tell a function from one that has another constant in it.

    So they can where each text that the program writes occurs in an input, or in an output but
    not in its input; where it compares and divides with no number greater than all that are put
    in; and where coverage shows which way each test of a type went.
    """
    try:
        module = parse_module(function.program)
    except SyntaxError:
        return False
    if not _shows_types(module):
        return False
    met = _Met(probes)
    return all(met.has(value, as_set) for value, as_set in _constants(module))


class _Met:
    """The texts, letters and numbers that probes hold, or are turned into."""

    def __init__(self, probes: Sequence[Case]) -> None:
        self._probes = probes
        self._greatest: float = ORDINARY
        texts: list[str] = []
        values: list[Any] = [literals.loads(case.arguments) for case in probes]
        while values:
            value = values.pop()
            match value:
                case int() | float():
                    size = abs(value)
                case str() | bytes():
                    texts.append(_text(value))
                    size = len(value)
                case dict():
                    values += [*value.keys(), *value.values()]
                    size = len(value)
                case list() | tuple() | set():
                    values += value
                    size = len(value)
                case _:
                    continue
            self._greatest = max(self._greatest, size)
        self._texts = "\n".join(texts)
        self._letters = frozenset(self._texts)

    def has(self, constant: Any, as_set: bool) -> bool:
        """Return whether a program's constant, or one of the letters in a set, is met."""
        match constant:
            case int() | float():
                return abs(constant) <= self._greatest
            case str() | bytes():
                text = _text(constant)
            case _:
                return True
        if as_set or (len(text) >= ALPHABET and text.isalnum()):
            return not self._letters.isdisjoint(text)
        return all(piece in self._texts or self._is_made(piece) for piece in _FIELD.split(text))

    def _is_made(self, text: str) -> bool:
        """Return whether a text is one that the program makes, not one that it looks for."""
        return any(
            text in (case.output or "") and text not in case.arguments for case in self._probes
        )


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _constants(module: ast.Module) -> Iterator[tuple[Any, bool]]:
    """Yield the constants that decide what a program does; of texts, whether they are sets."""
    left: list[ast.AST] = [module]
    while left:
        node = left.pop()
        match node:
            case ast.Constant(value=value):
                yield value, False
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Constant(value=value)]):
                yield value, isinstance(value, str | bytes)
                left.append(node.left)
            case _:
                left += _heard(node)


def _heard(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the children of a node in which constants decide what a program does."""
    match node:
        case ast.Raise() | ast.Assert() | ast.arg() | ast.Expr(value=ast.Constant()):
            return
        case ast.Call(func=ast.Name(id=name)) if name in _UNHEARD:
            return
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant()]):
            return  # infinity
        case ast.Call(func=ast.Attribute(attr=name, value=value)) if name in _UNHEARD_METHODS:
            yield value
        case ast.AnnAssign(target=target, value=value):
            yield from (target, value) if value else (target,)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from (node.args, *node.body)
        case (
            ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div())
            | ast.AugAssign(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div())
            | ast.List()
            | ast.Tuple()
            | ast.Dict()
        ):
            yield from (child for child in ast.iter_child_nodes(node) if not _is_number(child))
        case _:
            yield from ast.iter_child_nodes(node)


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _shows_types(module: ast.Module) -> bool:
    """Return whether each test of a type decides between lines of which one runs."""
    shown: set[ast.AST] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.If) and (node.orelse or isinstance(node.body[-1], _JUMPS)):
            shown.update(ast.walk(node.test))
    return all(
        node in shown
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in _TYPE_TESTS
    )
