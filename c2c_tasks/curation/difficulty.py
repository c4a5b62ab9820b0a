"""How hard a program is to find from its cases: an estimate from its text and its coverage."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Sequence

from c2c_tasks.records import Case, Function
from c2c_tasks.syntax import parse_module

WEIGHTS = {"size": 0.4, "branches": 0.3, "nesting": 0.15, "growth": 0.15}
PLAIN_NODES, MANY_NODES = 4, 300
"""Nodes of a program of size 0, as ``return -x``, and of size 1."""
MANY_BRANCHES = 30
DEEP = 4
"""Loops and branches in each other."""
SLOW_GROWTH = 0.25
"""Area above the curve of coverage that makes a growth of one half."""

_BRANCHES = (
    *(ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.comprehension),
    *(ast.ExceptHandler, ast.Assert, ast.match_case),
)
_NESTED = (
    *(ast.If, ast.For, ast.AsyncFor, ast.While, ast.Match),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)


def difficulty_of(function: Function, cases: Sequence[Case], body_lines: Sequence[int]) -> float:
    """Return the difficulty of a program with these cases, 0 (plain) to 1.

    It is the weighted mean of four parts, none of which gets less as a program grows:

    - size: nodes of the syntax tree, constants left out, on a logarithmic scale;
    - branches: decisions, that is the cyclomatic complexity less one, on such a scale;
    - nesting: how deep loops and branches stand in each other;
    - growth: coverage that is missing after one case, two, and so on, added up, where each next
      case is the one that adds most. It is 0 where one case shows all that there is.

    A program that cannot be parsed by this Python is of difficulty 1.
    """
    try:
        module = parse_module(function.program)
    except SyntaxError:
        return 1.0
    nodes = list(_counted(module))
    depth = max((depth for _, depth in nodes), default=0)
    area = _area_above_coverage(cases, body_lines)
    parts = {
        "size": _logarithmic(len(nodes), PLAIN_NODES, MANY_NODES),
        "branches": _logarithmic(
            1 + sum(_decisions(node) for node, _ in nodes), 1, 1 + MANY_BRANCHES
        ),
        "nesting": min(depth / DEEP, 1.0),
        "growth": area / (area + SLOW_GROWTH),
    }
    return round(sum(WEIGHTS[name] * part for name, part in parts.items()), 4)


def _logarithmic(value: float, least: float, greatest: float) -> float:
    position = math.log(max(value, least) / least) / math.log(greatest / least)
    return min(position, 1.0)


def _counted(module: ast.Module) -> Iterator[tuple[ast.AST, int]]:
    """Yield the nodes that do something, with the number of branches and loops each stands in.

    Docstrings, annotations, imports and constants do nothing.
    """
    left: list[tuple[ast.AST, int]] = [(node, 0) for node in module.body]
    while left:
        node, depth = left.pop()
        match node:
            case ast.Import() | ast.ImportFrom() | ast.Constant() | ast.Expr(value=ast.Constant()):
                continue
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                children: list[ast.AST] = [*node.args.defaults, *node.body]
            case ast.AnnAssign():
                children = [node.target, *([node.value] if node.value else [])]
            case _:
                children = list(ast.iter_child_nodes(node))
        if isinstance(
            node, ast.stmt | ast.expr | ast.comprehension | ast.ExceptHandler | ast.match_case
        ):
            yield node, depth
        inner = depth + isinstance(node, _NESTED)
        left += [(child, inner) for child in children]


def _decisions(node: ast.AST) -> int:
    match node:
        case ast.BoolOp():
            return len(node.values) - 1
        case ast.comprehension():
            return 1 + len(node.ifs)
    return int(isinstance(node, _BRANCHES))


def _area_above_coverage(cases: Sequence[Case], body_lines: Sequence[int]) -> float:
    """Return the shares of coverage that are missing after each case, added up."""
    body = set(body_lines)
    covered = [body.intersection(case.covered_lines) for case in cases]
    whole = len(set().union(*covered))
    missing: set[int] = set().union(*covered)
    area = 0.0
    while missing:
        missing -= max(covered, key=lambda lines: len(lines & missing))
        area += len(missing) / whole
    return area
