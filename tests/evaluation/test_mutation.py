"""Mutants: what each operator makes, and what holds of all."""

from __future__ import annotations

import ast
import json
from collections import Counter
from pathlib import Path

import pytest

from c2c_tasks.evaluation.mutation import mutants_of, spread
from c2c_tasks.evaluation.mutation_operators import OPERATORS


def changes(statement: str, operator: str) -> set[str]:
    """Return what a statement in a function becomes, by one operator."""
    program = f"def f(a, b, c):\n    {statement}\n    g()\n"
    found = set()
    for mutant in mutants_of(program):
        if mutant.operator == operator and mutant.line == 2:
            header, *lines, call = mutant.program.splitlines()
            assert (header, call) == ("def f(a, b, c):", "    g()")
            found.add("\n".join(line[4:] for line in lines))
    return found


@pytest.mark.parametrize(
    ("operator", "statement", "expected"),
    [
        ("arithmetic", "a = a + b", {"a = a - b"}),
        ("arithmetic", "a = b * c", {"a = b + c", "a = b // c"}),
        ("arithmetic", "a -= -b", {"a += -b", "a -= b"}),
        ("arithmetic", "a = 'text' + b", set()),
        ("comparison", "a = a < b", {"a = a <= b", "a = a >= b"}),
        ("comparison", "a = a == b == c", {"a = a != b == c", "a = a == b != c"}),
        ("comparison", "a = a in b", {"a = a not in b"}),
        ("boolean", "a = a and (not b)", {"a = a or not b", "a = a and b"}),
        ("constant", "a = True", {"a = False"}),
        ("constant", "a = 7", {"a = 0"}),
        ("constant", "a = 1", set()),
        ("constant", "a = 0.5", {"a = 1.5", "a = 0.0"}),
        ("constant", "a = 'b'", {"a = 'Xb'", "a = ''"}),
        ("constant", "a = f'{b}: {c:>5}'", {"a = f'{b}X: {c:>5}'"}),
        ("constant", "raise ValueError('message')", set()),
        ("off_by_one", "a = 0", {"a = 1", "a = -1"}),
        ("off_by_one", "a = b[:]", {"a = b[1:]", "a = b[:-1]"}),
        ("off_by_one", "a = b[c:]", {"a = b[c + 1:]", "a = b[c - 1:]", "a = b[c:-1]"}),
        ("off_by_one", "a = range(b)", {"a = range(b + 1)", "a = range(b - 1)"}),
        ("condition", "a = b if c else a", {
            "a = b if not c else a", "a = b if True else a", "a = b if False else a",
        }),
        ("condition", "a = [x for x in b if x]", {
            "a = [x for x in b if not x]", "a = [x for x in b if True]",
            "a = [x for x in b if False]",
        }),
        ("returned_value", "return a", {"return None"}),
        ("returned_value", "return", {"return 0"}),
        ("returned_value", "return a < b", {"return None", "return not a < b"}),
        ("returned_value", "return (a, b)", {"return None", "return (b, a)"}),
        ("deleted_statement", "a = b", {"pass"}),
        ("deleted_statement", "'A docstring.'", set()),
    ],
)  # fmt: skip
def test_an_operator(operator: str, statement: str, expected: set[str]) -> None:
    assert changes(statement, operator) == expected


def test_a_while_loop_is_not_made_endless() -> None:
    program = "def f(a):\n    while a:\n        a = g(a)\n"
    conditions = {m.after for m in mutants_of(program) if m.operator == "condition"}
    assert conditions == {"not a", "False"}


def test_annotations_defaults_and_helpers() -> None:
    program = "LIMIT = 3\ndef f(a: 'int' = 5) -> 'int':\n    b: int = 1\n    return LIMIT\n"
    found = Counter(mutant.before for mutant in mutants_of(program))
    assert found == {"3": 3, "5": 3, "1": 2, "return LIMIT": 2}


def test_a_mutant_tells_its_line_and_its_change() -> None:
    (mutant,) = (
        mutant
        for mutant in mutants_of("# first\ndef f(a, b):\n    '''Doc.'''\n\n    return a % b\n")
        if mutant.operator == "arithmetic"
    )
    assert (mutant.line, mutant.before, mutant.after) == (5, "a % b", "a // b")


@pytest.fixture(scope="module")
def programs(shared_data: Path) -> list[str]:
    lines = (shared_data / "case2code_test_half.jsonl").read_text().splitlines()
    return [json.loads(line)["program"] for line in lines]


def test_every_mutant_of_a_program_differs_compiles_and_is_there_once(programs: list[str]) -> None:
    for program in programs[::10]:
        mutants = list(mutants_of(program))
        texts = [ast.dump(ast.parse(mutant.program)) for mutant in mutants]
        assert mutants
        assert len(set(texts)) == len(texts)
        assert ast.dump(ast.parse(program)) not in texts
        assert mutants == list(mutants_of(program))


def test_mutants_are_spread_over_programs_and_operators(programs: list[str]) -> None:
    found = spread(programs[:100], 200)
    assert found == spread(programs[:100], 200)
    assert [number for number, _ in found] == sorted(number for number, _ in found)
    assert {number for number, _ in found} == set(range(100))
    operators = Counter(mutant.operator for _, mutant in found)
    assert operators.keys() == set(OPERATORS)
    assert min(operators.values()) >= 15
    other = spread(programs[:100], 200, seed=1)
    assert len(set(found) & set(other)) < 100


def test_a_program_gives_no_more_mutants_than_it_has() -> None:
    program = "def f(a):\n    return a\n"
    assert {mutant.program for _, mutant in spread([program], 10)} == {
        "def f(a):\n    return None",
        "def f(a):\n    pass",
    }


def test_what_is_no_program_is_refused() -> None:
    with pytest.raises(SyntaxError):
        list(mutants_of("def f(:\n"))
