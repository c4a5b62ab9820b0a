"""Values of constant expressions, read from the AST; nothing is evaluated.

Inputs as people and models write them are a little more than literals: ``[0] * 5``,
``2**31 - 1``, ``frozenset([1])``, ``dict(a=1)``, ``"ab" * 3``, ``list(range(4))``. Those are
folded here, within bounds.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable
from typing import Any

from c2c_tasks import literals

MAX_ITEMS = 10_000
MAX_BITS = 4_096
MAX_DEPTH = 40


class NotConstant(ValueError):
    """The expression is not a constant; the message names what in it is not."""


def constant_value(node: ast.expr, names: dict[str, Any] | None = None) -> Any:
    """Return the value of a constant expression.

    `names` are values of names that may stand in it. Raises NotConstant.
    """
    return _value(node, names or {}, 0)


def _value(node: ast.expr, names: dict[str, Any], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise NotConstant("nesting that deep")
    match node:
        case ast.Constant():
            return node.value
        case ast.List() | ast.Tuple() | ast.Set():
            return _collect(type(node).__name__.lower(), _items(node.elts, names, depth))
        case ast.Dict():
            return _dict(node, names, depth)
        case ast.UnaryOp():
            return _unary(node.op, _value(node.operand, names, depth + 1))
        case ast.BinOp():
            left = _value(node.left, names, depth + 1)
            return _binary(left, node.op, _value(node.right, names, depth + 1))
        case ast.Call():
            return _call(node, names, depth)
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Name(id=name):
            raise NotConstant(f"the name {name}")
        case ast.JoinedStr(values=[ast.Constant(value=str(text))]):
            return text
    raise NotConstant(f"a {type(node).__name__}")


def _items(nodes: list[ast.expr], names: dict[str, Any], depth: int) -> list[Any]:
    items: list[Any] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            items.extend(_iterable(_value(node.value, names, depth + 1)))
        else:
            items.append(_value(node, names, depth + 1))
    return items


def _dict(node: ast.Dict, names: dict[str, Any], depth: int) -> dict[Any, Any]:
    value: dict[Any, Any] = {}
    for key_node, item_node in zip(node.keys, node.values, strict=True):
        item = _value(item_node, names, depth + 1)
        if key_node is not None:
            _put(value, _value(key_node, names, depth + 1), item)
        elif isinstance(item, dict):
            value.update(item)
        else:
            raise NotConstant("** of what is no dict")
    return value


def _put(value: dict[Any, Any], key: Any, item: Any) -> None:
    try:
        value[key] = item
    except TypeError:
        raise NotConstant(f"a {type(key).__name__} as a key") from None


def listed(values: Iterable[Any]) -> list[Any]:
    """Return items as a list, those of a set in an order that is the same in every process."""
    return sorted(values, key=written) if isinstance(values, set | frozenset) else list(values)


def written(value: Any) -> str:
    """Return what ``str(value)`` is for a plain value, the same in every process."""
    if isinstance(value, str):
        return value
    try:
        return literals.dumps(value)
    except literals.Unrepresentable:
        return repr(value)


def _iterable(value: Any) -> list[Any]:
    if isinstance(value, list | tuple | set | frozenset | dict | str | bytes | range):
        if len(value) > MAX_ITEMS:
            raise NotConstant("more items than the limit")
        return listed(value)
    raise NotConstant(f"iteration over a {type(value).__name__}")


def _unary(op: ast.unaryop, value: Any) -> Any:
    if isinstance(op, ast.Not):
        return not value
    if not isinstance(value, int | float | complex):
        raise NotConstant("a sign before what is no number")
    if isinstance(op, ast.Invert):
        if not isinstance(value, int):
            raise NotConstant("~ of what is no integer")
        return -int(value) - 1
    return -value if isinstance(op, ast.USub) else +value


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
}


def _binary(left: Any, op: ast.operator, right: Any) -> Any:
    apply = _ARITHMETIC.get(type(op))
    numbers = isinstance(left, int | float | complex) and isinstance(right, int | float | complex)
    if apply is None or (isinstance(op, ast.Mod) and not numbers):
        raise NotConstant(f"the operator {type(op).__name__}")
    if not numbers:
        _check_size(left, op, right)
    elif isinstance(left, int) and isinstance(right, int):
        _check_bits(left, op, right)
    try:
        return apply(left, right)
    except (TypeError, ValueError, ArithmeticError, MemoryError) as error:
        raise NotConstant(f"an operation that fails ({error})") from None


def _check_size(left: Any, op: ast.operator, right: Any) -> None:
    sized = [value for value in (left, right) if isinstance(value, str | bytes | list | tuple)]
    if isinstance(op, ast.Mult) and len(sized) == 1:
        times = right if sized[0] is left else left
        if isinstance(times, int) and len(sized[0]) * times <= MAX_ITEMS:
            return
    elif isinstance(op, ast.Add) and len(sized) == 2:
        if len(left) + len(right) <= MAX_ITEMS:
            return
    elif isinstance(left, set | frozenset) and isinstance(right, set | frozenset):
        return
    raise NotConstant("an operation over the limit")


def _check_bits(left: int, op: ast.operator, right: int) -> None:
    if isinstance(op, ast.Mult):
        bits = left.bit_length() + right.bit_length()
    elif isinstance(op, ast.LShift):
        bits = left.bit_length() + max(right, 0)
    elif isinstance(op, ast.Pow):
        bits = left.bit_length() * max(right, 0)
    else:
        return
    if bits > MAX_BITS:
        raise NotConstant("an integer over the limit")


_CONTAINERS: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "sorted": sorted,
}


def _collect(name: str, items: list[Any]) -> Any:
    try:
        return _CONTAINERS[name](items)
    except TypeError as error:
        raise NotConstant(f"a {name} that cannot be ({error})") from None


def _call(node: ast.Call, names: dict[str, Any], depth: int) -> Any:
    if not isinstance(node.func, ast.Name) or node.func.id in names:
        raise NotConstant("a call")
    name = node.func.id
    if name == "dict":
        return _dict_call(node, names, depth)
    if node.keywords:
        raise NotConstant(f"a call of {name}")
    values = _items(node.args, names, depth)
    match name, values:
        case (("set" | "list" | "tuple" | "frozenset"), []):
            return _collect(name, [])
        case (("str" | "bytes"), []):
            return "" if name == "str" else b""
        case (("list" | "tuple" | "set" | "frozenset" | "sorted"), [value]):
            return _collect(name, _iterable(value))
        case "range", [*bounds] if 1 <= len(bounds) <= 3 and all(type(b) is int for b in bounds):
            if len(bounds) == 3 and bounds[2] == 0:
                raise NotConstant("a range without a step")
            return _iterable(range(*bounds))
        case (("float" | "int"), [str() | int() | float() as value]):
            return _number(name, value)
        case "complex", [(int() | float()) as real, (int() | float()) as imaginary]:
            return complex(real, imaginary)
    raise NotConstant(f"a call of {name}")


def _number(name: str, value: str | int | float) -> int | float:
    if isinstance(value, str) and len(value) > 300:
        raise NotConstant("a number over the limit")
    try:
        return float(value) if name == "float" else int(value)
    except (ValueError, OverflowError):
        raise NotConstant("what is no number") from None


def _dict_call(node: ast.Call, names: dict[str, Any], depth: int) -> dict[Any, Any]:
    value: dict[Any, Any] = {}
    for argument in node.args:
        given = _value(argument, names, depth + 1)
        pairs = given.items() if isinstance(given, dict) else _iterable(given)
        for pair in pairs:
            if not isinstance(pair, list | tuple) or len(pair) != 2:
                raise NotConstant("a dict of what are no pairs")
            _put(value, pair[0], pair[1])
    for keyword in node.keywords:
        item = _value(keyword.value, names, depth + 1)
        if keyword.arg is not None:
            value[keyword.arg] = item
        elif isinstance(item, dict):
            value.update(item)
        else:
            raise NotConstant("** of what is no dict")
    return value
