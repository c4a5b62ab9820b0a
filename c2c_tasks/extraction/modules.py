"""A parsed module: its statements, their text, and which of them make a name what it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from c2c_tasks.extraction.bindings import (
    DEFINITIONS,
    IMPORTS,
    altered_names,
    bound_by_import,
    bound_names,
    imported_path,
    imports_in,
    is_main_guard,
)
from c2c_tasks.extraction.purity import violation
from c2c_tasks.extraction.scan import Scan
from c2c_tasks.syntax import parse_module

_GLOBAL = re.compile(r"^[ \t]+global[ \t]+([\w \t,]+)", re.MULTILINE)


class Module:
    """The top-level statements of a source file."""

    def __init__(self, text: str) -> None:
        """Parse a file. Raises SyntaxError."""
        # The parser's lines end with these alone, unlike those of `str.splitlines`.
        self.text = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
        self.body = parse_module(self.text).body
        self._lines = self.text.split("\n")
        self._scans: dict[ast.stmt, Scan] = {}
        self._definitions: dict[str, list[ast.stmt]] = {}
        self._imports: dict[str, str] = {}
        self.postpones_annotations = False
        """Whether the file says ``from __future__ import annotations``."""
        self.has_star_import = False
        self.hides_builtins = False
        """Whether a star import may bind the names of builtins."""
        self.rebound = _declared_global(self.text)
        """Names that some function says are ``global``: what they are depends on what ran."""
        # Only := binds a name inside an expression.
        whole = ":=" in self.text
        for statement in self.body:
            self._index(statement, whole)

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
                and name not in self.needed(statement)
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

    def scan(self, statement: ast.stmt) -> Scan:
        """Return what there is to know of a statement by itself."""
        found = self._scans.get(statement)
        if found is None:
            found = self._scans[statement] = Scan(statement, self.text_of)
        return found

    def needed(self, statement: ast.stmt) -> frozenset[str]:
        """Return the names that a statement needs of the module; none if it does not compile."""
        return self.scan(statement).needed or frozenset()

    def violation(self, statement: ast.stmt) -> str | None:
        """Return why a statement is not pure, or None."""
        imports = self._imports
        imported = {name: imports[name] for name in self.needed(statement) if name in imports}
        return violation(self.scan(statement), imported)

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

    def _index(self, statement: ast.stmt, whole: bool) -> None:
        if is_main_guard(statement):
            return
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            self.postpones_annotations |= any(a.name == "annotations" for a in statement.names)
            return
        bound = set(bound_names(statement, whole))
        for name in bound:
            self._definitions.setdefault(name, []).append(statement)
            self._imports.pop(name, None)
        for name in set(altered_names(statement, whole)) - bound:
            if name in self._definitions:
                self._definitions[name].append(statement)
        for found in imports_in(statement):
            for alias in found.names:
                if alias.name == "*":
                    self.has_star_import = True
                    self.hides_builtins |= not _is_accelerator(found)
                self._imports[bound_by_import(alias)] = imported_path(found, alias)


def _declared_global(text: str) -> frozenset[str]:
    if "global" not in text:
        return frozenset()
    return frozenset(name for names in _GLOBAL.findall(text) for name in re.split(r"[\s,]+", names))


def _is_accelerator(statement: ast.Import | ast.ImportFrom) -> bool:
    """Tell whether an import is of a private module, as of one written in C beside its twin."""
    return isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith("_")
