"""Canonical literal text of Python values: how `c2c_tasks.literals` writes.

This module is the sandbox's too: it imports the standard library alone, and little of it, since
what is loaded there is copied for every function.
"""

import cmath
import math
from collections.abc import Callable
from types import EllipsisType, NoneType
from typing import Any

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


def in_order(value: Any) -> Any:
    """Return a value, as a literal's text was compiled to, with the sets that reading it gives.

    A compiler makes a set of constants at once. Its items come in another order than those of a
    set that has got them one by one, as `ast.literal_eval` and `c2c_tasks.literals.loads` do it.
    """
    kind = type(value)
    if kind is list:
        return [in_order(item) for item in value]
    if kind is tuple:
        return tuple([in_order(item) for item in value])
    if kind is dict:
        return {in_order(key): in_order(item) for key, item in value.items()}
    if kind is set or kind is frozenset:
        items = set()
        for item, _ in _ordered(value, MAX_CHARACTERS, 0):
            items.add(in_order(item))
        return items if kind is set else frozenset(items)
    return value


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
        for position, (_, text) in enumerate(_ordered(value, self.left, depth)):
            if position:
                self.put(", ")
            self.put(text)
        self.put("}")

    def write_complex(self, value: complex, _: int) -> None:
        # A literal is a sum or a difference: "-0+1j" reads back as 0+1j, "1-0j" as 1+0j, and
        # "-1j" as -0-1j. "nanj" is a name.
        zeros = {str(part) for part in (value.real, value.imag)}
        negative = value.real == 0 and value.imag < 0
        if "-0.0" in zeros or negative or not cmath.isfinite(value):
            raise Unrepresentable("complex number without a literal")
        self.put(repr(value))


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


def _ordered(items: Any, max_characters: int, depth: int) -> list[tuple[Any, str]]:
    """Return items with their literals: numbers and strings by value, all else by text."""
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
    return rows


_INTEGERS = frozenset({int, bool})
