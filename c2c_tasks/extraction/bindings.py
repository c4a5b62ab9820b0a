"""Which names a module-level statement binds or changes."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)
_HOLD_IMPORTS = (*IMPORTS, ast.If, ast.Try)
_BLOCKS = ("body", "cases", "handlers", "orelse", "finalbody")
_SCOPES = (*DEFINITIONS, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

_BINDING_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    kind: tuple(
        field
        for field in kind._fields
        if field in (*_BLOCKS, "target", "targets", "items", "optional_vars", "elts")
    )
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
"""Fields by which statements and targets are reached from a statement."""
_BINDING_FIELDS[ast.Starred] = ("value",)
if sys.version_info >= (3, 12):
    _BINDING_FIELDS[ast.TypeAlias] = ("name",)


def bound_names(statement: ast.stmt, whole: bool) -> Iterator[str]:
    """Yield the names of the module that a statement binds or deletes.

    `whole` has it look inside expressions too, where ``:=`` binds.
    """
    for node in _outside_scopes(statement, whole):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from map(bound_by_import, aliases)
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
                | ast.ExceptHandler(name=str(name))
            ):
                yield name


def altered_names(statement: ast.stmt, whole: bool) -> Iterator[str]:
    """Yield the names of the module whose objects a statement changes.

    It does so by assigning to an attribute or item, or by calling something for the sake of it:
    a method, or a function that is given the object.
    """
    for node in _outside_scopes(statement, whole):
        match node:
            case (
                ast.Attribute(value=owner, ctx=ast.Store() | ast.Del())
                | ast.Subscript(value=owner, ctx=ast.Store() | ast.Del())
                | ast.Expr(value=ast.Call(func=ast.Attribute(value=owner)))
            ) if (base := base_name(owner)) is not None:
                yield base
            case ast.Expr(value=ast.Call(args=given)):
                yield from (item.id for item in given if isinstance(item, ast.Name))


def imports_in(statement: ast.stmt) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports of an import, ``if`` or ``try`` statement, the outer ones first."""
    level: list[ast.AST] = [statement] if isinstance(statement, _HOLD_IMPORTS) else []
    while level:
        yield from (node for node in level if isinstance(node, IMPORTS))
        level = [inner for node in level for inner in _statements_in(node)]


def is_main_guard(statement: ast.stmt) -> bool:
    """Return whether a statement is ``if __name__ == "__main__":``, which no import runs."""
    match statement:
        case ast.If(
            test=ast.Compare(
                left=ast.Name(id=left), ops=[ast.Eq()], comparators=[ast.Constant(value=right)]
            )
        ):
            return left == "__name__" and right == "__main__"
        case ast.If(
            test=ast.Compare(
                left=ast.Constant(value=left), ops=[ast.Eq()], comparators=[ast.Name(id=right)]
            )
        ):
            return left == "__main__" and right == "__name__"
    return False


def bound_by_import(alias: ast.alias) -> str:
    """Return the name that one part of an import statement binds."""
    return alias.asname or alias.name.partition(".")[0]


def imported_path(statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    """Return the dotted path of what an import's name stands for.

    That of a relative import begins with a dot.
    """
    if isinstance(statement, ast.Import):
        return alias.name if alias.asname else alias.name.partition(".")[0]
    return f"{'.' * statement.level}{statement.module or ''}.{alias.name}"


def base_name(node: ast.expr) -> str | None:
    """Return ``a`` of ``a.b[c].d``, or None where the base is no name."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _outside_scopes(statement: ast.stmt, whole: bool) -> Iterator[ast.AST]:
    """Yield the nodes that run in the module's own scope, and those that open another.

    Expressions are left out but for targets, unless they are wanted too. A walrus in a
    comprehension would bind outside it; nobody writes one at the top of a module.
    """
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, _SCOPES):
            continue
        if whole:
            stack.extend(ast.iter_child_nodes(node))
        else:
            for field in _BINDING_FIELDS[type(node)]:
                value = getattr(node, field)
                if isinstance(value, list):
                    stack.extend(value)
                elif value is not None:
                    stack.append(value)


def _statements_in(node: ast.AST) -> Iterator[ast.AST]:
    for field in _BLOCKS:
        yield from getattr(node, field, ())
