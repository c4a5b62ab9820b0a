"""Expressions of a function read for given arguments; nothing of the program is run."""

from __future__ import annotations

import ast
import operator
import random
from collections.abc import Callable
from typing import Any

from c2c_tasks.inputs.constants import NotConstant, constant_value, listed, written
from c2c_tasks.inputs.signatures import Arguments
from c2c_tasks.inputs.synthesis.conditions import Layout

MAX_LENGTH = 200
"""Items of a container or text that is read or made."""
MAX_DEPTH = 12
"""Definitions followed from one into the next."""
MAX_READS = 2_000
"""Expressions read or put for one path: ``a = b + b; b = c + c; …`` doubles with each line."""


class Reading:
    """Values of one function's expressions, as far as plain arguments decide them."""

    def __init__(self, layout: Layout, rng: random.Random) -> None:
        self.layout = layout
        self.rng = rng
        self.start({})

    def start(self, arguments: Arguments) -> None:
        """Take the arguments to read expressions for."""
        self.arguments = dict(arguments)
        self.running: dict[str, Any] = {}
        """Values taken for loop variables that were read."""
        self.depth = 0
        self.reads = 0

    def holds(self, test: ast.expr) -> bool | None:
        """Return how a test comes out for the present arguments; None where that is unknown."""
        match test:
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _RELATIONS:
                try:
                    return bool(_RELATIONS[type(op)](self.read(left), self.read(right)))
                except (NotConstant, TypeError, ValueError):  # 300 in b"" is a ValueError
                    return None
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                held = self.holds(operand)
                return None if held is None else not held
            case ast.Name() | ast.Subscript():
                try:
                    return bool(self.read(test))
                except NotConstant:
                    return None
        return None

    def maybe(self, node: ast.expr) -> Any:
        """Return an expression's value for the present arguments; None where it is unknown."""
        try:
            return self.read(node)
        except NotConstant:
            return None

    def read(self, node: ast.expr) -> Any:
        """Return an expression's value for the present arguments; raises NotConstant."""
        self.depth += 1
        self.reads += 1
        try:
            if self.depth > MAX_DEPTH or self.reads > MAX_READS:
                raise NotConstant("definitions in a circle, or too many")
            return self._read(node)
        finally:
            self.depth -= 1

    def _read(self, node: ast.expr) -> Any:
        match node:
            case ast.Name(id=name) if name in self.layout.definitions:
                return self.read(self.layout.definitions[name])
            case ast.Name(id=name) if name in self.arguments:
                return self.arguments[name]
            case ast.Name(id=name) if name in self.layout.loops:
                return self._read_loop(name)
            case ast.Call(func=ast.Name(id=name), args=given, keywords=[]) if name in _BUILTINS:
                return _applied(_BUILTINS[name], [self.read(argument) for argument in given])
            case ast.Call(func=ast.Attribute(value=inner, attr=name), args=given, keywords=[]):
                value = self.read(inner)
                if isinstance(value, str) and name in _TEXT_METHODS:
                    texts = [self.read(argument) for argument in given]
                    return _applied(getattr(value, name), texts)
            case ast.Subscript(value=inner, slice=ast.Slice(lower=low, upper=high, step=None)):
                bounds = [self.read(bound) if bound else None for bound in (low, high)]
                value = self.read(inner)
                if isinstance(value, str | list | tuple):
                    return _applied(lambda: value[slice(*bounds)], [])
            case ast.Subscript(value=inner, slice=index):
                value = self.read(inner)
                if isinstance(value, str | list | tuple | dict):
                    return _applied(value.__getitem__, [self.read(index)])
            case ast.BinOp(left=left, op=op, right=right):
                parts = {"left": self.read(left), "right": self.read(right)}
                a, b = ast.Name("left", ast.Load()), ast.Name("right", ast.Load())
                return constant_value(ast.BinOp(a, op, b), parts)
        return constant_value(node, self.arguments)

    def _read_loop(self, name: str) -> Any:
        """Return some value that a loop variable takes, the same until the next path."""
        if name not in self.running:
            values = self.read(self.layout.loops[name])
            if not isinstance(values, list | tuple | str | dict) or not values:
                raise NotConstant("a loop over nothing")
            self.running[name] = self.rng.choice(list(values)[:50])
        return self.running[name]


def _rounded(number: Any, digits: int = 0) -> Any:
    if abs(digits) > MAX_LENGTH:
        raise NotConstant("so many digits")
    return round(number, digits or None)


_BUILTINS: dict[str, Callable[..., Any]] = {
    "len": len, "int": int, "float": float, "abs": abs, "round": _rounded, "str": written,
    "max": max, "min": min, "sum": sum, "sorted": sorted, "list": listed, "set": set,
    "tuple": lambda values: tuple(listed(values)),
    "ord": ord, "chr": chr, "bool": bool,
    "range": lambda *bounds: list(range(*bounds)[:MAX_LENGTH]),
}  # fmt: skip

_TEXT_METHODS = frozenset({
    "lower", "upper", "strip", "lstrip", "rstrip", "title", "split", "find", "rfind", "count",
    "isdigit", "isalpha", "isupper", "islower", "startswith", "endswith",
})  # fmt: skip

_RELATIONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip


def _applied(function: Callable[..., Any], values: list[Any]) -> Any:
    """Return what a builtin makes of plain values; raises NotConstant where it cannot."""
    try:
        return function(*values)
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise NotConstant(str(error)) from None
