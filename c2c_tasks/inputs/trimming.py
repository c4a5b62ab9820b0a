"""The program as a prompt shows it, shorter at each level: for engines whose context is short.

0. The program, without white space at its ends.
1. Comments gone everywhere, docstrings of all but the entry point.
2. Functions other than the entry point, and methods, with ``...`` for a body.
3. The entry point alone.
4. to 6. The entry point, what is in the middle left out: lines of its end and its beginning, in
   as many characters as `LIMITS` says, and a comment that tells how many lines are not there.

A level that is not at least a tenth shorter than the one before is passed over. The header of
the entry point is always there, whole where it is shorter than the limit.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from c2c_tasks.records import Function
from c2c_tasks.syntax import parse_module

LIMITS = (4_000, 1_500, 500)
"""Characters of an entry point that is cut."""
_NAMED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def shown_programs(function: Function) -> Iterator[str]:
    """Yield the program, then what is shown of it at each further level, always less."""
    last = function.program.strip()
    yield last
    for shown in _levels(function):
        if len(shown) <= 0.9 * len(last):
            last = shown
            yield last


def _levels(function: Function) -> Iterator[str]:
    name = function.entry_point
    try:
        module = parse_module(function.program)
    except SyntaxError:
        entry, body = function.program, 0
    else:
        for header in (False, True):
            try:
                yield ast.unparse(_without(module, name, header))
            except RecursionError:
                continue
        found = [node for node in module.body if isinstance(node, _NAMED) and node.name == name]
        if not found:
            return
        lines = function.program.splitlines()
        first = min(d.lineno for d in [*found[-1].decorator_list, found[-1]])
        entry = "\n".join(lines[first - 1 : found[-1].end_lineno])
        yield entry
        body = found[-1].body[0].lineno - first
    for limit in LIMITS:
        yield _cut(entry, body, limit)


def _without(module: ast.Module, name: str, header: bool) -> ast.Module:
    """Return a module without docstrings and, where asked for, bodies; the entry point's stay."""
    kept: list[Any] = []
    for node in module.body:
        other = isinstance(node, _NAMED) and node.name != name
        kept.append(_Bare(header).visit(node) if other else node)
    return ast.Module(kept, [])


class _Bare(ast.NodeTransformer):
    """Makes new nodes of definitions: the tree is read again for the next level."""

    def __init__(self, header: bool) -> None:
        self.header = header

    def visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, _NAMED):
            return node
        body = list(node.body)
        if ast.get_docstring(node) is not None:
            body = body[1:]
        if self.header and not isinstance(node, ast.ClassDef):
            body = []
        body = [self.visit(statement) for statement in body]  # type: ignore[misc]
        fields = {name: getattr(node, name) for name in node._fields}
        fields["body"] = body or [ast.Expr(ast.Constant(...))]
        return ast.copy_location(type(node)(**fields), node)


def _cut(entry: str, body: int, limit: int) -> str:
    """Return the header and lines of the beginning and the end, in `limit` characters."""
    lines = entry.splitlines()
    head = lines[: max(body, 1)]
    rest = lines[len(head) :]
    left = limit - sum(len(line) + 1 for line in head) - 60
    start, end = 0, len(rest)
    while start < end:
        # Two lines of the beginning, where a function looks at its arguments, for one of its end.
        from_start = start <= 2 * (len(rest) - end)
        line = rest[start] if from_start else rest[end - 1]
        left -= len(line) + 1
        if left < 0:
            break
        start, end = (start + 1, end) if from_start else (start, end - 1)
    if start >= end:
        return entry
    comment = f"    # {end - start} lines are left out here"
    header = "\n".join(head)
    return "\n".join([header, *rest[:start], comment, *rest[end:]])
