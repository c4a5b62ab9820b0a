"""What an exception says is wrong with the arguments, and arguments mended by it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from c2c_tasks.inputs.synthesis.calls import having_attribute
from c2c_tasks.inputs.synthesis.uses import KINDS, UNLIKELY, kind_of
from c2c_tasks.records import Case

Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Complaint:
    """Values of the kind `given` are wrong; the kinds in `wanted` may be right, best first."""

    given: str
    wanted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the arguments a value stands: all values that deep under one parameter."""

    parameter: str
    depth: int


_ITERABLE = ("list", "str", "dict")
_NUMBERS = ("int", "float")
_KIND_NAMES = {"NoneType": "none", "frozenset": "set", "string": "str", "dict_keys": "list"}
_COMPLAINTS: tuple[tuple[str, Callable[..., list[tuple[str, tuple[str, ...]]]]], ...] = (
    (r"unsupported operand type\(s\) for .*: '(\w+)' and '(\w+)'", lambda a, b: _pair(a, b)),
    (r"not supported between instances of '(\w+)' and '(\w+)'", lambda a, b: _pair(a, b)),
    (r"can only concatenate (\w+) \(not \"(\w+)\"\)", lambda a, b: [(b, (a,)), (a, (b,))]),
    (r"object of type '(\w+)' has no len", lambda a: [(a, _ITERABLE)]),
    (r"argument of type '(\w+)' is not (?:iterable|a container)", lambda a: [(a, _ITERABLE)]),
    (r"cannot unpack non-iterable (\w+) object", lambda a: [(a, ("tuple", "list"))]),
    (r"'(\w+)' object is not iterable", lambda a: [(a, _ITERABLE)]),
    (r"'(\w+)' object is not subscriptable", lambda a: [(a, ("list", "dict", "str"))]),
    (r"'(\w+)' object is not reversible", lambda a: [(a, ("list", "str"))]),
    (r"'(\w+)' object does not support item", lambda a: [(a, ("list", "dict"))]),
    (r"'(\w+)' object doesn't support item", lambda a: [(a, ("list", "dict"))]),
    (r"'(\w+)' object has no attribute '(\w+)'", lambda a, name: [(a, _having(name))]),
    (r"'(\w+)' object cannot be interpreted as an integer", lambda a: [(a, ("int",))]),
    (r"(\w+) indices must be integers(?:.*), not '?(\w+)", lambda a, b: [
        (b, ("int",)), (a, ("dict",))]),
    (r"(\w+) indices must be integers", lambda a: [(a, ("dict", "list"))]),
    (r"unhashable type: '(\w+)'", lambda a: [(a, ("str", "int", "tuple"))]),
    (r"must be real number, not (\w+)", lambda a: [(a, _NUMBERS)]),
    (r"must be an? (?:integer|int).*(?:, not |got )'?(\w+)", lambda a: [(a, ("int",))]),
    (r"expected str instance, (\w+) found", lambda a: [(a, ("str",))]),
    (r"(?:must be|expected) (?:a )?str(?:ing)?\b.*(?:, not |got )'?(\w+)", lambda a: [(a, ("str",))]),
    (r"expected string or bytes-like object(?:, got '(\w+)')?", lambda a: [
        (kind, ("str",)) for kind in ([a] if a else ["int", "list", "dict", "float"])]),
    (r"first arg must be .*str.*, not (\w+)", lambda a: [(a, ("str",))]),
    (r"must be (?:a string|str).*, not '?(\w+)", lambda a: [(a, ("str", "int"))]),
    (r"argument must be a string.*, not '(\w+)'", lambda a: [(a, ("str", "int"))]),
    (r"bad operand type for .*: '(\w+)'", lambda a: [(a, _NUMBERS)]),
    (r"can't multiply sequence by non-int of type '(\w+)'", lambda a: [
        (a, ("int",)), ("str", _NUMBERS), ("list", _NUMBERS)]),
    (r"type (\w+) doesn't define __round__", lambda a: [(a, ("float", "int"))]),
    (r"expected string of length 1, but (\w+) found", lambda a: [(a, ("str",))]),
    (r"not all arguments converted", lambda: [("str", _NUMBERS)]),
    (r"format: a (?:real )?number is required, not (\w+)", lambda a: [(a, _NUMBERS)]),
    (r"an integer is required, not (\w+)", lambda a: [(a, ("int",))]),
    (r"Unknown format code '\w' for object of type '(\w+)'", lambda a: [(a, _NUMBERS)]),
    (r"'(\w+)' object is not an iterator", lambda a: [(a, ("list",))]),
)  # fmt: skip
_COMPILED = [(re.compile(pattern), read) for pattern, read in _COMPLAINTS]


