"""How many outputs a function can have at most, as far as its returns tell."""

from __future__ import annotations

import ast
import math

from c2c_tasks import literals
from c2c_tasks.inputs.constants import NotConstant, constant_value
from c2c_tasks.inputs.synthesis.conditions import FunctionNode

_FUNCTIONS = frozenset({"all", "any", "bool", "callable", "hasattr", "isinstance", "issubclass"})
_METHODS = frozenset({
    "endswith", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isdisjoint",
    "isidentifier", "islower", "isnumeric", "isprintable", "isspace", "issubset", "issuperset",
    "istitle", "isupper", "startswith", "is_integer",
})  # fmt: skip
_TRUTHS = frozenset({"True", "False"})
_MAX_DEPTH = 20


def most_outputs(entry: FunctionNode) -> float:
    """Return a bound on the function's different outputs, infinite where there is none.

    There is one where it returns constants and truth values alone, `None` at its end included.
    """
    own = _Own()
    own.open.update(node.arg for node in ast.walk(entry.args) if isinstance(node, ast.arg))
    for statement in entry.body:
        own.visit(statement)
    if own.yields:
        return math.inf
    found: set[str] = set()
    for node in own.returns:
        values = _values(node, own, _MAX_DEPTH)
        if values is None:
            return math.inf
        found |= values
    return len(found if _ends(entry.body) else found | {"None"})


def _ends(body: list[ast.stmt]) -> bool:
    """Tell whether a block never comes to its end."""
    match body[-1:]:
        case [ast.Return() | ast.Raise()]:
            return True
        case [ast.If(body=held, orelse=failed)]:
            return _ends(held) and _ends(failed)
        case [ast.With(body=inner)]:
            return _ends(inner)
        case [ast.Try(body=inner, handlers=handlers, orelse=orelse, finalbody=final)]:
            handled = all(_ends(handler.body) for handler in handlers)
            return _ends(final) or (handled and (_ends(inner) or _ends(orelse)))
    return False


class _Own(ast.NodeVisitor):
    """Gathers what a function returns, and what is assigned to its names, but no inner one's."""

    def __init__(self) -> None:
        self.returns: list[ast.expr] = []
        self.yields = False
        self.assigned: dict[str, list[ast.expr]] = {}
        self.open: set[str] = set()
        """Names that hold what is not known."""

    def visit_Return(self, node: ast.Return) -> None:
        self.returns.append(node.value or ast.Constant(None))
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.assigned.setdefault(target.id, []).append(node.value)
            else:
                self.generic_visit(target)
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if isinstance(node.target, ast.Name) and node.value is not None:
            self.assigned.setdefault(node.target.id, []).append(node.value)
            self.visit(node.value)

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.open.add(node.id)

    def visit_Yield(self, node: ast.Yield) -> None:
        self.yields = True

    def visit_YieldFrom(self, node: ast.YieldFrom) -> None:
        self.yields = True

    def visit_Lambda(self, node: ast.Lambda) -> None:
        pass

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.open.add(node.name)
        # an inner function may assign to the names of the outer one
        self.open.update(
            name for part in ast.walk(node) if isinstance(part, ast.Nonlocal) for name in part.names
        )

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.open.add(node.name)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.open.add(node.name)


def _values(node: ast.expr, own: _Own, depth: int) -> set[str] | None:
    """Return the literals that an expression can have, or None where they are not known."""
    if depth == 0:
        return None
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return set(_TRUTHS)
        case ast.Call(func=ast.Name(id=name)) if name in _FUNCTIONS and name not in own.open:
            return set(_TRUTHS)
        case ast.Call(func=ast.Name(id="print")):
            return {"None"}
        case ast.Call(func=ast.Attribute(attr=name)) if name in _METHODS:
            return set(_TRUTHS)
        case ast.BoolOp(values=parts):
            return _union(parts, own, depth)
        case ast.IfExp(body=first, orelse=second):
            return _union([first, second], own, depth)
        case ast.Name(id=name) if name in own.assigned and name not in own.open:
            return _union(own.assigned[name], own, depth)
    if isinstance(node, ast.List | ast.Dict | ast.Set | ast.Call):
        return None  # it can be changed after it was made
    try:
        return {literals.dumps(constant_value(node))}
    except (NotConstant, literals.Unrepresentable):
        return None


def _union(parts: list[ast.expr], own: _Own, depth: int) -> set[str] | None:
    found: set[str] = set()
    for part in parts:
        values = _values(part, own, depth - 1)
        if values is None:
            return None
        found |= values
    return found
