"""Python values <-> canonical literal text.

The text of a value is the same in every process: sets are written in sorted order, floats
with `repr`, strings with `repr`. `loads` reads it back to an equal value of the same type.
What `ast.literal_eval` has no spelling for is spelled as the call that makes it:
``float('nan')``, ``float('inf')``, ``float('-inf')``, ``frozenset({1, 2})``.

This module is the sandbox's and the host's: it imports the standard library and `syntax` alone.
"""

import ast
import math
from collections.abc import Callable
from types import EllipsisType, NoneType
from typing import Any

from c2c_tasks.syntax import parse_expression

MAX_CHARACTERS = 100_000
MAX_DEPTH = 40
"""Nesting below which CPython's parser, and every reader downstream, is at ease."""


class Unrepresentable(ValueError):
    """The value has no canonical literal; the message says why."""


def dumps(value: object, max_characters: int = MAX_CHARACTERS) -> str:
    """Return the canonical literal of `value`.

    Raises Unrepresentable for values of other types than None, bool, int, float, complex,
    str, bytes, ``...``, tuple, list, dict, set and frozenset (subclasses included: they
    would come back as another type), for NaN inside sets and dict keys, for recursive or
    deeper structures than `MAX_DEPTH`, and past `max_characters`. The work done is bounded
    by `max_characters`, whatever the value's size.
    """
    writer = _Writer(max_characters)
    writer.write(value, 0)
    return "".join(writer.parts)


def loads(text: str) -> Any:
    """Return the value of a canonical literal.

    Raises ValueError, with the reason, for text that is not one. Nothing is evaluated but
    displays, constants, signs and the few calls that `dumps` writes.
    """
    if len(text) > 4 * MAX_CHARACTERS:
        raise ValueError(f"literal of {len(text)} characters is over the limit")
    try:
        return _value(parse_expression(text))
    except (SyntaxError, RecursionError, MemoryError, OverflowError, TypeError) as error:
        raise ValueError(f"not a literal: {error}") from None