def complaints(case: Case) -> list[Complaint]:
    """Return what a case's exception says of the kinds of values."""
    message = case.exception_message or ""
    for pattern, read in _COMPILED:
        found = pattern.search(message)
        if found is None:
            continue
        pairs = [(_KIND_NAMES.get(given, given), wanted) for given, wanted in read(*found.groups())]
        return [
            Complaint(given, tuple(kind for kind in wanted if kind != given and kind in KINDS))
            for given, wanted in pairs
            if given in KINDS
        ]
    return []


def _pair(first: str, second: str) -> list[tuple[str, tuple[str, ...]]]:
    first, second = _KIND_NAMES.get(first, first), _KIND_NAMES.get(second, second)
    if first == second:
        return [(first, ("int", "float", "str", "list"))]
    return [(first, (second, "int")), (second, (first, "int"))]


def _having(attribute: str) -> tuple[str, ...]:
    seen = having_attribute(attribute)
    if seen is None:
        return ()
    order = sorted(range(len(KINDS)), key=lambda position: -seen[position])
    return tuple(KINDS[position] for position in order if seen[position] > UNLIKELY)[:3]


def positions(arguments: Arguments, kind: str) -> list[Position]:
    """Return where values of a kind stand, outermost first."""
    found: dict[Position, None] = {}
    for name, value in arguments.items():
        for depth, inner in _walk(value, 0):
            if kind_of(inner) == kind:
                found[Position(name, depth)] = None
    return sorted(found, key=lambda position: position.depth)


def _walk(value: Any, depth: int) -> Iterator[tuple[int, Any]]:
    yield depth, value
    if depth < 3:
        items = value.values() if isinstance(value, dict) else value
        if isinstance(value, list | tuple | set | frozenset | dict):
            for item in list(items)[:20]:
                yield from _walk(item, depth + 1)


def replaced(
    arguments: Arguments, position: Position, kind: str, make: Callable[[Any], Any]
) -> Arguments:
    """Return the arguments with each value of a kind at a position made anew from the old."""

    def rewrite(value: Any, depth: int) -> Any:
        if depth == position.depth:
            return make(value) if kind_of(value) == kind else value
        if isinstance(value, list):
            return [rewrite(item, depth + 1) for item in value]
        if isinstance(value, tuple):
            return tuple(rewrite(item, depth + 1) for item in value)
        if isinstance(value, dict):
            return {key: rewrite(item, depth + 1) for key, item in value.items()}
        if isinstance(value, set | frozenset):
            items = [rewrite(item, depth + 1) for item in sorted(value, key=repr)]
            return {item for item in items if not isinstance(item, list | dict | set)}
        return value

    return {
        name: rewrite(value, 0) if name == position.parameter else value
        for name, value in arguments.items()
    }


def converted(value: Any, kind: str) -> Any:
    """Return a value of another kind that keeps something of the old."""
    items = list(value) if isinstance(value, list | tuple | set | frozenset) else None
    match kind:
        case "int":
            return len(value) if isinstance(value, str | list | dict | tuple | set) else 3
        case "float":
            return float(value) if isinstance(value, int) else 2.5
        case "str":
            return str(value) if items is None else " ".join(str(item) for item in items)
        case "bytes":
            return str(value).encode()
        case "list" | "tuple":
            if items is None:
                items = list(value) if isinstance(value, dict) else [value, value, value]
                items = value.split() or [value] if isinstance(value, str) else items
            return items if kind == "list" else tuple(items)
        case "set":
            return {item for item in items or [1, 2] if not isinstance(item, list | dict | set)}
        case "dict":
            keys = items if items is not None else ["a", "b"]
            return {str(key): position for position, key in enumerate(keys[:5] or ["a"])}
        case "bool":
            return bool(value)
    return None


