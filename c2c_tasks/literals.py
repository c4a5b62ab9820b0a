"""Python values <-> canonical literal text.

The text of a value is the same in every process: sets are written in sorted order, floats
with `repr`, strings with `repr`. `loads` reads it back to an equal value of the same type.
What `ast.literal_eval` has no spelling for is spelled as the call that makes it:
``float('nan')``, ``float('inf')``, ``float('-inf')``, ``frozenset({1, 2})``.
"""

import ast
import contextlib
import re
from collections.abc import Callable, Sequence
from typing import Any

from c2c_tasks.literal_writer import MAX_CHARACTERS, Unrepresentable, dumps
from c2c_tasks.syntax import parse_expression

__all__ = ["MAX_CHARACTERS", "Unrepresentable", "canonical", "dumps", "loads"]


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
