"""The parameters of a function, from its header."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from c2c_tasks.records import Parameter, ParameterKind

_Row = tuple[ast.arg | None, ParameterKind, ast.expr | None]


def parameters_of(function: ast.FunctionDef, text_of: Callable[[ast.expr], str]) -> list[Parameter]:
    """Return a function's parameters in the order of its header.

    `text_of` gives the source text of an annotation or a default value.
    """

    def text(node: ast.expr | None) -> str | None:
        if node is None:
            return None
        # Text over several lines holds only together inside the parentheses of the header.
        return text_of(node) if node.end_lineno == node.lineno else ast.unparse(node)

    return [
        Parameter(argument.arg, kind, text(argument.annotation), text(default))
        for argument, kind, default in _rows(function.args)
        if argument is not None
    ]


def _rows(arguments: ast.arguments) -> Iterator[_Row]:
    positional = [*arguments.posonlyargs, *arguments.args]
    required = len(positional) - len(arguments.defaults)
    defaults = [*[None] * required, *arguments.defaults]
    for position, (argument, default) in enumerate(zip(positional, defaults, strict=True)):
        only = position < len(arguments.posonlyargs)
        yield argument, "positional_only" if only else "positional_or_keyword", default
    yield arguments.vararg, "var_positional", None
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield argument, "keyword_only", default
    yield arguments.kwarg, "var_keyword", None
