"""Which inputs are of the types that cases show."""

from __future__ import annotations

import pytest

from c2c_tasks.evaluation.domain import Domain
from c2c_tasks.records import Case


def domain(*rows: str) -> Domain:
    return Domain.of(Case(arguments=row, outcome="returned", output="0") for row in rows)


@pytest.mark.parametrize(
    ("row", "inside"),
    [
        ("{'x': 5, 'y': []}", True),
        ("{'x': 5, 'y': ['b', 'c']}", True),
        ("{'x': 5}", True),
        ("{'x': True, 'y': []}", False),
        ("{'x': 5.0, 'y': []}", False),
        ("{'x': None, 'y': []}", False),
        ("{'x': 5, 'y': ('b',)}", False),
        ("{'x': 5, 'y': ['b', 1]}", False),
        ("{'x': 5, 'y': [['b']]}", False),
        ("{'x': 5, 'z': 1}", False),
    ],
)
def test_types_count_and_those_within(row: str, inside: bool) -> None:
    assert domain("{'x': 1, 'y': ['a']}", "{'x': 2, 'y': []}").has_row(row) is inside


def test_keys_and_values_of_dicts_are_told_apart() -> None:
    found = domain("{'x': {'a': 1}}")
    assert found.has_row("{'x': {'b': 2, 'c': 3}}")
    assert not found.has_row("{'x': {1: 'a'}}")
    assert not found.has_row("{'x': {1: 1}}")


def test_cases_show_it_together_and_those_that_raised_do_not() -> None:
    cases = [
        Case(arguments="{'x': 1}", outcome="returned", output="0"),
        Case(arguments="{'x': 'a'}", outcome="returned", output="0"),
        Case(arguments="{'x': None}", outcome="raised", exception_type="TypeError"),
    ]
    found = Domain.of(cases)
    assert found.has_row("{'x': 7}") and found.has_row("{'x': 'text'}")
    assert not found.has_row("{'x': None}")


def test_another_name() -> None:
    found = domain("{'x': 1, 'y': 'a'}").renamed({"x": "number"})
    assert found.has({"number": 3, "y": ""})
    assert not found.has({"x": 3, "y": ""})
