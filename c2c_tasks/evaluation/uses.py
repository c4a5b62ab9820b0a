"""What statements use of each other."""

from __future__ import annotations

import ast
import builtins

from c2c_tasks.evaluation.signatures import bindings

_BUILTINS = frozenset(dir(builtins))
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)


def missing_names(tree: ast.Module) -> set[str]:
    """Return the names that a program uses and nowhere binds."""
    used = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    bound = set(bindings(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Name(ctx=ast.Store()):
                bound.add(node.id)
            case ast.arg():
                bound.add(node.arg)
            case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
                bound.add(node.name)
            case ast.ExceptHandler(name=str(name)):
                bound.add(name)
            case ast.Import() | ast.ImportFrom():
                bound |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return used - bound - _BUILTINS


def names_in_definitions(tree: ast.Module) -> set[str]:
    """Return the names that stand in the functions and classes of a program."""
    return {
        node.id
        for statement in tree.body
        if isinstance(statement, _DEFINITIONS)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name)
    }


def assigned_names(tree: ast.Module) -> set[str]:
    """Return the names that a program assigns a value at its top level, functions excepted."""
    return {
        name
        for name, values in bindings(tree).items()
        if not all(isinstance(value, (*_DEFINITIONS, *_IMPORTS)) for value in values)
    }


def changes_one_of(statement: ast.stmt, names: set[str]) -> bool:
    """Return True for a call of a method of one of those values, as ``table.update(...)``."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            return name in names
    return False


def is_call_of(value: ast.AST, name: str) -> bool:
    """Return True for a call of that name."""
    return (
        isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == name
    )


def calls(statement: ast.stmt) -> bool:
    """Return True where a statement calls something."""
    return any(isinstance(node, ast.Call) for node in ast.walk(statement))


def returns(tree: ast.Module) -> bool:
    """Return True where a function's body stands outside of it."""
    left: list[ast.AST] = [*tree.body]
    while left:
        node = left.pop()
        if isinstance(node, ast.Return):
            return True
        if isinstance(node, ast.stmt) and not isinstance(node, _DEFINITIONS):
            left += ast.iter_child_nodes(node)
    return False


def is_main_guard(statement: ast.stmt) -> bool:
    """Return True for ``if __name__ == "__main__"``."""
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )
