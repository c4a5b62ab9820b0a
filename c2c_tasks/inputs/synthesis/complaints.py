"""What an exception says of the kinds of the values it is about."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from c2c_tasks.inputs.synthesis.uses import KINDS, UNLIKELY, having_attribute
from c2c_tasks.records import Case

MAX_MESSAGE = 300
"""Characters of an exception's message that are read; the program may say anything in it."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """Values of the kind `given` are wrong; the kinds in `wanted` may be right, best first."""

    given: str
    wanted: tuple[str, ...]


_ITERABLE = ("list", "str", "dict")
_NUMBERS = ("int", "float")
_KIND_NAMES = {"NoneType": "none", "frozenset": "set", "string": "str", "dict_keys": "list"}
_COMPLAINTS: tuple[tuple[str, Callable[..., list[tuple[str, tuple[str, ...]]]]], ...] = (
    (r"bytes-like object(?: is required)?, not '?(\w+)", lambda a: [(a, ("bytes",))]),
    (r"cannot use a bytes pattern on a string", lambda: [("str", ("bytes",))]),
    (r"cannot use a string pattern on a bytes", lambda: [("bytes", ("str",))]),
    (r"must be str.*, not bytes", lambda: [("str", ("bytes",)), ("bytes", ("str",))]),
    (r"can't concat (\w+) to (\w+)", lambda a, b: _pair(a, b)),
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
    (r"(?:must be|expected) (?:a )?str(?:ing)?\b.*(?:, not |got )'?(\w+)",
     lambda a: [(a, ("str",))]),
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
    message = message_of(case)
    for pattern, read in _COMPILED:
        found = pattern.search(message)
        if found is None:
            continue
        pairs = [(_KIND_NAMES.get(given, given), wanted) for given, wanted in read(*found.groups())]
        return [
            Complaint(given, tuple(k for k in dict.fromkeys(wanted) if k != given and k in KINDS))
            for given, wanted in pairs
            if given in KINDS
        ]
    return []


def message_of(case: Case) -> str:
    """Return the beginning of the exception's message, "" where there is none."""
    return (case.exception_message or "")[:MAX_MESSAGE]


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
