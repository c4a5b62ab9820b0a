"""Calls that docstrings and comments write are inputs."""

from __future__ import annotations

import time
from typing import Any

from c2c_tasks.inputs.synthesis.inference import understand


def examples(function_of: Any, program: str) -> list[dict[str, Any]]:
    return understand(function_of(program)).examples


def test_doctests_with_the_names_they_bind(function_of: Any) -> None:
    program = '''\
def f(words, n=1):
    """Do it.

    >>> data = ["a", "b"]
    >>> f(data)
    'x'
    >>> f(data,
    ...   n=2)
    >>> print(module.f([], 3))
    >>> f(unknown)
    >>> f([1], 2, 3)
    >>> f(
    """
'''
    assert examples(function_of, program) == [
        {"words": ["a", "b"]},
        {"words": ["a", "b"], "n": 2},
        {"words": [], "n": 3},
    ]


def test_calls_in_prose_and_comments_once_each(function_of: Any) -> None:
    program = '''\
# f("(", 1) gives 2
def f(text, k):
    """For example, f('a)b', 2) is 'ab', and so is f('a)b', 2); other.f(1, 2) is not."""
    # xf(3, 4)
    return f(text, k)  # f(text, k), f('', 0)
'''
    assert examples(function_of, program) == [
        {"text": "a)b", "k": 2},
        {"text": "(", "k": 1},
        {"text": "", "k": 0},
    ]


def test_an_example_that_is_endless_when_written_out(function_of: Any) -> None:
    program = 'def f(x):\n    """\n    >>> f([[[[0] * 10000] * 10000] * 10000] * 10000)\n    """\n'
    started = time.process_time()
    assert examples(function_of, program) == []
    assert time.process_time() - started < 2


def test_a_comment_of_a_thousand_calls(function_of: Any) -> None:
    program = "def f(x):\n    return x  # " + "f(" * 20_000
    started = time.process_time()
    assert examples(function_of, program) == []
    assert time.process_time() - started < 2
