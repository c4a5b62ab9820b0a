"""First-order mutants of a program: one small fault each, to see what a grader lets pass.

Left out are mutants that say nothing of a grader: of docstrings, annotations and decorators, and of
the messages of exceptions, which are not compared.
"""

from __future__ import annotations

import ast
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from c2c_tasks.evaluation.mutation_operators import Operator, replacements
from c2c_tasks.syntax import parse_module, without_warnings


@dataclass(frozen=True, slots=True)
class Mutant:
    """A program with one fault."""

    program: str
    """Its text, as `ast.unparse` writes it."""
    operator: Operator
    line: int
    """Line of the original that the fault is in, counted from 1."""
    before: str
    """What was replaced, as `ast.unparse` writes it."""
    after: str
    """What it was replaced by."""


@dataclass(frozen=True, slots=True)
class _Site:
    """A node in its place, and what may stand there instead."""

    parent: ast.AST
    field: str
    position: int | None
    """Of a field that is a list, the place in it."""
    operator: Operator
    node: ast.AST
    replacement: ast.AST
    line: int

    def put(self, node: ast.AST) -> None:
        if self.position is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.position] = node


class _Original:
    """A program, and which of its mutants were made."""

    def __init__(self, program: str) -> None:
        self._module = parse_module(program)
        self.sites = list(_below(self._module, 1))
        self._texts = {ast.unparse(self._module)}

    def mutant(self, site: _Site) -> Mutant | None:
        """Return the mutant of a site, None where it does not compile or was made before."""
        site.put(site.replacement)
        try:
            text = ast.unparse(ast.fix_missing_locations(self._module))
        finally:
            site.put(site.node)
        if text in self._texts or not _compiles(text):
            return None
        self._texts.add(text)
        before, after = ast.unparse(site.node), ast.unparse(site.replacement)
        return Mutant(text, site.operator, site.line, before, after)


def mutants_of(program: str) -> Iterator[Mutant]:
    """Yield every mutant of a program, each text once. Raises SyntaxError."""
    original = _Original(program)
    for site in original.sites:
        if (mutant := original.mutant(site)) is not None:
            yield mutant


def spread(programs: Sequence[str], count: int, seed: int = 0) -> list[tuple[int, Mutant]]:
    """Return up to `count` mutants, each with its program's position, in order of programs.

    Programs give one in turn, of the operator that has been used least among those that apply;
    the seed decides on the turns, and where in a program. Raises SyntaxError.
    """
    rng = random.Random(seed)
    originals = [_Original(program) for program in programs]
    for original in originals:
        rng.shuffle(original.sites)
    used: Counter[Operator] = Counter()
    found: list[tuple[int, Mutant]] = []
    left = list(range(len(programs)))
    while left and len(found) < count:
        rng.shuffle(left)
        for number in left[: count - len(found)]:
            mutant = _next(originals[number], used)
            if mutant is None:
                left.remove(number)
                continue
            used[mutant.operator] += 1
            found.append((number, mutant))
    return sorted(found, key=lambda item: item[0])


def _next(original: _Original, used: Counter[Operator]) -> Mutant | None:
    """Take sites until one gives a mutant, those first whose operator has been used least."""
    original.sites.sort(key=lambda site: -used[site.operator])  # stable: as shuffled
    while original.sites:
        if (mutant := original.mutant(original.sites.pop())) is not None:
            return mutant
    return None


def _compiles(text: str) -> bool:
    try:
        with without_warnings():
            compile(text, "<mutant>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _below(parent: ast.AST, line: int) -> Iterator[_Site]:
    for field, position, node in _children(parent):
        where = getattr(node, "lineno", line)
        for operator, replacement in replacements(parent, field, node):
            yield _Site(parent, field, position, operator, node, replacement, where)
        yield from _below(node, where)


def _children(parent: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    """Yield the nodes in which a fault can be seen."""
    for field, value in ast.iter_fields(parent):
        if _is_silent(parent, field):
            continue
        if isinstance(value, ast.AST):
            yield field, None, value
        elif isinstance(value, list):
            for position, item in enumerate(value):
                if isinstance(item, ast.AST) and not _is_docstring(item):
                    yield field, position, item


def _is_silent(parent: ast.AST, field: str) -> bool:
    """Tell fields that say nothing of what is returned: annotations, messages, decorators."""
    match parent, field:
        case (_, "annotation" | "returns" | "decorator_list" | "format_spec" | "type_params"):
            return True
        case (ast.Raise(), _) | (ast.Assert(), "msg") | (ast.ExceptHandler(), "type"):
            return True
    return False


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
