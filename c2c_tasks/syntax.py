"""Python text as syntax trees: from any thread, with one kind of error and without warnings."""

import ast
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

_LOCK = threading.Lock()


def parse_module(text: str) -> ast.Module:
    """Return the tree of a program.

    Raises SyntaxError for whatever cannot be parsed: where it is not Python, holds NUL bytes
    or lone surrogates, or is nested deeper than the parser can go.
    """
    tree = _parse(text, "exec")
    assert isinstance(tree, ast.Module)
    return tree


def parse_expression(text: str) -> ast.expr:
    """Return the tree of an expression. Raises SyntaxError, as `parse_module` does."""
    tree = _parse(text, "eval")
    assert isinstance(tree, ast.Expression)
    return tree.body


@contextmanager
def without_warnings() -> Iterator[None]:
    """Let nothing warn of other people's text; for one thread at a time.

    Warning filters belong to the process. So does CPython's count of how deep the tree is that
    it makes: where threads take turns, it raises SystemError (python/cpython#106905).
    """
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _parse(text: str, mode: Literal["exec", "eval"]) -> ast.AST:
    try:
        with without_warnings():
            return ast.parse(text, mode=mode)
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise SyntaxError(str(error) or type(error).__name__) from None
