"""The type of a value, told from its canonical literal without reading all of it."""

from __future__ import annotations

import re

from c2c_tasks.literals import loads

_BY_START = {
    "'": "str",
    '"': "str",
    "[": "list",
    "b'": "bytes",
    'b"': "bytes",
    "None": "None",
    "True": "bool",
    "False": "bool",
    "...": "Ellipsis",
    "set()": "set",
    "frozenset(": "frozenset",
    "float(": "float",
}
_START = re.compile("|".join(map(re.escape, _BY_START)))
_INTEGER = re.compile(r"-?\d+")
_FIRST_KEY = re.compile(
    r"""\{ (?: b?'(?:[^'\\]|\\.)*' | b?"(?:[^"\\]|\\.)*" | [^'"\s(){}\[\],:]+ ) (?P<end>[:,}])""",
    re.VERBOSE | re.DOTALL,
)


def type_of(literal: str) -> str:
    """Return the name of the type of a canonical literal's value; ``None`` for None."""
    if start := _START.match(literal):
        return _BY_START[start[0]]
    if literal.startswith("("):
        # (1+2j) is the one literal in brackets that is no tuple.
        return "complex" if literal.endswith("j)") and "," not in literal else "tuple"
    if literal.startswith("{"):
        return _dict_or_set(literal)
    if _INTEGER.fullmatch(literal):
        return "int"
    return "complex" if literal.endswith("j") else "float"


def _dict_or_set(literal: str) -> str:
    if literal == "{}":
        return "dict"
    key = _FIRST_KEY.match(literal)
    if key is None:  # a tuple, say
        return type(loads(literal)).__name__
    return "dict" if key["end"] == ":" else "set"
