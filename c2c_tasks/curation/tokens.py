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
_Definition = ast.FunctionDef | ast.AsyncFunctionDef
_IMPORTS = (ast.Import, ast.ImportFrom)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)
_HIDDEN = {"annotation", "returns", "type_params"}
_SILENT = {
    *("ctx", "kind", "type_comment", "type_params", "type_ignores", "simple"),
    *("annotation", "returns"),
}
_BINDING = {
    **dict.fromkeys(("FunctionDef", "AsyncFunctionDef", "ClassDef", "ExceptHandler"), "name"),
    **{"arg": "arg", "MatchAs": "name", "MatchStar": "name", "MatchMapping": "rest"},
}
"""The field by which a node binds a name."""
_SHAPES = {
    kind: (
        "Assign" if kind is ast.AnnAssign else kind.__name__,
        tuple(field for field in kind._fields if field not in _SILENT),
        _BINDING.get(kind.__name__),
        tuple(field for field in kind._fields if field in _HIDDEN),
    )
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
"""Of each kind of node: its name, the fields that count, the one that binds, the hidden ones."""


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
    return canonical_digest_of(parse_module(program), entry_point)


def canonical_digest_of(tree: ast.Module, entry_point: str) -> str:
    """Return the canonical digest of a program that was parsed already."""
    text = "\n".join(_numbered(tokens_of(tree, entry_point)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def tokens(program: str, entry_point: str) -> list[str]:
    """Return a program's tokens, in order; invented names begin with ``~``.

    Raises SyntaxError where the program cannot be parsed.
    """
    return tokens_of(parse_module(program), entry_point)


def tokens_of(tree: ast.Module, entry_point: str) -> list[str]:
    """Return the tokens of a program that was parsed already, as `tokens` does."""
    entry = _definition(tree, entry_point)
    walk = _Walk(entry)
    walk.over(tree)
    roles = {name: _INVENTED + name for name in walk.bound}
    roles |= _imported(walk.imports, tree)
    if entry is not None:
        roles |= {name: f"p{position}" for position, name in enumerate(_parameters(entry.args))}
    found = walk.tokens
    for place in walk.names:
        found[place] = roles.get(found[place], found[place])
    return found


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


def _imported(imports: list[ast.Import | ast.ImportFrom], tree: ast.Module) -> dict[str, str]:
    """Return the dotted path of each name that a program imports."""
    roles: dict[str, str] = {}
    for node in imports:
        for name, path in _bound_by(node):
            if roles.setdefault(name, path) != path:
                break
        else:
            continue
        # Of imports that disagree, the innermost counts, and the last one of these.
        walked = (inner for inner in ast.walk(tree) if isinstance(inner, _IMPORTS))
        return {name: path for inner in walked for name, path in _bound_by(inner)}
    return roles


def _bound_by(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield alias.asname or alias.name, f"{node.module}.{alias.name}"
        else:
            yield alias.asname or alias.name.partition(".")[0], alias.name


def _parameters(arguments: ast.arguments) -> Iterator[str]:
    for parameter in (*arguments.posonlyargs, *arguments.args):
        yield parameter.arg
    if arguments.vararg:
        yield arguments.vararg.arg
    for parameter in arguments.kwonlyargs:
        yield parameter.arg
    if arguments.kwarg:
        yield arguments.kwarg.arg


class _Walk:
    """A walk over a tree, without recursion: a sum may be thousands of terms deep."""

    def __init__(self, entry: _Definition | None) -> None:
        self._entry = entry
        self.tokens: list[str] = []
        self.names: list[int] = []
        """Places of the tokens that are names, and may stand for something."""
        self.bound: set[str] = set()
        """Names that the author made up."""
        self.imports: list[ast.Import | ast.ImportFrom] = []

    def over(self, tree: ast.AST) -> None:
        """Add the tokens of a tree."""
        # On the stack are nodes, tokens, and names as tuples of one.
        stack: list[Any] = [tree]
        put = self.tokens.append
        while stack:
            node = stack.pop()
            kind = type(node)
            if kind is str:
                put(node)
            elif kind is ast.Name:
                self.names.append(len(self.tokens))
                put(node.id)
                if type(node.ctx) is ast.Store:
                    self.bound.add(node.id)
            elif kind is ast.Constant:
                put(_constant(node.value))
            elif kind is tuple:
                self.names.append(len(self.tokens))
                put(node[0])
            elif kind is ast.Attribute:
                # It is behaviour, whoever else has its name: with the dot no role is found.
                put("Attribute.value.attr")
                stack += (f".{node.attr}", node.value)
            elif kind is ast.Import or kind is ast.ImportFrom:
                self.imports.append(node)
            else:
                self._fields(node, stack)

    def _fields(self, node: ast.AST, stack: list[Any]) -> None:
        """Add the token of a node, and put on the stack what its fields hold."""
        kind, fields, binding, hidden = _SHAPES[type(node)]
        if binding and (name := getattr(node, binding)):
            self.bound.add(name)
        for field in hidden:
            self._hidden(getattr(node, field))
        # With what is there named, and lists ended, only one tree has these tokens.
        label = "EntryPoint" if node is self._entry else kind
        found: list[Any] = []
        for field, value in _parts(node, fields):
            label = f"{label}.{field}"
            if type(value) is list:
                for item in value:
                    found.append((item,) if type(item) is str else item or _ABSENT)
                found.append(_END)
            elif isinstance(value, ast.AST):
                found.append(value)
            else:
                found.append((value,) if type(value) is str else str(value))
        self.tokens.append(label)
        found.reverse()
        stack += found

    def _hidden(self, value: Any) -> None:
        """Note the names that are bound where no token comes from, as by a lambda's parameters."""
        for tree in value if type(value) is list else [value]:
            if tree is not None and type(tree) not in (ast.Name, ast.Constant):
                walk = _Walk(None)
                walk.over(tree)
                self.bound |= walk.bound


def _parts(node: ast.AST, fields: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a node that count and are not empty."""
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        yield "targets", [node.target]
        yield "value", node.value
        return
    for field in fields:
        value = getattr(node, field)
        if field == "body" and isinstance(node, _SCOPES) and _has_docstring(value):
            value = value[1:]
        if value is not None and value != []:
            yield field, value


def _has_docstring(body: list[ast.stmt]) -> bool:
    match body:
        case [ast.Expr(value=ast.Constant(value=str(text))), *_] if text:
            return True
    return False


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
