"""The names that a statement needs from its module, and those that only annotations name."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator

# With it annotations are text, and the symbol table leaves the names in them out.
_FUTURE = "from __future__ import annotations\n"


def needed_names(text: str) -> frozenset[str]:
    """Return the names that a module-level statement reads or binds in the module's scope.

    Names in annotations are not among them, nor are those that the statement itself makes
    local. Raises SyntaxError where the statement parses but cannot be compiled.
    """
    table = symtable.symtable(_FUTURE + text, "<statement>", "exec")
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    inner = table.get_children()
    while inner:
        scope = inner.pop()
        names.update(symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global())
        inner.extend(scope.get_children())
    return frozenset(names)


def annotation_names(node: ast.stmt) -> frozenset[str]:
    """Return the names that occur in the annotations of a statement."""
    return frozenset(
        name.id
        for annotation in _annotations(node)
        for name in ast.walk(annotation)
        if isinstance(name, ast.Name)
    )


def _annotations(node: ast.stmt) -> Iterator[ast.expr]:
    for inner in ast.walk(node):
        match inner:
            case (
                ast.arg(annotation=ast.expr() as annotation) | ast.AnnAssign(annotation=annotation)
            ):
                yield annotation
            case (
                ast.FunctionDef(returns=ast.expr() as returns)
                | ast.AsyncFunctionDef(returns=ast.expr() as returns)
            ):
                yield returns
