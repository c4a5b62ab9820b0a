"""Programs as tokens that renaming and reformatting leave alone, and shingles of these.

The tokens are the nodes of the syntax tree, written out in order: so they are the same in
every version of the interpreter, and layout, comments, docstrings, annotations and import
statements do not count. Names are treated by who chose them. A name that carries behaviour
(a builtin, an attribute, what an import binds) is kept: `math.sin` is not `math.cos`. A name
that the author made up says nothing: the entry point's parameters are ``p0``, ``p1`` … by
position (so that ``a - b`` is not ``b - a``), and all others are numbered inside each
shingle, so that a statement put in renumbers nothing further down.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from typing import Any

from c2c_tasks.syntax import parse_module

SHINGLE_TOKENS = 5

_INVENTED = "~"
"""Marks the token of a name that the author made up."""
_END = "end"
_ABSENT = "absent"
"""Stands where a list of the tree has a gap: the key of ``**`` in a dict, no default."""
_KINDS: dict[type[ast.AST], str] = {ast.AnnAssign: "Assign"}
_Definition = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)
_SILENT = {
    *("ctx", "kind", "type_comment", "type_params", "type_ignores", "simple"),
    *("annotation", "returns"),
}


def shingles(program: str, entry_point: str) -> frozenset[str]:
    """Return the runs of `SHINGLE_TOKENS` tokens that occur in a program.

    Raises SyntaxError where the program cannot be parsed.
    """
    found = tokens(program, entry_point)
    last = max(1, len(found) - SHINGLE_TOKENS + 1)
    return frozenset(
        " ".join(_numbered(found[start : start + SHINGLE_TOKENS])) for start in range(last)
    )


def canonical_digest(program: str, entry_point: str) -> str:
    """Return a digest that is equal for programs which differ by invented names alone.

    Raises SyntaxError where the program cannot be parsed.
    """
    text = "\n".join(_numbered(tokens(program, entry_point)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def tokens(program: str, entry_point: str) -> list[str]:
    """Return a program's tokens, in order; invented names begin with ``~``.

    Raises SyntaxError where the program cannot be parsed.
    """
    tree = parse_module(program)
    entry = _definition(tree, entry_point)
    return list(_walk(tree, _roles(tree, entry), entry))


def top_level_functions(program: str) -> dict[str, str]:
    """Return the source of each function that a program defines at its top level, by name.

    Raises SyntaxError where the program cannot be parsed.
    """
    return {
        node.name: ast.get_source_segment(program, node) or ""
        for node in parse_module(program).body
        if isinstance(node, _Definition)
    }


def _definition(tree: ast.Module, name: str) -> _Definition | None:
    """Return the last function of that name at the top of a module."""
    return next(
        (
            node
            for node in reversed(tree.body)
            if isinstance(node, _Definition) and node.name == name
        ),
        None,
    )


def _roles(tree: ast.Module, entry: _Definition | None) -> dict[str, str]:
    """Return the token of each name that the program binds."""
    roles: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    roles[alias.asname or alias.name.partition(".")[0]] = alias.name
            case ast.ImportFrom(module=module, names=aliases):
                for alias in aliases:
                    roles[alias.asname or alias.name] = f"{module}.{alias.name}"
            case (
                ast.FunctionDef(name=str(name))
                | ast.AsyncFunctionDef(name=str(name))
                | ast.ClassDef(name=str(name))
                | ast.arg(arg=str(name))
                | ast.Name(id=str(name), ctx=ast.Store())
                | ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
                | ast.MatchMapping(rest=str(name))
            ):
                roles.setdefault(name, _INVENTED + name)
    if entry is not None:
        for position, parameter in enumerate(_parameters(entry.args)):
            roles[parameter] = f"p{position}"
    return roles


def _parameters(arguments: ast.arguments) -> Iterator[str]:
    for parameter in (*arguments.posonlyargs, *arguments.args):
        yield parameter.arg
    if arguments.vararg:
        yield arguments.vararg.arg
    for parameter in arguments.kwonlyargs:
        yield parameter.arg
    if arguments.kwarg:
        yield arguments.kwarg.arg


def _walk(tree: ast.Module, roles: dict[str, str], entry: _Definition | None) -> Iterator[str]:
    """Yield the tokens of a tree, without recursion: a sum may be thousands of terms deep."""
    stack: list[ast.AST | str] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, ast.Constant):
            yield _constant(node.value)
        elif isinstance(node, ast.Name):
            yield roles.get(node.id, node.id)
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            parts = _parts(node)
            kind = "EntryPoint" if node is entry else _KINDS.get(type(node), type(node).__name__)
            # With what is there named, and lists ended, only one tree has these tokens.
            yield ".".join([kind, *(field for field, _ in parts)])
            stack.extend(reversed([token for _, value in parts for token in _tokens(value, roles)]))


def _parts(node: ast.AST) -> list[tuple[str, Any]]:
    """Return the fields of a node that count and are not empty."""
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return [("targets", [node.target]), ("value", node.value)]
    parts = []
    for field, value in ast.iter_fields(node):
        if field == "body" and isinstance(node, _SCOPES) and ast.get_docstring(node, False):
            value = value[1:]
        if field not in _SILENT and value is not None and value != []:
            # An attribute is behaviour, whoever else has its name: with the dot no role is found.
            parts.append((field, f".{value}" if field == "attr" else value))
    return parts


def _tokens(value: Any, roles: dict[str, str]) -> Iterator[ast.AST | str]:
    if isinstance(value, list):
        for item in value:
            yield roles.get(item, item) if isinstance(item, str) else item or _ABSENT
        yield _END
    elif isinstance(value, ast.AST):
        yield value
    elif isinstance(value, str):
        yield roles.get(value, value)
    else:
        yield str(value)


def _constant(value: object) -> str:
    """Return a constant's token; integers in hexadecimal, which has no limit on digits."""
    return hex(value) if type(value) is int else repr(value)


def _numbered(found: list[str]) -> list[str]:
    """Return tokens with the invented names numbered in order of appearance."""
    numbers: dict[str, str] = {}
    return [
        numbers.setdefault(token, f"{_INVENTED}{len(numbers)}") if token[0] == _INVENTED else token
        for token in found
    ]
