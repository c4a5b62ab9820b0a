"""How well a program is documented: by what its author wrote for readers."""

from __future__ import annotations

import ast
import io
import re
import tokenize

from c2c_tasks.syntax import parse_module

_EXAMPLE = re.compile(r"^\s*>>> |\bexamples?\b\s*:", re.IGNORECASE | re.MULTILINE)
_WORD = re.compile(r"[A-Za-z]{2,}")
MANY_WORDS = 40
"""Words of a docstring, past which more count no more."""
MANY_COMMENTS = 5
TELLING_NAME = 3
"""Letters of a name that can tell something."""


def documentation(program: str, entry_point: str) -> float:
    """Return how well a function is documented, 0 to 10.

    A docstring counts up to 5: 2 for being there, 1 for its length, 1 for an example, 1 for the
    share of the parameters that it names. Annotations count up to 2 by the share of parameters
    and result that have one, comments up to 1, and names up to 2 by the share of names, of
    parameters and variables and of the function, that are longer than two letters.

    0 where the program cannot be parsed, or does not define the function.
    """
    try:
        module = parse_module(program)
    except SyntaxError:
        return 0.0
    entry = next(
        (
            node
            for node in reversed(module.body)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == entry_point
        ),
        None,
    )
    if entry is None:
        return 0.0
    parameters = [parameter for parameter in ast.walk(entry.args) if isinstance(parameter, ast.arg)]
    docstring = ast.get_docstring(entry) or ""
    score = _of_docstring(docstring, [parameter.arg for parameter in parameters])
    annotated = [parameter.annotation is not None for parameter in parameters]
    score += 2 * _share([*annotated, entry.returns is not None])
    score += min(_comments(program), MANY_COMMENTS) / MANY_COMMENTS
    names = {entry.name, *(parameter.arg for parameter in parameters)}
    names |= {
        node.id
        for node in ast.walk(entry)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    score += 2 * _share([len(name.strip("_")) >= TELLING_NAME for name in names])
    return round(score, 3)


def _of_docstring(docstring: str, parameters: list[str]) -> float:
    if not docstring.strip():
        return 0.0
    words = set(re.findall(r"\w+", docstring))
    length = min(len(_WORD.findall(docstring)), MANY_WORDS) / MANY_WORDS
    named = _share([name in words for name in parameters])
    return 2 + length + (_EXAMPLE.search(docstring) is not None) + named


def _share(told: list[bool]) -> float:
    return sum(told) / len(told) if told else 0.0


def _comments(program: str) -> int:
    """Return the number of comments that have a word in them."""
    found = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(program).readline):
            found += token.type == tokenize.COMMENT and bool(_WORD.search(token.string))
    except (tokenize.TokenError, SyntaxError):
        pass  # the parser takes what the tokenizer does not
    return found
