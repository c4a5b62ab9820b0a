"""Tests of a benchmark as source that sees an answer's function, and nothing else of it."""

from __future__ import annotations


def isolated(tests: str, entry_point: str) -> str:
    """Return source that runs `tests` in a module of their own, which holds the function.

    So an answer can neither lend the tests a helper nor replace one of theirs.
    """
    return f"exec(compile({tests!r}, '<tests>', 'exec'), {{{entry_point!r}: {entry_point}}})\n"
