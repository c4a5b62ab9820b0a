from __future__ import annotations

from itertools import permutations

import pytest

from c2c_tasks.curation.behaviour import Behaving, behavioural_duplicates

ROWS = [
    Behaving("a", "sum", ingested=2, documentation=9.0),
    Behaving("b", "sum", ingested=1, documentation=1.0),
    Behaving("c", "sum", ingested=1, documentation=4.0),
    Behaving("d", "sum", ingested=1, documentation=4.0),
    Behaving("e", "product", ingested=2, documentation=0.0),
    Behaving("f", None, ingested=1, documentation=0.0),
    Behaving("g", None, ingested=1, documentation=0.0),
]


@pytest.mark.parametrize("rows", list(permutations(ROWS[:5]))[::7])
def test_the_first_ingested_then_the_best_documented_leads(rows: tuple[Behaving, ...]) -> None:
    assert behavioural_duplicates([*rows, *ROWS[5:]]) == {"a": "c", "b": "c", "d": "c"}


def test_what_is_released_leads_whatever_comes_later() -> None:
    found = behavioural_duplicates(ROWS, {"product": "out", "else": "x"})
    assert found == {"a": "c", "b": "c", "d": "c", "e": "out"}


def test_a_released_program_does_not_give_way_to_itself() -> None:
    assert behavioural_duplicates(ROWS[:4], {"sum": "a"}) == {"b": "a", "c": "a", "d": "a"}


def test_a_chain_of_builds_keeps_what_one_build_of_all_keeps() -> None:
    released: dict[str, str] = {}
    gone: dict[str, str] = {}
    for build in (1, 2):
        new = [row for row in ROWS if row.ingested == build]
        found = behavioural_duplicates(new, released)
        gone |= found
        kept = (row for row in new if row.behaviour and row.function_id not in found)
        released |= {str(row.behaviour): row.function_id for row in kept}
    assert gone == behavioural_duplicates(ROWS)
