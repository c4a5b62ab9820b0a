"""Operators of mutation: what may stand in a node's place, so that the program has one fault.

They are the sufficient operators of Offutt et al. 1996 ("An experimental determination of
sufficient mutant operators") as far as Python has them, with
constants, conditions, returned values and statements left out as tools for Python (MutPy, mutmut)
change them. Left out are
faults that any case shows: operators that a text next to them forbids, and loops that never end.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, Literal

Operator = Literal[
    "arithmetic",
    "comparison",
    "boolean",
    "constant",
    "off_by_one",
    "condition",
    "returned_value",
    "deleted_statement",
]
Nodes = Iterator[ast.AST]

_ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Add, ast.FloorDiv),
    ast.Div: (ast.Mult, ast.FloorDiv), ast.FloorDiv: (ast.Mult, ast.Div), ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,), ast.LShift: (ast.RShift,), ast.RShift: (ast.LShift,),
    ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,), ast.BitXor: (ast.BitAnd,),
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
_DELETED = (
    ast.Assign, ast.AugAssign, ast.Expr, ast.Return, ast.Raise, ast.Assert, ast.Delete,
    ast.Continue, ast.Break,
)  # fmt: skip
"""Statements that may be left out; what a block holds goes by its condition."""


def replacements(parent: ast.AST, field: str, node: ast.AST) -> Iterator[tuple[Operator, ast.AST]]:
    """Yield what may stand in the place of a node, in a field of its parent, by operator."""
    for operator, make in _OPERATORS.items():
        for other in make(parent, field, node):
            yield operator, other


def _arithmetic(parent: ast.AST, field: str, node: ast.AST) -> Nodes:
    match node:
        case ast.BinOp(left=left, op=op, right=right) if not _is_text(left, right):
            for other in _ARITHMETIC.get(type(op), ()):
                yield ast.BinOp(left, other(), right)
        case ast.AugAssign(target=target, op=op, value=value) if not _is_text(value):
            for other in _ARITHMETIC.get(type(op), ()):
                yield ast.AugAssign(target, other(), value)
        case ast.UnaryOp(op=ast.USub() | ast.Invert(), operand=operand):
            yield operand


def _comparison(parent: ast.AST, field: str, node: ast.AST) -> Nodes:
    if isinstance(node, ast.Compare):
        for at, op in enumerate(node.ops):
            for other in _COMPARISONS[type(op)]:
                changed = [*node.ops[:at], other(), *node.ops[at + 1 :]]
                yield ast.Compare(node.left, changed, node.comparators)


def _boolean(parent: ast.AST, field: str, node: ast.AST) -> Nodes:
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BoolOp(op=ast.And(), values=values):
            yield ast.BoolOp(ast.Or(), values)
        case ast.BoolOp(op=ast.Or(), values=values):
            yield ast.BoolOp(ast.And(), values)


def _constant(parent: ast.AST, field: str, node: ast.AST) -> Nodes:
    if not isinstance(node, ast.Constant):
        return
    match node.value:
        case bool(value):
            yield ast.Constant(not value)
        case int(value) if abs(value) > 1:
            yield ast.Constant(0)
        case float(value):
            yield ast.Constant(value + 1.0)
            if value:
                yield ast.Constant(0.0)
        case str(value):
            yield ast.Constant(f"X{value}")
            if value and not isinstance(parent, ast.JoinedStr):
                yield ast.Constant("")
        case bytes(value):
            yield ast.Constant(b"X" + value)


def _off_by_one(parent: ast.AST, field: str, node: ast.AST) -> Nodes:
    match node:
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            yield from (_number(value + 1), _number(value - 1))
        case ast.Subscript(value=owner, slice=index, ctx=context):
            yield from (ast.Subscript(owner, other, context) for other in _indexes(index))
        case ast.Call(func=ast.Name(id="range") as func, args=[*given], keywords=[]) if given:
            stop = min(1, len(given) - 1)
            for moved in _moved(given[stop]):
                yield ast.Call(func, [*given[:stop], moved, *given[stop + 1 :]], [])


def _indexes(index: ast.expr) -> Iterator[ast.expr]:
    """Yield an index, or a slice, that is off by one."""
    match index:
        case ast.Slice(lower=lower, upper=upper, step=step):
            for moved in _moved(lower) if lower else (ast.Constant(1),):
                yield ast.Slice(moved, upper, step)
            for moved in _moved(upper) if upper else (_number(-1),):
                yield ast.Slice(lower, moved, step)
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            yield from _moved(index)


def _moved(node: ast.expr) -> Iterator[ast.expr]:
    """Yield one more and one less than a number; constants are changed by themselves."""
    match node:
        case ast.Constant() | ast.UnaryOp(operand=ast.Constant()):
            return
    yield ast.BinOp(node, ast.Add(), ast.Constant(1))
    yield ast.BinOp(node, ast.Sub(), ast.Constant(1))


def _number(value: int) -> ast.expr:
    """Return a number as the parser would: a sign is an operator."""
    return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)


def _condition(parent: ast.AST, field: str, node: ast.AST) -> Nodes:
    is_test = field == "test" or (isinstance(parent, ast.comprehension) and field == "ifs")
    if not is_test or not isinstance(node, ast.expr) or isinstance(node, ast.Constant):
        return
    yield ast.UnaryOp(ast.Not(), node)
    yield ast.Constant(False)
    if not isinstance(parent, ast.While):  # it would not end
        yield ast.Constant(True)


def _returned_value(parent: ast.AST, field: str, node: ast.AST) -> Nodes:
    if not isinstance(node, ast.Return):
        return
    match node.value:
        case None | ast.Constant(value=None):
            yield ast.Return(ast.Constant(0))
            return
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            yield ast.Return(ast.UnaryOp(ast.Not(), node.value))
        case ast.List(elts=[_, *_]):
            yield ast.Return(ast.List([], ast.Load()))
        case ast.Tuple(elts=[first, second]):
            yield ast.Return(ast.Tuple([second, first], ast.Load()))
    yield ast.Return(ast.Constant(None))


def _deleted_statement(parent: ast.AST, field: str, node: ast.AST) -> Nodes:
    if isinstance(node, _DELETED) and not isinstance(parent, ast.Module):
        yield ast.Pass()


_OPERATORS: dict[Operator, Callable[[ast.AST, str, ast.AST], Nodes]] = {
    "arithmetic": _arithmetic,
    "comparison": _comparison,
    "boolean": _boolean,
    "constant": _constant,
    "off_by_one": _off_by_one,
    "condition": _condition,
    "returned_value": _returned_value,
    "deleted_statement": _deleted_statement,
}
OPERATORS = tuple(_OPERATORS)


def _is_text(*nodes: Any) -> bool:
    """Tell whether one of the nodes is text for sure: other operators would only raise."""
    return any(
        isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str))
        for node in nodes
    )
