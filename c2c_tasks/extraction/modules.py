"""A parsed module: its statements, their text, and which of them make a name what it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from c2c_tasks.extraction.bindings import (
    DEFINITIONS,
    IMPORTS,
    altered_names,
    bound_by_import,
    bound_names,
    imported_path,
    is_main_guard,
)
from c2c_tasks.extraction.names import annotation_names, needed_names
from c2c_tasks.extraction.purity import violation
from c2c_tasks.syntax import parse_module

_GLOBAL = re.compile(r"^[ \t]+global[ \t]+([\w \t,]+)", re.MULTILINE)
_HOLD_IMPORTS = (*IMPORTS, ast.If, ast.Try)


class Facts:
    """What there is to know of a statement that a program may need, found out when asked for."""

    def __init__(self, module: Module, statement: ast.stmt) -> None:
        self._module = module
        self._statement = statement

    @cached_property
    def needed(self) -> frozenset[str]:
        """Names of the module that the statement cannot run without; none if it is no Python."""
        return self._needed or frozenset()

    @cached_property
    def annotated(self) -> frozenset[str]:
        """Names in its annotations, which may stay text."""
        return annotation_names(self._statement)

    @cached_property
    def violation(self) -> str | None:
        """Why it is not pure, or None."""
        if self._needed is None:
            return "does_not_compile"
        return violation(self._statement, self._module.imported(self._needed), self._needed)

    @cached_property
    def _needed(self) -> frozenset[str] | None:
        try:
            return needed_names(self._module.text_of(self._statement))
        except (SyntaxError, RecursionError):  # what only the compiler minds, as a name twice
            return None


class Module:
    """The top-level statements of a source file."""

    def __init__(self, text: str) -> None:
        """Parse a file. Raises SyntaxError."""
        # The parser's lines end with these alone, unlike those of `str.splitlines`.
        self.text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.body = parse_module(self.text).body
        self._lines = self.text.split("\n")
        self._facts: dict[ast.stmt, Facts] = {}
        self._definitions: dict[str, list[ast.stmt]] = {}
        self._imports: dict[str, str] = {}
        self.postpones_annotations = False
        """Whether the file says ``from __future__ import annotations``."""
        self.has_star_import = False
        self.hides_builtins = False
        """Whether a star import may bind the names of builtins."""
        self.rebound = frozenset(
            name for names in _GLOBAL.findall(self.text) for name in re.split(r"[\s,]+", names)
        )
        """Names that some function says are ``global``: what they are depends on what ran."""
        for statement in self.body:
            self._index(statement)

    def definition(self, name: str) -> Sequence[ast.stmt]:
        """Return the statements that make a name what it is, in order; none where it is not bound.

        These are the last one that binds it whatever was there before, and those after it. A
        function or class is what its own statement says: what changes it later (an accelerated
        twin that is imported, a wrapper) is left out.
        """
        statements = self._definitions.get(name, ())
        for position in range(len(statements) - 1, -1, -1):
            statement = statements[position]
            if isinstance(statement, DEFINITIONS):
                return [statement]
            if isinstance(statement, IMPORTS) or (
                isinstance(statement, ast.Assign | ast.AnnAssign)
                and name not in self.facts(statement).needed
            ):
                return statements[position:]
        return statements

    def imports(
        self, name: str, last: ast.Import | ast.ImportFrom
    ) -> list[tuple[ast.Import | ast.ImportFrom, ast.alias]]:
        """Return the parts of import statements that make a name what it is after the last one.

        ``import a.b`` and ``import a.c`` both bind ``a``, and neither undoes the other.
        """
        found: list[tuple[ast.Import | ast.ImportFrom, ast.alias]] = []
        for statement in self._definitions[name]:
            if statement is last or isinstance(statement, ast.Import):
                assert isinstance(statement, IMPORTS)
                found += [(statement, a) for a in statement.names if bound_by_import(a) == name]
        final = found[-1][1]
        if isinstance(last, ast.ImportFrom) or final.asname:
            return found[-1:]
        return [part for part in found if not part[1].asname]

    def facts(self, statement: ast.stmt) -> Facts:
        """Return what a statement needs, and whether it is pure."""
        if statement not in self._facts:
            self._facts[statement] = Facts(self, statement)
        return self._facts[statement]

    def imported(self, names: Iterable[str]) -> dict[str, str]:
        """Return, of these names, those that are imported, with the dotted path of each."""
        return {name: self._imports[name] for name in names if name in self._imports}

    def text_of(self, statement: ast.stmt) -> str:
        """Return a statement as it was written, with decorators and a comment at its end."""
        decorators = getattr(statement, "decorator_list", ())
        first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
        lines = self._lines[first - 1 : statement.end_lineno]
        compound = hasattr(statement, "body")
        if statement.col_offset or (";" in lines[-1] and not compound):  # it shares a line
            return self.segment(statement)
        return "\n".join(lines).rstrip()

    def segment(self, node: ast.stmt | ast.expr) -> str:
        """Return the text of a node, from its first to its last character."""
        line = self._lines[node.lineno - 1]
        if node.end_lineno == node.lineno and line.isascii():  # else offsets count other things
            return line[node.col_offset : node.end_col_offset]
        return ast.get_source_segment(self.text, node) or ""

    def _index(self, statement: ast.stmt) -> None:
        if is_main_guard(statement):
            return
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            self.postpones_annotations |= any(a.name == "annotations" for a in statement.names)
            return
        bound = set(bound_names(statement))
        for name in bound:
            self._definitions.setdefault(name, []).append(statement)
            self._imports.pop(name, None)
        for name in set(altered_names(statement)) - bound:
            if name in self._definitions:
                self._definitions[name].append(statement)
        for inner in ast.walk(statement) if isinstance(statement, _HOLD_IMPORTS) else ():
            if isinstance(inner, IMPORTS):
                for alias in inner.names:
                    if alias.name == "*":
                        self.has_star_import = True
                        self.hides_builtins |= not _is_accelerator(inner)
                    self._imports[bound_by_import(alias)] = imported_path(inner, alias)


def _is_accelerator(statement: ast.Import | ast.ImportFrom) -> bool:
    """Tell whether an import is of a private module, as of one written in C beside its twin."""
    return isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith("_")
