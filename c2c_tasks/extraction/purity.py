"""The rules of purity, applied to one statement."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set

from c2c_tasks.extraction.allowed import CLOCKS, INTROSPECTION, import_violation, use_violation
from c2c_tasks.extraction.bindings import base_name, bound_by_import, imported_path

_MUTATING = frozenset(
    {
        "add",
        "append",
        "appendleft",
        "clear",
        "difference_update",
        "discard",
        "extend",
        "extendleft",
        "insert",
        "intersection_update",
        "move_to_end",
        "pop",
        "popitem",
        "popleft",
        "remove",
        "reverse",
        "rotate",
        "setdefault",
        "sort",
        "subtract",
        "symmetric_difference_update",
        "update",
    }
)
"""Methods that change the object they are called on."""
_STORED = (ast.Store, ast.Del)
_MUTABLE = (ast.List, ast.Dict, ast.Set, ast.Call, ast.ListComp, ast.DictComp, ast.SetComp)


def violation(statement: ast.stmt, imported: Mapping[str, str], shared: Set[str]) -> str | None:
    """Return why a module-level statement is not pure, or None.

    `imported` gives the dotted path of each name that the module imports; `shared` are the
    names that the statement needs of its module, whose objects no function may change.
    """
    nodes = list(_walk(statement, inside=False))
    paths = dict(imported)
    kept = {name for node, _ in nodes for name in _mutable_defaults(node)}
    for node, _ in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if reason := import_violation(node, alias):
                    return reason
                paths[bound_by_import(alias)] = imported_path(node, alias)
    for node, inside in nodes:
        reason = _violation(node, paths)
        if reason is None and inside and _changes(node) & shared:
            reason = "global_mutation"
        if reason is None and _changes(node) & kept:
            reason = "mutable_default"
        if reason is not None:
            return reason
    return None


def _walk(node: ast.AST, inside: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Yield the nodes that run, and whether each does so when a function is called.

    Annotations are left out. Of ``a.b.c`` only the whole is yielded, not ``a.b`` and ``a``.
    """
    stack = [(node, inside)]
    while stack:
        node, inside = stack.pop()
        yield node, inside
        inside = inside or isinstance(node, ast.FunctionDef | ast.Lambda)
        while isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            node = node.value
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            continue
        for field in node._fields:
            value = getattr(node, field)
            if field in ("annotation", "returns"):
                continue
            if isinstance(value, ast.AST):
                stack.append((value, inside))
            elif isinstance(value, list):
                stack.extend((item, inside) for item in value if isinstance(item, ast.AST))


def _violation(node: ast.AST, paths: Mapping[str, str]) -> str | None:
    match node:
        case ast.Attribute():
            names = _chain(node)
            if not INTROSPECTION.isdisjoint(names):
                return "introspection"
            if not CLOCKS.isdisjoint(names[1:]):
                return "impure_module"
            if names[0] in paths:
                return use_violation(".".join([paths[names[0]], *names[1:]]))
        case ast.Name(id=name, ctx=ast.Load()) if name in paths:
            return use_violation(paths[name])
        case ast.Global():
            return "global_mutation"
        case ast.AsyncFunctionDef() | ast.AsyncFor() | ast.AsyncWith() | ast.Await():
            return "asynchronous"
        case ast.comprehension(is_async=1):
            return "asynchronous"
    return None


def _chain(node: ast.Attribute) -> list[str]:
    """Return ``["a", "b", "c"]`` of ``a.b.c``; the first is empty where the base is no name."""
    names: list[str] = []
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        names.append(inner.attr)
        inner = inner.value
    names.append(inner.id if isinstance(inner, ast.Name) else "")
    return names[::-1]


def _mutable_defaults(node: ast.AST) -> Iterator[str]:
    """Yield the parameters whose default is one object for all calls, and can be changed."""
    if not isinstance(node, ast.FunctionDef):
        return
    positional = [*node.args.posonlyargs, *node.args.args]
    last = positional[len(positional) - len(node.args.defaults) :]
    defaults = [*node.args.defaults, *node.args.kw_defaults]
    for parameter, default in zip([*last, *node.args.kwonlyargs], defaults, strict=True):
        if isinstance(default, _MUTABLE):
            yield parameter.arg


def _changes(node: ast.AST) -> Set[str | None]:
    """Return the name whose object a node changes, if it does."""
    match node:
        case ast.Attribute(ctx=ctx) | ast.Subscript(ctx=ctx) if isinstance(ctx, _STORED):
            return {base_name(node)}
        case ast.Call(func=ast.Attribute(value=owner, attr=method)) if method in _MUTATING:
            return {base_name(owner)}
    return frozenset()
