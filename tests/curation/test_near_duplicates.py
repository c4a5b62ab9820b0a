from __future__ import annotations

import ast
import json
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.curation.near_duplicates import NearDuplicateIndex, jaccard
from c2c_tasks.curation.tokens import shingles

pytestmark = pytest.mark.filterwarnings("ignore:invalid escape")


def real_shingles(shared_data: Path) -> list[frozenset[str]]:
    """Shingles of several hundred real functions, and of versions of each with a changed line."""
    programs = []
    for line in (shared_data / "case2code_test_half.jsonl").read_text().splitlines():
        row = json.loads(line)
        programs.append((row["program"], row["entry_point"]))
    for line in (shared_data / "mbpp_sanitized.jsonl").read_text().splitlines():
        code = json.loads(line)["code"]
        names = [n.name for n in ast.parse(code).body if isinstance(n, ast.FunctionDef)]
        programs.append((code, names[-1]))
    found = []
    for program, name in programs:
        found.append(shingles(program, name))
        tree = ast.parse(program)
        function = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name)
        function.body.insert(len(function.body) // 2, ast.parse("added = [1, 2]").body[0])
        found.append(shingles(ast.unparse(tree), name))
    return found


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.85, 0.95])
def test_the_index_finds_what_brute_force_finds(shared_data: Path, threshold: float) -> None:
    sets = real_shingles(shared_data)
    index = NearDuplicateIndex(threshold)
    by_index = [index.add_unless_near(members) is None for members in sets]
    leaders: list[frozenset[str]] = []
    by_force = []
    for members in sets:
        by_force.append(all(jaccard(members, leader) < threshold for leader in leaders))
        if by_force[-1]:
            leaders.append(members)
    assert 0 < sum(by_force) < len(sets)
    assert by_index == by_force


def test_recall_and_precision_over_all_real_pairs(shared_data: Path) -> None:
    sets = real_shingles(shared_data)[:800]
    near = {
        (i, j)
        for (i, one), (j, other) in combinations(enumerate(sets), 2)
        if jaccard(one, other) >= 0.85
    }
    index = NearDuplicateIndex(0.85)
    first: dict[int, int | None] = {}
    for key, members in enumerate(sets):
        first[key] = index.find(members)
        index.add(members)
    assert len(near) > 50
    assert {(i, j) for j, i in first.items() if i is not None} <= near
    assert {j for _, j in near} == {j for j, i in first.items() if i is not None}


def test_the_least_key_is_found() -> None:
    index = NearDuplicateIndex(0.5)
    index.add({"x", "y"})
    index.add({"a", "b", "c", "d"})
    index.add({"a", "b", "c"})
    assert index.find({"a", "b", "c"}) == 1
    assert index.find({"q", "r"}) is None
    assert len(index) == 3


@given(st.sets(st.text(), max_size=8), st.sets(st.text(), max_size=8))
def test_jaccard_is_the_share_of_common_members(one: set[str], other: set[str]) -> None:
    union = one | other
    assert jaccard(one, other) == (len(one & other) / len(union) if union else 1.0)
