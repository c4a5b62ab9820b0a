"""Dependency closure: a function with just those statements of its module that it needs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from c2c_tasks.extraction.allowed import builtin_violation, import_violation, is_builtin
from c2c_tasks.extraction.bindings import DEFINITIONS, IMPORTS
from c2c_tasks.extraction.modules import Module

FUTURE_ANNOTATIONS = "from __future__ import annotations"
_FUTURE = ast.ImportFrom("__future__", [ast.alias("annotations")], 0)


class Impure(Exception):
    """A function, or what it needs, breaks a rule; `reason` is its name, for counting."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Program:
    """A function after all that it needs."""

    text: str
    tree: ast.Module
    """What parsing the text gives, but for places in it."""


def close_over(module: Module, function: ast.FunctionDef) -> Program:
    """Return a program: the function after all that it needs, in the author's text and order.

    Where something that annotations alone name is impure or unknown, annotations are left to
    be text (PEP 563). Raises Impure.
    """
    statements = _closure(module, function, {})
    annotated = {name for statement in statements for name in module.scan(statement).annotated}
    postponed = module.postpones_annotations and not all(map(is_builtin, annotated))
    try:
        for name in sorted(annotated):
            for statement in _definition(module, name, statements):
                statements = _closure(module, statement, statements)
    except Impure:
        postponed = True
    return _program(module, statements, postponed)


Statements = dict[ast.stmt, frozenset[str]]
"""Statements of a closure; of an import with those of its parts that are needed."""


def _closure(module: Module, start: ast.stmt, known: Statements) -> Statements:
    """Return the statements known already, and those that `start` needs. Raises Impure."""
    closed = dict(known)
    remaining = [start]
    while remaining:
        statement = remaining.pop()
        if statement not in closed:
            closed[statement] = frozenset()
            for name in sorted(module.needed(statement)):
                remaining.extend(_definition(module, name, closed))
    # Names are looked up in no time and most functions fail there, so this comes last.
    for statement in closed:
        violation = None if isinstance(statement, IMPORTS) else module.violation(statement)
        if violation is not None:
            raise Impure(violation)
    return closed


def _definition(module: Module, name: str, closed: Statements) -> Iterator[ast.stmt]:
    """Yield the statements that define a name; note imports as needed, for they need nothing."""
    definition = module.definition(name)
    if definition and name in module.rebound:
        raise Impure("global_mutation")
    if not definition:
        reason = builtin_violation(name)
        if (reason is None and module.hides_builtins) or (
            reason == "unresolved_name" and module.has_star_import
        ):
            reason = "star_import"
        if reason:
            raise Impure(reason)
    for statement in definition:
        if isinstance(statement, IMPORTS):
            parts = module.imports(name, statement)
            pure = [part for part in parts if import_violation(*part) is None]
            if not pure:
                raise Impure(import_violation(*parts[-1]) or "")
            for imported, alias in pure:
                closed[imported] = closed.get(imported, frozenset()) | {_written(alias)}
        else:
            yield statement


def _program(module: Module, statements: Statements, postponed: bool) -> Program:
    parts = [FUTURE_ANNOTATIONS] if postponed else []
    body: list[ast.stmt] = [_FUTURE] if postponed else []
    previous: ast.stmt | None = None
    for statement in sorted(statements, key=lambda node: (node.lineno, node.col_offset)):
        if parts:
            parts.append(_gap(previous, statement))
        needed = _needed_part(statement, statements[statement])
        body.append(needed)
        parts.append(module.text_of(needed) if needed is statement else ast.unparse(needed))
        previous = statement
    return Program("".join((*parts, "\n")), ast.Module(body=body, type_ignores=[]))


def _needed_part(statement: ast.stmt, names: Iterable[str]) -> ast.stmt:
    """Return a statement; of an import of more than the names, one of these alone."""
    if not isinstance(statement, IMPORTS):
        return statement
    needed = [alias for alias in statement.names if _written(alias) in names]
    if len(needed) == len(statement.names):
        return statement
    if isinstance(statement, ast.Import):
        return ast.Import(names=needed)
    return ast.ImportFrom(statement.module, needed, statement.level)


def _written(alias: ast.alias) -> str:
    """Return what tells one part of an import statement from another."""
    return alias.asname or alias.name


def _gap(previous: ast.stmt | None, statement: ast.stmt) -> str:
    """Return the line ends between two statements: PEP 8's blank lines."""
    if isinstance(statement, DEFINITIONS) or isinstance(previous, DEFINITIONS):
        return "\n\n\n"
    imports = isinstance(statement, IMPORTS), previous is None or isinstance(previous, IMPORTS)
    return "\n" if imports[0] == imports[1] else "\n\n"
