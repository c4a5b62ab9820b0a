from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.curation.near_duplicates import MISSED, NearDuplicates, bands, jaccard
from c2c_tasks.curation.signatures import PERMUTATIONS, Hashes, minhash
from tests.curation.shingle_sets import jaccard_of_all, real_sets, write_sets


def pairs_of(found: NearDuplicates, compared: int) -> dict[tuple[int, int], float]:
    """All near pairs by the numbers of their rows."""
    pairs = [*found.within(compared, found.rows), *found.between(0, compared, compared, found.rows)]
    numbers = [
        (int(one), int(other))
        for some in pairs
        for one, other in zip(some.earlier, some.later, strict=True)
    ]
    assert len(numbers) == len(set(numbers)), "each pair once"
    return dict(zip(numbers, np.concatenate([p.jaccard for p in pairs]), strict=True))


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.85, 0.95, 1.0])
def test_real_pairs_are_those_of_brute_force(
    shared_data: Path, tmp_path: Path, threshold: float
) -> None:
    sets = real_sets(shared_data)
    files = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    write_sets(files[0], sets[:300])
    write_sets(files[1], sets[300:])
    with NearDuplicates(files, 200, threshold, memory_megabytes=300, folder=tmp_path) as near:
        found = pairs_of(near, 200)
    alike = jaccard_of_all(sets)
    exact = {
        (one, other): value
        for other in range(200, len(sets))
        for one in range(other)
        if (value := alike[one, other]) >= threshold
    }
    assert len(exact) > 30
    assert found.items() <= exact.items()
    assert len(found) >= (1 - 5 * MISSED) * len(exact)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "b.parquet"]


def test_what_is_forgotten_is_in_no_pair_any_more(shared_data: Path, tmp_path: Path) -> None:
    write_sets(tmp_path / "a.parquet", real_sets(shared_data)[:200])
    with NearDuplicates(
        [tmp_path / "a.parquet"], 0, 0.7, memory_megabytes=300, folder=tmp_path
    ) as near:
        before = pairs_of(near, 0)
        gone = min(before)[0]
        near.forget(np.array([gone], dtype=np.uint32))
        assert pairs_of(near, 0) == {pair: v for pair, v in before.items() if gone not in pair}
        assert near.candidates_within(0, near.rows) >= len(before) - 1


def test_pairs_of_earlier_rows_are_not_looked_for(tmp_path: Path) -> None:
    sets = [np.arange(9, dtype=np.uint64)] * 2 + [np.arange(50, 90, dtype=np.uint64)] * 2
    write_sets(tmp_path / "a.parquet", sets)
    with NearDuplicates(
        [tmp_path / "a.parquet"], 2, 0.9, memory_megabytes=300, folder=tmp_path
    ) as near:
        assert near.candidates_within(0, 2) == 0
        assert pairs_of(near, 2) == {(2, 3): 1.0}
        assert near.function_id(3) == "00000003"


def test_what_is_left_of_a_failure_is_no_file(tmp_path: Path) -> None:
    pq.write_table(pa.table({"function_id": ["a"]}), tmp_path / "a.parquet")
    with pytest.raises(KeyError, match="signature"):
        NearDuplicates([tmp_path / "a.parquet"], 0, 0.9, memory_megabytes=300, folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


@given(st.floats(0.3, 1.0))
def test_bands_miss_no_more_than_is_said(threshold: float) -> None:
    number, rows = bands(threshold)
    assert number * rows <= PERMUTATIONS
    assert (1 - threshold**rows) ** number <= MISSED
    assert rows == PERMUTATIONS or not any(
        (1 - threshold ** (rows + 1)) ** more <= MISSED
        for more in range(1, PERMUTATIONS // (rows + 1) + 1)
    ), "a longer band would do"


def test_bands_of_the_default_threshold() -> None:
    assert bands(0.85) == (18, 7)


hashes = st.sets(st.integers(0, 2**64 - 1) | st.integers(0, 9), max_size=12)


@given(hashes, hashes)
def test_jaccard_is_the_share_of_common_members(one: set[int], other: set[int]) -> None:
    def sorted_(members: set[int]) -> Hashes:
        return np.array(sorted(members), dtype=np.uint64)

    union = one | other
    assert jaccard(sorted_(one), sorted_(other)) == (
        len(one & other) / len(union) if union else 1.0
    )


def test_signatures_agree_as_often_as_sets_are_alike(shared_data: Path) -> None:
    sets = real_sets(shared_data)[::5]
    signatures = [minhash(members) for members in sets]
    alike = jaccard_of_all(sets)
    errors = [
        float(np.mean(signatures[i] == signatures[j])) - alike[i, j]
        for i in range(len(sets))
        for j in range(i)
    ]
    assert abs(float(np.mean(errors))) < 0.002
    assert max(map(abs, errors)) < 0.25
