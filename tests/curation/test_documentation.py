from __future__ import annotations

from itertools import pairwise

from c2c_tasks.curation.documentation import documentation

BETTER_AND_BETTER = [
    "def f(x, y):\n    r = x + y\n    return r\n",
    "def f(x, y):\n    result = x + y\n    return result\n",
    "def f(left, right):\n    result = left + right\n    return result\n",
    "def f(left, right):\n    result = left + right  # no overflow\n    return result\n",
    "def f(left: int, right):\n    result = left + right  # no overflow\n    return result\n",
    "def f(left: int, right: int) -> int:\n    result = left + right  # no overflow\n"
    "    return result\n",
    'def f(left: int, right: int) -> int:\n    "Add."\n    result = left + right  # no overflow\n'
    "    return result\n",
    'def f(left: int, right: int) -> int:\n    "Add two numbers, of any size."\n'
    "    result = left + right  # no overflow\n    return result\n",
    'def f(left: int, right: int) -> int:\n    "Add left and right, of any size."\n'
    "    result = left + right  # no overflow\n    return result\n",
    'def f(left: int, right: int) -> int:\n    """Add left and right, of any size.\n\n'
    '    >>> f(1, 2)\n    3\n    """\n    result = left + right  # no overflow\n'
    "    return result\n",
]


def test_what_tells_more_counts_more() -> None:
    scores = [documentation(program, "f") for program in BETTER_AND_BETTER]
    assert all(worse < better for worse, better in pairwise(scores)), scores
    assert min(scores) >= 0 and max(scores) <= 10


def test_only_the_entry_point_is_looked_at() -> None:
    helper = 'def helper(value):\n    "Tell a lot."\n    return value\n'
    plain = "def f(x):\n    return helper(x)\n"
    assert documentation(helper + plain, "f") == documentation(plain, "f")


def test_ruled_lines_are_no_comments() -> None:
    plain = "def f(x):\n    return x\n"
    assert documentation("# ----------\n" + plain, "f") == documentation(plain, "f")


def test_what_cannot_be_read_counts_nothing() -> None:
    assert documentation("def f(:", "f") == 0
    assert documentation("x = 1", "f") == 0