def mended(case: Case, arguments: Arguments) -> Iterator[Arguments]:
    """Yield arguments in which what a case's exception complains of is changed."""
    for complaint in complaints(case):
        for position in positions(arguments, complaint.given)[:4]:
            for kind in complaint.wanted[:3]:
                yield replaced(
                    arguments,
                    position,
                    complaint.given,
                    lambda value, kind=kind: converted(value, kind),
                )
    mend = _MENDS.get(case.exception_type or "")
    if mend is not None:
        yield from mend(case.exception_message or "", arguments)


def _resized(arguments: Arguments, length: int | None) -> Iterator[Arguments]:
    """Yield arguments with containers of another length; None for longer ones."""

    def resize(value: Any) -> Any:
        size = length if length is not None else max(2 * len(value), 8)
        if not value:
            filler: Any = "abcdefgh" if isinstance(value, str) else [1, 2, 3, 4, 5, 6, 7, 8]
            value = type(value)(filler)
        return (value * (size // len(value) + 1))[:size]

    for kind in ("list", "tuple", "str"):
        for position in positions(arguments, kind)[:3]:
            yield replaced(arguments, position, kind, resize)


def _mend_value(message: str, arguments: Arguments) -> Iterator[Arguments]:
    if found := re.search(r"(?:not enough|too many) values to unpack \(expected (\d+)", message):
        yield from _resized(arguments, int(found.group(1)))
    elif "invalid literal for int" in message or "could not convert string" in message:
        for position in positions(arguments, "str"):
            yield replaced(arguments, position, "str", lambda value: str(len(value)))
    elif "substring not found" in message or "not in list" in message or "not in tuple" in message:
        yield from _enclosed(arguments)
    elif "empty" in message or "at least" in message:
        yield from _resized(arguments, 3)
    elif "math domain" in message or "negative" in message or "non-negative" in message:
        for kind in ("int", "float"):
            for position in positions(arguments, kind):
                yield replaced(arguments, position, kind, abs)


def _enclosed(arguments: Arguments) -> Iterator[Arguments]:
    """Yield arguments in which one value holds all that the others are made of."""
    for name, value in arguments.items():
        scalars = [
            inner
            for other, given in arguments.items()
            if other != name
            for _, inner in _walk(given, 0)
            if isinstance(inner, str | int | float)
        ]
        if isinstance(value, str):
            letters = dict.fromkeys("".join(str(inner) for inner in scalars))
            yield {**arguments, name: "".join(letters) + value}
            yield {**arguments, name: "abcdefghijklmnopqrstuvwxyz"}
        elif isinstance(value, list):
            yield {**arguments, name: [*value, *scalars[:20]]}


def _mend_key(message: str, arguments: Arguments) -> Iterator[Arguments]:
    try:
        key = ast.literal_eval(message)
        hash(key)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return
    for position in positions(arguments, "dict"):
        for item in (1, "a", [1, 2], {"a": 1}):
            yield replaced(
                arguments, position, "dict", lambda value, item=item: {**value, key: _like(value, item)}
            )


def _like(table: dict[Any, Any], item: Any) -> Any:
    """Return what a table's values look like, or `item` where it has none."""
    return next(iter(table.values()), item) if item == 1 else item


def _mend_index(message: str, arguments: Arguments) -> Iterator[Arguments]:
    yield from _resized(arguments, None)
    for position in positions(arguments, "int"):
        yield replaced(arguments, position, "int", lambda value: value % 3)


def _mend_zero(message: str, arguments: Arguments) -> Iterator[Arguments]:
    for kind in ("int", "float"):
        for position in positions(arguments, kind):
            yield replaced(arguments, position, kind, lambda value: value or 3)
    yield from _resized(arguments, 3)


def _mend_recursion(message: str, arguments: Arguments) -> Iterator[Arguments]:
    for position in positions(arguments, "int"):
        yield replaced(arguments, position, "int", lambda value: abs(value) % 7)


_MENDS: dict[str, Callable[[str, Arguments], Iterator[Arguments]]] = {
    "ValueError": _mend_value,
    "KeyError": _mend_key,
    "IndexError": _mend_index,
    "ZeroDivisionError": _mend_zero,
    "RecursionError": _mend_recursion,
    "OverflowError": _mend_recursion,
    "UnboundLocalError": _mend_zero,
}
