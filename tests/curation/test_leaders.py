from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c2c_tasks.curation import leaders
from c2c_tasks.curation.leaders import find_leaders
from c2c_tasks.curation.near_duplicates import bands, jaccard
from c2c_tasks.curation.signatures import Hashes, minhash
from tests.curation.shingle_sets import jaccard_of_all, real_sets, write_sets


def found_leaders(
    newcomers: Sequence[Sequence[Hashes]], kept: Sequence[Hashes], threshold: float
) -> dict[int, int]:
    """Leaders by number, the kept ones counted first."""
    with tempfile.TemporaryDirectory() as name:
        files, first = [], 0
        for sets in [kept, *newcomers]:
            files.append(Path(name, f"{len(files)}.parquet"))
            write_sets(files[-1], sets, [str(first + n) for n in range(len(sets))])
            first += len(sets)
        found = list(
            find_leaders(files[1:], files[:1], threshold, memory_megabytes=300, folder=Path(name))
        )
        assert len(list(Path(name).iterdir())) == len(files), "nothing is left in the folder"
    numbers = [(int(dropped), int(leader)) for dropped, leader in found]
    assert numbers == sorted(numbers)
    return dict(numbers)


def leaders_by_force(
    sets: Sequence[Hashes], first: int, threshold: float, *, by_bands: bool = False
) -> dict[int, int]:
    """The leader rule row by row; `by_bands` leaves out what no band proposes."""
    alike = jaccard_of_all(sets)
    number, length = bands(threshold)
    signatures = [minhash(s)[: number * length].reshape(number, length) for s in sets]

    def near(one: int, other: int) -> bool:
        proposed = (not by_bands) or (signatures[one] == signatures[other]).all(axis=1).any()
        return bool(proposed) and alike[one, other] >= threshold

    kept = list(range(first))
    found: dict[int, int] = {}
    for row in range(first, len(sets)):
        leader = next((one for one in kept if near(one, row)), None)
        if leader is None:
            kept.append(row)
        else:
            found[row] = leader
    return found


def runs(start: int, length: int) -> Hashes:
    """A set that shares most of its members with those of a near start."""
    return np.arange(start, start + length, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)


some_sets = st.lists(
    st.builds(lambda s, n: np.sort(runs(s, n)), st.integers(0, 40), st.integers(1, 14)), max_size=20
)


@settings(max_examples=25)
@given(
    kept=some_sets,
    newcomers=st.lists(some_sets, min_size=1, max_size=3),
    threshold=st.sampled_from([0.5, 0.7, 0.85, 1.0]),
    by_halves=st.booleans(),
)
def test_leaders_are_those_of_the_rule_applied_row_by_row(
    kept: list[Hashes], newcomers: list[list[Hashes]], threshold: float, by_halves: bool
) -> None:
    sets = [*kept, *(members for some in newcomers for members in some)]
    with pytest.MonkeyPatch.context() as patch:
        if by_halves:
            patch.setattr(leaders, "_BYTES_A_CANDIDATE", 10**12)
        found = found_leaders(newcomers, kept, threshold)
    assert found == leaders_by_force(sets, len(kept), threshold, by_bands=True)


@pytest.mark.parametrize("threshold", [0.6, 0.85])
def test_leaders_of_real_functions_are_those_of_exact_jaccard(
    shared_data: Path, threshold: float
) -> None:
    sets = real_sets(shared_data)[:800]
    found = found_leaders([sets[100:]], sets[:100], threshold)
    assert len(found) > 90
    assert found == leaders_by_force(sets, 100, threshold)


def test_near_to_a_dropped_one_is_no_reason_to_drop() -> None:
    chain = [np.sort(runs(start, 12)) for start in range(0, 10, 2)]
    assert jaccard(chain[0], chain[1]) >= 0.7 > jaccard(chain[0], chain[2])
    assert found_leaders([chain], [], 0.7) == {1: 0, 3: 2}
    assert found_leaders([chain[:2]], chain[2:], 0.7) == {4: 0}


def test_the_earliest_kept_neighbour_leads() -> None:
    sets = [np.sort(runs(start, 20)) for start in (0, 2, 1)]
    assert found_leaders([sets[2:]], sets[:2], 0.8) == {2: 0}
    assert found_leaders([sets], [], 0.85) == {2: 0}


def test_a_large_cluster_takes_no_comparison_of_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0

    def counted(one: Hashes, other: Hashes) -> float:
        nonlocal looked_at
        looked_at += 1
        return jaccard(one, other)

    monkeypatch.setattr("c2c_tasks.curation.near_duplicates.jaccard", counted)
    monkeypatch.setattr(leaders, "_BYTES_A_CANDIDATE", 10_000)
    copies = [np.sort(np.append(runs(0, 60), np.uint64(n))) for n in range(3_000)]
    assert found_leaders([copies], [], 0.85) == dict.fromkeys(range(1, 3000), 0)
    assert looked_at < 10 * len(copies)


def test_no_rows_are_no_leaders() -> None:
    assert found_leaders([[]], [], 0.85) == {}
    assert found_leaders([], [runs(0, 3)], 0.85) == {}
