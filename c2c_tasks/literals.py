"""Python values <-> canonical literal text.

The text of a value is the same in every process: sets are written in sorted order, floats
with `repr`, strings with `repr`. `loads` reads it back to an equal value of the same type.
What `ast.literal_eval` has no spelling for is spelled as the call that makes it:
``float('nan')``, ``float('inf')``, ``float('-inf')``, ``frozenset({1, 2})``.

This module is the sandbox's and the host's: it imports the standard library and `syntax` alone.
"""

import ast
import contextlib
import math
import re
from collections.abc import Callable, Sequence
from types import EllipsisType, NoneType
from typing import Any

from c2c_tasks.syntax import parse_expression

MAX_CHARACTERS = 100_000
MAX_DEPTH = 40
"""Nesting below which CPython's parser, and every reader downstream, is at ease."""
CALLED_NAMES = {"float": float, "set": set, "frozenset": frozenset}
"""What literals call. A canonical literal needs no other name to be evaluated."""


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


def canonical(texts: Sequence[str]) -> list[str]:
    """Return the canonical literals of the values that literals have; most are those texts.

    What a regular expression can tell to be canonical is not parsed, and the rest is parsed
    together. Raises ValueError where one is no literal.
    """
    unsure = [text for text in texts if not _is_plain(text)]
    if not unsure:
        return list(texts)
    together = zip(unsure, _values(unsure), strict=False)
    others = set(unsure) - {text for text, value in together if _writes(value, text)}
    return [dumps(loads(text), 4 * MAX_CHARACTERS) if text in others else text for text in texts]


def _values(texts: list[str]) -> list[Any]:
    """Return what may be the values of the texts: they are, where they are written so."""
    with contextlib.suppress(ValueError):
        return list(loads(f"[{', '.join(texts)}]"))
    return []


def _writes(value: object, text: str) -> bool:
    with contextlib.suppress(Unrepresentable):
        return dumps(value, len(text)) == text
    return False


def _displays(item: str) -> str:
    """Return the pattern of lists and tuples of what a pattern matches."""
    items = f"{item}(?:, {item})*"
    return rf"\[(?:{items})?\]|\((?:{item},|{item}(?:, {item})+)?\)"


_ATOM = r"(?:'(?:[ -&(-\[\]-~]|\\[\\nrt])*'|0|-?[1-9][0-9]{0,1000}|None|True|False)"
_FLAT = f"(?:{_ATOM}|{_displays(_ATOM)})"
_PLAIN = re.compile(f"{_FLAT}|{_displays(_FLAT)}")
"""Strings of ASCII without single quotes, integers and names, lists and tuples of them, and those
of those: for each of these texts there is one value, and for the value this text."""
_FLOAT = re.compile(r"-?[0-9.]{1,30}(?:e[-+][0-9]{1,3})?")


def _is_plain(text: str) -> bool:
    """Return True only where `text` is seen to be canonical."""
    if _PLAIN.fullmatch(text):
        return True
    try:
        return _FLOAT.fullmatch(text) is not None and repr(float(text)) == text
    except ValueError:
        return False


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
        if items and self.write_alike(opening, items, closing, depth):
            return
        self.put(opening)
        for position, item in enumerate(items):
            if position:
                self.put(", ")
            self.write(item, depth + 1)
        self.put(closing)

    def write_alike(self, opening: str, items: Any, closing: str, depth: int) -> bool:
        """Write items that are all strings or all small numbers at once; return if they are."""
        kinds = set(map(type, items)) if 3 * len(items) <= self.left and depth < MAX_DEPTH else ()
        if kinds == {str}:
            if sum(map(len, items)) > self.left:
                return False
        elif not kinds or not _INTEGERS.issuperset(kinds) or max(map(abs, items)) >= 1 << 63:
            return False
        self.put(f"{opening}{repr([*items])[1:-1]}{closing}")
        return True

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


_INTEGERS = frozenset({int, bool})
_SIGNS = (ast.UAdd, ast.USub)


def _value(node: ast.expr) -> Any:
    read = _READERS.get(type(node))
    return read(node) if read is not None else _refuse(type(node).__name__)


def _constant(node: Any) -> Any:
    return node.value


def _list(node: Any) -> list[Any]:
    return [_value(item) for item in node.elts]


def _tuple(node: Any) -> tuple[Any, ...]:
    return tuple([_value(item) for item in node.elts])


def _set(node: Any) -> set[Any]:
    return {_value(item) for item in node.elts}


def _signed(node: Any) -> Any:
    if not isinstance(node.op, _SIGNS):
        return _refuse("an operation")
    value = _number(node.operand)
    return +value if isinstance(node.op, ast.UAdd) else -value


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


_READERS: dict[type, Callable[[Any], Any]] = {
    ast.Constant: _constant,
    ast.List: _list,
    ast.Tuple: _tuple,
    ast.Set: _set,
    ast.Dict: _dict,
    ast.UnaryOp: _signed,
    ast.BinOp: _complex,
    ast.Call: _made_by_call,
}


def _number(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float, complex):
        return node.value
    return _refuse("a sign before what is no number")


def _refuse(what: str) -> Any:
    raise ValueError(f"not a literal: {what}")
