from __future__ import annotations

import ast as ast_module
import difflib as difflib_module
import statistics as statistics_module
import textwrap as textwrap_module
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.config import FunctionOptions
from c2c_tasks.curation.benchmarks import HUMANEVAL, Problem, protected_programs, read_benchmarks
from c2c_tasks.curation.near_duplicates import jaccard
from c2c_tasks.curation.overlap import (
    LEAST_SHINGLES,
    SHARED_BY_CHANCE,
    Overlap,
    OverlapIndex,
    ProtectedProgram,
)
from c2c_tasks.curation.signatures import Hashes, shingle_hashes
from c2c_tasks.curation.tokens import canonical_digest, shingles, top_level_functions
from c2c_tasks.shards import StepReport
from tests.curation.planted import planted

pytestmark = pytest.mark.filterwarnings("ignore:invalid escape")

THRESHOLD = FunctionOptions().benchmark_overlap_threshold


def all_problems(shared_data: Path) -> list[Problem]:
    """HumanEval, MBPP and the paper's test set."""
    return [problem for uri in (HUMANEVAL, str(shared_data)) for problem in read_benchmarks(uri)]


def test_planted_versions_of_benchmark_programs_are_found(shared_data: Path) -> None:
    problems = all_problems(shared_data)
    report = StepReport("merge", "-")
    index = OverlapIndex(protected_programs(problems, report), THRESHOLD)
    assert len(problems) == 164 + 427 + 250 and not report.problems
    planted_: list[tuple[str, int, tuple[str, Hashes]]] = []
    for problem in problems:
        name = problem.entry_point or list(top_level_functions(problem.program))[-1]
        size = len(shingles(problem.program, name))
        for change, (program, entry_point) in planted(problem.program, name).items():
            found = shingle_hashes(shingles(program, entry_point))
            planted_.append((change, size, (canonical_digest(program, entry_point), found)))
    overlaps = list(index.find_all(found for _, _, found in planted_))
    missed = [
        (change, size)
        for (change, size, _), overlap in zip(planted_, overlaps, strict=True)
        if overlap is None
    ]
    assert len(planted_) > 6_000
    assert not [change for change, _ in missed if change in ("copy", "renamed", "documented")]
    assert [(change, size) for change, size in missed if size >= 25] == []
    mid = sum(LEAST_SHINGLES <= size < 25 for _, size in missed)
    assert mid < 0.1 * sum(LEAST_SHINGLES <= size < 25 for _, size, _ in planted_)
    measures = Counter(overlap.measure for overlap in overlaps if overlap)
    assert set(measures) == {"canonical_ast", "jaccard", "containment"}


def test_code_of_others_is_not_a_benchmark() -> None:
    """The standard library, seen by eye: its greatest common divisor is HumanEval's."""
    index = OverlapIndex(
        protected_programs(read_benchmarks(HUMANEVAL), StepReport("merge", "-")), THRESHOLD
    )
    functions = [
        (name, text)
        for module in (ast_module, textwrap_module, statistics_module, difflib_module)
        for name, text in top_level_functions(Path(module.__file__ or "").read_text()).items()
    ]
    found = index.find_all(
        (canonical_digest(text, name), shingle_hashes(shingles(text, name)))
        for name, text in functions
    )
    assert len(functions) > 50
    assert sum(overlap is not None for overlap in found) <= 1


def protect(name: str, digest: str, members: object) -> ProtectedProgram:
    return ProtectedProgram(name, digest, as_hashes(members))


def as_hashes(members: object) -> Hashes:
    return np.array(sorted(members), dtype=np.uint64)  # type: ignore[call-overload]


def overlap_by_force(
    programs: list[ProtectedProgram], digest: str, function: Hashes, threshold: float
) -> Overlap | None:
    """The rules, program by program."""
    found = []
    for place, program in enumerate(programs):
        size = len(program.shingles)
        common = len(np.intersect1d(function, program.shingles))
        if program.digest == digest:
            return Overlap(program.name, "canonical_ast", 1.0)
        if (value := jaccard(function, program.shingles)) >= threshold:
            found.append(
                ((1, -value, program.name, place), Overlap(program.name, "jaccard", value))
            )
        elif size >= LEAST_SHINGLES and (
            common - SHARED_BY_CHANCE >= threshold * size or common == size
        ):
            value = common / size
            overlap = Overlap(program.name, "containment", value)
            found.append(((2, -value, program.name, place), overlap))
    return min(found)[1] if found else None


sets = st.sets(st.integers(0, 45), min_size=1, max_size=40)


@given(
    programs=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), sets), max_size=12),
    functions=st.lists(st.tuples(st.sampled_from("zvw"), sets), min_size=1, max_size=12),
    threshold=st.sampled_from([0.1, 0.5, 0.6, 0.85, 1.0]),
)
def test_the_index_finds_what_a_comparison_with_each_program_finds(
    programs: list[tuple[str, str, set[int]]],
    functions: list[tuple[str, set[int]]],
    threshold: float,
) -> None:
    known = [protect(*program) for program in programs]
    asked = [(digest, as_hashes(members)) for digest, members in functions]
    found = list(OverlapIndex(known, threshold).find_all(asked))
    assert found == [overlap_by_force(known, *function, threshold) for function in asked]


def test_equal_comes_before_near_and_near_before_held() -> None:
    programs = [
        protect("held", "1", range(100, 140)),
        protect("near", "2", range(0, 100)),
        protect("equal", "3", [7]),
    ]
    index = OverlapIndex(programs, 0.6)
    whole = as_hashes(range(140))
    assert index.find("3", whole) == Overlap("equal", "canonical_ast", 1.0)
    assert index.find("4", whole) == Overlap("near", "jaccard", 100 / 140)
    assert index.find("4", as_hashes(range(90, 400))) == Overlap("held", "containment", 1.0)
    assert index.find("4", as_hashes(range(1_000, 1_010))) is None


def test_short_programs_are_not_looked_for_in_others() -> None:
    program = protect("short", "1", range(LEAST_SHINGLES - 1))
    index = OverlapIndex([program], 0.6)
    assert index.find("2", as_hashes(range(200))) is None
    assert index.find("2", as_hashes(range(LEAST_SHINGLES))) is not None
