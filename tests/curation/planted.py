"""What becomes of a benchmark's solution in a dump: copies, near copies, and code around it."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable

ADDED = "checked = [1, 2]"


def planted(program: str, entry_point: str) -> dict[str, tuple[str, str]]:
    """Return versions of a program, each with its entry point, by what was done to it.

    Not all can be made of each: a body of one statement has none that can be left out.
    """
    versions = {"copy": (program, entry_point)}
    for name, change in CHANGES.items():
        tree = ast.parse(program)
        entry = next(
            node
            for node in reversed(tree.body)
            if isinstance(node, ast.FunctionDef) and node.name == entry_point
        )
        if change(tree, entry):
            text = ast.unparse(ast.fix_missing_locations(tree))
            versions[name] = text, tree.body[-1].name if name in WRAPS else entry.name
    return versions


def _renamed(tree: ast.Module, entry: ast.FunctionDef) -> bool:
    names = {
        node.id for node in ast.walk(entry) if isinstance(node, ast.Name) and _stored(node)
    } | {node.arg for node in ast.walk(entry) if isinstance(node, ast.arg)}
    called = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names = (names & called) | {entry.name}
    for node in ast.walk(tree):
        match node:
            case ast.Name() if node.id in names:
                node.id = f"other_{node.id}"
            case ast.arg() if node.arg in names:
                node.arg = f"other_{node.arg}"
            case ast.keyword() if node.arg in names:
                node.arg = f"other_{node.arg}"
            case ast.FunctionDef() if node.name in names:
                node.name = f"other_{node.name}"
    return True


def _stored(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _documented(tree: ast.Module, entry: ast.FunctionDef) -> bool:
    if ast.get_docstring(entry) is not None and len(entry.body) > 1:
        del entry.body[0]
    entry.body.insert(0, ast.Expr(ast.Constant("Says something else.")))
    for parameter in entry.args.args:
        parameter.annotation = ast.Name("object", ast.Load())
    return True


def _statement_added(tree: ast.Module, entry: ast.FunctionDef) -> bool:
    entry.body.insert(len(entry.body) // 2, ast.parse(ADDED).body[0])
    return True


def _statement_left_out(tree: ast.Module, entry: ast.FunctionDef) -> bool:
    """Leave out the largest statement that is an eighth of the function at most.

    It is not the last of its block, and no name is bound by it alone: else the name left behind
    would mean another thing.
    """
    bound = [node.id for node in ast.walk(entry) if isinstance(node, ast.Name) and _stored(node)]
    found = [
        (_size(statement), block, statement)
        for node in ast.walk(entry)
        if isinstance(block := getattr(node, "body", None), list)
        for statement in block[:-1]
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        and not any(
            isinstance(node, ast.Name) and _stored(node) and bound.count(node.id) == 1
            for node in ast.walk(statement)
        )
    ]
    small = [item for item in found if item[0] * 8 <= _size(entry)]
    if not small:
        return False
    _, block, statement = max(small, key=lambda item: item[0])
    block.remove(statement)
    return True


def _size(node: ast.AST) -> int:
    return sum(1 for _ in ast.walk(node))


def _constant_changed(tree: ast.Module, entry: ast.FunctionDef) -> bool:
    for node in ast.walk(entry):
        if isinstance(node, ast.Constant) and type(node.value) is int:
            node.value += 41
            return True
    return False


def _in_a_larger_function(tree: ast.Module, entry: ast.FunctionDef) -> bool:
    before = "values = dict(zip(map(str, range(9)), 'abcdefghi'))\nprint(sorted(values))"
    after = "try:\n    del values['3']\nexcept KeyError as error:\n    raise ValueError from error"
    entry.body = [*ast.parse(before).body, *entry.body[:-1], *ast.parse(after).body, entry.body[-1]]
    return True


def _called_by_another(tree: ast.Module, entry: ast.FunctionDef) -> bool:
    wrapper = ast.parse(
        "def wrapper(rows, sep=','):\n    if not rows:\n        raise ValueError(rows)\n"
        f"    found = {{row: {entry.name}(row) for row in rows.split(sep)}}\n"
        "    return sorted(found.items(), key=str)\n"
    )
    tree.body.extend(wrapper.body)
    return True


def _its_return_in_a_helper(tree: ast.Module, entry: ast.FunctionDef) -> bool:
    """Hand what the last statement returns through a helper, as one that is not inlined."""
    last = entry.body[-1]
    if not isinstance(last, ast.Return) or last.value is None:
        return False
    helper = ast.parse("def finished(value):\n    return value\n").body[0]
    last.value = ast.Call(ast.Name("finished", ast.Load()), [copy.deepcopy(last.value)], [])
    tree.body.insert(tree.body.index(entry), helper)
    return True


CHANGES: dict[str, Callable[[ast.Module, ast.FunctionDef], bool]] = {
    "renamed": _renamed,
    "documented": _documented,
    "statement added": _statement_added,
    "statement left out": _statement_left_out,
    "constant changed": _constant_changed,
    "in a larger function": _in_a_larger_function,
    "called by another": _called_by_another,
    "its return in a helper": _its_return_in_a_helper,
}
WRAPS = {"called by another"}
