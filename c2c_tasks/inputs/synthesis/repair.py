"""Arguments mended by what the exception says that they raised."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from c2c_tasks import literals
from c2c_tasks.inputs.constants import listed, written
from c2c_tasks.inputs.signatures import Arguments
from c2c_tasks.inputs.synthesis.complaints import complaints, message_of
from c2c_tasks.inputs.synthesis.uses import (
    hashable,
    kind_of,
)
from c2c_tasks.records import Case


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the arguments a value stands: all values that deep under one parameter."""

    parameter: str
    depth: int


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
            for item in listed(items)[:20]:
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
            return {item for item in (rewrite(i, depth + 1) for i in value) if hashable(item)}
        return value

    return {
        name: rewrite(value, 0) if name == position.parameter else value
        for name, value in arguments.items()
    }


def converted(value: Any, kind: str) -> Any:
    """Return a value of another kind that keeps something of the old."""
    items = listed(value) if isinstance(value, list | tuple | set | frozenset) else None
    match kind:
        case "int":
            return len(value) if isinstance(value, str | list | dict | tuple | set) else 3
        case "float":
            return float(value) if isinstance(value, int) and abs(value) < 2**53 else 2.5
        case "str":
            return written(value) if items is None else " ".join(map(written, items))
        case "bytes":
            return written(value).encode(errors="replace")
        case "list" | "tuple":
            if items is None:
                items = list(value) if isinstance(value, dict) else [value, value, value]
                items = value.split() or [value] if isinstance(value, str) else items
            return items if kind == "list" else tuple(items)
        case "set":
            return {item for item in items or [1, 2] if hashable(item)}
        case "dict":
            keys = items if items is not None else ["a", "b"]
            return {written(key): position for position, key in enumerate(keys[:5] or ["a"])}
        case "bool":
            return bool(value)
    return None


def mended(case: Case, arguments: Arguments) -> Iterator[Arguments]:
    """Yield arguments in which what a case's exception complains of is changed."""
    for complaint in complaints(case):
        for position in positions(arguments, complaint.given)[:4]:
            for kind in complaint.wanted[:3]:
                convert = partial(converted, kind=kind)
                yield replaced(arguments, position, complaint.given, convert)
    mend = _MENDS.get(case.exception_type or "")
    if mend is not None:
        yield from mend(message_of(case), arguments)


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


_UNPACKING = re.compile(r"(?:not enough|too many) values to unpack \(expected (\d{1,3})\b")


def _mend_value(message: str, arguments: Arguments) -> Iterator[Arguments]:
    if found := _UNPACKING.search(message):
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
        key = literals.loads(message)
    except ValueError:
        return
    if not hashable(key):
        return
    for position in positions(arguments, "dict"):
        yield replaced(
            arguments,
            position,
            "dict",
            lambda table: {**table, key: next(iter(table.values()), 1)},
        )
        for item in ("a", [1, 2], {"a": 1}):
            add = partial(_with_item, key=key, item=item)
            yield replaced(arguments, position, "dict", add)


def _with_item(table: dict[Any, Any], key: Any, item: Any) -> dict[Any, Any]:
    return {**table, key: item}


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


def _mend_type(message: str, arguments: Arguments) -> Iterator[Arguments]:
    """Give one character where that many are wanted."""
    if "character" in message:
        for position in positions(arguments, "str"):
            yield replaced(arguments, position, "str", lambda text: (text or "a")[:1])


_MENDS: dict[str, Callable[[str, Arguments], Iterator[Arguments]]] = {
    "TypeError": _mend_type,
    "ValueError": _mend_value,
    "KeyError": _mend_key,
    "IndexError": _mend_index,
    "ZeroDivisionError": _mend_zero,
    "RecursionError": _mend_recursion,
    "OverflowError": _mend_recursion,
    "UnboundLocalError": _mend_zero,
}