class _Writer:
    def __init__(self, max_characters: int) -> None:
        self.parts: list[str] = []
        self.left = max_characters

    def put(self, text: str) -> None:
        self.left -= len(text)
        if self.left < 0:
            raise Unrepresentable("too long")
        self.parts.append(text)

    def write(self, value: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise Unrepresentable("too deep or recursive")
        write = _WRITERS.get(type(value))
        if write is None:
            raise Unrepresentable(f"value of type {type(value).__name__}")
        write(self, value, depth)

    def write_text(self, value: str | bytes, _: int) -> None:
        if len(value) > self.left:
            raise Unrepresentable("too long")
        self.put(repr(value))

    def write_int(self, value: int, _: int) -> None:
        if value.bit_length() > 4 * self.left:
            raise Unrepresentable("too long")
        try:
            digits = repr(value)
        except ValueError:  # sys.get_int_max_str_digits()
            raise Unrepresentable("integer over the digit limit") from None
        self.put(digits)

    def write_float(self, value: float, _: int) -> None:
        self.put(repr(value) if math.isfinite(value) else f"float('{value}')")

    def write_name(self, value: bool | None, _: int) -> None:
        self.put(repr(value))

    def write_ellipsis(self, _: object, __: int) -> None:
        self.put("...")

    def write_list(self, value: list[Any], depth: int) -> None:
        self.write_items("[", value, "]", depth)

    def write_tuple(self, value: tuple[Any, ...], depth: int) -> None:
        self.write_items("(", value, ",)" if len(value) == 1 else ")", depth)

    def write_frozenset(self, value: frozenset[Any], depth: int) -> None:
        self.put("frozenset(")
        if value:
            self.write_set(value, depth)
        self.put(")")

    def write_items(self, opening: str, items: Any, closing: str, depth: int) -> None:
        self.put(opening)
        for position, item in enumerate(items):
            if position:
                self.put(", ")
            self.write(item, depth + 1)
        self.put(closing)

    def write_dict(self, value: dict[Any, Any], depth: int) -> None:
        self.put("{")
        for position, (key, item) in enumerate(value.items()):
            if position:
                self.put(", ")
            _refuse_nan(key)
            self.write(key, depth + 1)
            self.put(": ")
            self.write(item, depth + 1)
        self.put("}")

    def write_set(self, value: Any, depth: int) -> None:
        if not value:
            self.put("set()")
            return
        if 3 * len(value) > self.left + 2:
            raise Unrepresentable("too long")
        self.put("{")
        for position, item in enumerate(_sorted(value, self.left, depth)):
            if position:
                self.put(", ")
            self.put(item)
        self.put("}")

    def write_complex(self, value: complex, _: int) -> None:
        text = repr(value)
        try:
            same = repr(_value(parse_expression(text))) == text
        except (ValueError, SyntaxError):
            same = False
        if not same:  # "-0+1j" reads back as 0+1j, and "nanj" is a name
            raise Unrepresentable("complex number without a literal")
        self.put(text)


_WRITERS: dict[type, Callable[[_Writer, Any, int], None]] = {
    str: _Writer.write_text,
    bytes: _Writer.write_text,
    int: _Writer.write_int,
    float: _Writer.write_float,
    bool: _Writer.write_name,
    NoneType: _Writer.write_name,
    EllipsisType: _Writer.write_ellipsis,
    list: _Writer.write_list,
    tuple: _Writer.write_tuple,
    dict: _Writer.write_dict,
    set: _Writer.write_set,
    frozenset: _Writer.write_frozenset,
    complex: _Writer.write_complex,
}


def _refuse_nan(value: Any) -> None:
    if type(value) is float and math.isnan(value):
        raise Unrepresentable("NaN in a set or as a key")
    if type(value) is tuple or type(value) is frozenset:
        for item in value:
            _refuse_nan(item)


def _sorted(items: Any, max_characters: int, depth: int) -> list[str]:
    """Return the items' literals: numbers and strings by value, all else by text."""
    rows = []
    for item in items:
        _refuse_nan(item)
        writer = _Writer(max_characters)
        writer.write(item, depth + 1)
        rows.append((item, "".join(writer.parts)))
    kinds = {type(item) for item, _ in rows}
    if kinds <= {int, float, bool} or kinds == {str} or kinds == {bytes}:
        rows.sort(key=lambda row: row[0])
    else:
        rows.sort(key=lambda row: row[1])
    return [text for _, text in rows]


_SIGNS = (ast.UAdd, ast.USub)


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.List(elts=items):
            return [_value(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple([_value(item) for item in items])
        case ast.Set(elts=items):
            return {_value(item) for item in items}
        case ast.Dict():
            return _dict(node)
        case ast.UnaryOp(op=op, operand=operand) if isinstance(op, _SIGNS):
            value = _number(operand)
            return +value if isinstance(op, ast.UAdd) else -value
        case ast.BinOp():
            return _complex(node)
        case ast.Call():
            return _made_by_call(node)
    return _refuse(type(node).__name__)


def _dict(node: ast.Dict) -> dict[Any, Any]:
    return {
        _value(key) if key is not None else _refuse("** in a dict"): _value(value)
        for key, value in zip(node.keys, node.values, strict=True)
    }


def _complex(node: ast.BinOp) -> complex:
    """Return the value of a real and an imaginary part, the one way to write both."""
    real = _value(node.left) if isinstance(node.left, ast.UnaryOp) else _number(node.left)
    imaginary = _number(node.right)
    if type(real) in (int, float) and type(imaginary) is complex:
        if isinstance(node.op, ast.Add):
            return complex(real + imaginary)
        if isinstance(node.op, ast.Sub):
            return complex(real - imaginary)
    return complex(_refuse("an operation"))


def _made_by_call(node: ast.Call) -> Any:
    match node:
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=str(name))], keywords=[]):
            if name in ("nan", "inf", "-inf"):
                return float(name)
        case ast.Call(func=ast.Name(id="set"), args=[], keywords=[]):
            return set()
        case ast.Call(func=ast.Name(id="frozenset"), args=[], keywords=[]):
            return frozenset()
        case ast.Call(func=ast.Name(id="frozenset"), args=[ast.Set() as display], keywords=[]):
            return frozenset(_value(display))
    return _refuse("Call")


def _number(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float, complex):
        return node.value
    return _refuse("a sign before what is no number")


def _refuse(what: str) -> Any:
    raise ValueError(f"not a literal: {what}")
