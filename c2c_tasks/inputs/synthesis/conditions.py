"""The conditions under which lines of a function run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that must hold for a line to run."""

    node: ast.expr
    """A test; or what a loop iterates over; or, for a handler, the exceptions it is for."""
    outcome: bool
    role: str = "test"
    """``test``, ``loop`` (over `node`; `outcome` is whether it has items) or ``raises``."""
    line: int = 0


@dataclass(slots=True)
class Layout:
    """Where a function's lines stand, and what its local names are."""

    paths: dict[int, tuple[Condition, ...]] = field(default_factory=dict)
    """The conditions on the way to the statement that starts on a line, outermost first."""
    tests: list[ast.expr] = field(default_factory=list)
    """Every test of the body, results of predicates among them."""
    definitions: dict[str, ast.expr] = field(default_factory=dict)
    """Expressions of the names that are assigned once."""
    loops: dict[str, ast.expr] = field(default_factory=dict)
    """What the loop variables run over."""


def layout_of(entry: FunctionNode, constants: dict[str, ast.expr] | None = None) -> Layout:
    """Return the layout of a function's body; `constants` are the expressions of outer names."""
    layout = Layout()
    _block(entry.body, (), layout)
    _names(entry, layout)
    local = {
        node.arg if isinstance(node, ast.arg) else node.id
        for node in ast.walk(entry)
        if isinstance(node, ast.arg)
        or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    }
    for name, value in (constants or {}).items():
        if name not in local:
            layout.definitions[name] = value
    return layout


def _block(body: list[ast.stmt], path: tuple[Condition, ...], layout: Layout) -> None:
    for node in body:
        layout.paths.setdefault(node.lineno, path)
        layout.tests.extend(dict.fromkeys(_tests(node)))
        match node:
            case ast.If(test=test):
                held = Condition(test, True, line=node.lineno)
                failed = Condition(test, False, line=node.lineno)
                _block(node.body, (*path, held), layout)
                _block(node.orelse, (*path, failed), layout)
                if leaves(node.body):
                    path = (*path, failed)
                elif leaves(node.orelse):
                    path = (*path, held)
            case ast.Assert(test=test):
                path = (*path, Condition(test, True, line=node.lineno))
            case ast.While(test=test):
                _block(node.body, (*path, Condition(test, True, line=node.lineno)), layout)
                _block(node.orelse, path, layout)
            case ast.For() | ast.AsyncFor():
                runs = Condition(node.iter, True, "loop", node.lineno)
                _block(node.body, (*path, runs), layout)
                _block(node.orelse, path, layout)
            case ast.Try() | ast.TryStar():
                _attempt(node, path, layout)
            case ast.With() | ast.AsyncWith():
                _block(node.body, path, layout)
            case ast.Match():
                for case in node.cases:
                    _block(case.body, path, layout)


def _attempt(node: ast.Try | ast.TryStar, path: tuple[Condition, ...], layout: Layout) -> None:
    _block(node.body, path, layout)
    for handler in node.handlers:
        kinds = handler.type or ast.Name("Exception", ast.Load())
        raised = Condition(kinds, True, "raises", node.lineno)
        _block(handler.body, (*path, raised), layout)
    _block(node.orelse, path, layout)
    _block(node.finalbody, path, layout)


def leaves(body: list[ast.stmt]) -> bool:
    """Tell whether a block ends by leaving what it stands in."""
    return bool(body) and isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)


def _tests(node: ast.stmt) -> Iterator[ast.expr]:
    """Yield the tests in a statement's own expressions."""
    if isinstance(node, ast.If | ast.While | ast.Assert):
        yield node.test
    elif isinstance(node, ast.Return | ast.Expr | ast.Assign | ast.AugAssign) and node.value:
        for inner in ast.walk(node.value):
            if isinstance(inner, ast.IfExp):
                yield inner.test
            elif isinstance(inner, ast.comprehension):
                yield from inner.ifs
            elif isinstance(inner, ast.Lambda) and isinstance(inner.body, ast.Call):
                yield inner.body
            elif isinstance(inner, ast.Compare | ast.BoolOp):
                yield inner


def _names(entry: FunctionNode, layout: Layout) -> None:
    assigned: dict[str, list[ast.expr | None]] = {}
    for node in ast.walk(entry):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    _assigned(target, value, assigned)
            case ast.AnnAssign(target=ast.Name(id=name), value=value):
                assigned.setdefault(name, []).append(value)
            case ast.AugAssign(target=ast.Name(id=name)):
                assigned.setdefault(name, []).append(None)
            case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                _looped(target, value, layout.loops)
            case ast.Call(
                func=ast.Name(id="filter" | "map"), args=[ast.Lambda(args=header), value, *_]
            ):
                for argument in header.args[:1]:
                    layout.loops.setdefault(argument.arg, value)
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                assigned.setdefault(name, []).append(value)
    for name, values in assigned.items():
        if len(values) == 1 and values[0] is not None and name not in layout.loops:
            layout.definitions[name] = values[0]


def _assigned(
    target: ast.expr, value: ast.expr, assigned: dict[str, list[ast.expr | None]]
) -> None:
    match target:
        case ast.Name(id=name):
            assigned.setdefault(name, []).append(value)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            for position, item in enumerate(items):
                if isinstance(value, ast.Tuple) and len(value.elts) == len(items):
                    _assigned(item, value.elts[position], assigned)
                else:
                    member = ast.Subscript(value, ast.Constant(position), ast.Load())
                    _assigned(item, member, assigned)


def _looped(target: ast.expr, value: ast.expr, loops: dict[str, ast.expr]) -> None:
    match target, value:
        case ast.Name(id=name), _:
            loops.setdefault(name, value)
        case ast.Tuple(elts=[_, item]), ast.Call(func=ast.Name(id="enumerate"), args=[inner, *_]):
            _looped(item, inner, loops)
        case ast.Tuple(elts=items), ast.Call(func=ast.Name(id="zip"), args=inners):
            for item, inner in zip(items, inners, strict=False):
                _looped(item, inner, loops)
        case ast.Tuple(elts=[key, item]), ast.Call(
            func=ast.Attribute(value=owner, attr="items"), args=[]
        ):
            _looped(key, owner, loops)
            values = ast.Call(ast.Attribute(owner, "values", ast.Load()), [], [])
            _looped(item, values, loops)
