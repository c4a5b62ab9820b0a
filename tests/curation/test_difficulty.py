from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.curation.difficulty import difficulty_of
from c2c_tasks.records import Case, Function


def function(program: str) -> Function:
    return Function(
        function_id="ab" * 32,
        program=program,
        entry_point="f",
        parameters=[],
        repository="owner/name",
        path="a.py",
        first_line=1,
        last_line=2,
        licence="MIT",
        dump="file:///dump",
        source_sha256="",
    )


def difficulty(program: str, *covered: tuple[int, ...]) -> float:
    cases = [
        Case(arguments="{}", outcome="returned", output="1", covered_lines=list(lines))
        for lines in covered
    ]
    body = sorted({line for lines in covered for line in lines})
    return difficulty_of(function(program), cases, body)


PLAIN = "def f(x):\n    return -x\n"
SUM = "def f(x):\n    return sum(i * i for i in range(x) if i % 3 == 0)\n"
LOOP = """\
def f(x):
    found = []
    for i in x:
        if i > 3 and i not in found:
            found.append(i * 2)
        elif i < 0:
            found.append(-i)
    return found
"""
MAZE = """\
def f(x, y):
    table = {}
    for i in range(len(x)):
        for j in range(len(y)):
            if x[i] == y[j]:
                table[i, j] = table.get((i - 1, j - 1), 0) + 1
                while table[i, j] > 3 and i > j:
                    table[i, j] -= 1
            elif x[i] < y[j] or i == j:
                table[i, j] = max(table.get((i - 1, j), 0), table.get((i, j - 1), 0))
            else:
                try:
                    table[i, j] = table[j, i] // x[i]
                except (KeyError, ZeroDivisionError):
                    table[i, j] = min(x[i], y[j]) if i else 0
    return sorted(table.items(), key=lambda item: (-item[1], item[0]))[:3]
"""


def test_more_and_deeper_is_harder() -> None:
    found = [difficulty(program) for program in (PLAIN, SUM, LOOP, MAZE)]
    assert found == sorted(found) and len(set(found)) == 4
    assert 0 <= found[0] < 0.1 and 0.6 < found[-1] <= 1


def test_coverage_that_comes_slowly_is_harder() -> None:
    at_once = difficulty(LOOP, (2, 3, 4, 5, 6, 7, 8), (2, 3))
    in_two = difficulty(LOOP, (2, 3, 4, 5, 8), (2, 3, 4, 6, 7, 8))
    in_three = difficulty(LOOP, (2, 8), (2, 3, 4, 5, 8), (2, 3, 4, 6, 7, 8))
    one_by_one = difficulty(LOOP, (2, 3, 8), (4,), (5,), (6, 7))
    assert at_once == difficulty(LOOP) < in_two == in_three < one_by_one


@pytest.mark.parametrize(
    "addition",
    [
        '    "A docstring that says what it does."\n',
        "    import math\n",
        "    3\n",
    ],
)
def test_what_does_nothing_does_not_count(addition: str) -> None:
    head, body = PLAIN.splitlines(keepends=True)
    assert difficulty(head + addition + body) == difficulty(PLAIN)
    assert difficulty("def f(x: list[int] = ...) -> int:\n    return -x\n") == difficulty(PLAIN)


def test_a_table_counts_by_what_is_done_with_it() -> None:
    table = f"TABLE = {list(range(100))}\n"
    used = "def f(x):\n    return TABLE[x]\n"
    assert difficulty(table + used) == difficulty("TABLE = [1]\n" + used)


def test_a_program_of_a_newer_python_is_hard() -> None:
    assert difficulty("def f(x) return x") == 1


STATEMENTS = ["y = x + 1", "x.append(y)", "if x: y = 2", "for i in x: y = i", "y = [i for i in x]"]


@given(st.lists(st.sampled_from(STATEMENTS)), st.sampled_from(STATEMENTS), st.integers(0, 20))
def test_a_statement_more_is_never_easier(body: list[str], more: str, at: int) -> None:
    def program(statements: list[str]) -> str:
        text = "".join(f"    {statement}\n" for statement in statements)
        return f"def f(x):\n{text}    return x\n"

    assert difficulty(program(body)) <= difficulty(program([*body[:at], more, *body[at:]])) <= 1
