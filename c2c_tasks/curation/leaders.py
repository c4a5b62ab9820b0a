"""The leader rule: of near duplicates, the one that came first is kept and leads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from c2c_tasks.curation.near_duplicates import NearDuplicates, Pairs

_NONE = np.uint32(0xFFFFFFFF)
_BYTES_A_CANDIDATE = 64
"""Memory that a pair proposed by the buckets takes while it is looked at."""


def find_leaders(
    newcomers: Sequence[Path],
    kept: Sequence[Path],
    threshold: float,
    *,
    memory_megabytes: int,
    folder: Path,
) -> Iterator[tuple[str, str]]:
    """Yield the function id of each newcomer to be dropped, and that of its leader, in order.

    The files hold Candidates. Order is that of the rows, file by file; the kept ones come
    before all newcomers, and stay. A newcomer is dropped where its shingles have a Jaccard
    similarity of `threshold` or more with an earlier row that is kept; the earliest of these
    is its leader. To be near to a dropped row does no harm. The process takes `memory_megabytes`
    at most, its libraries included, from 500 and for up to a few million rows; it cannot do with
    less than some 320. What that does not hold lies in `folder` meanwhile.
    """
    first = sum(pq.read_metadata(path).num_rows for path in kept)
    with NearDuplicates(
        [*kept, *newcomers], first, threshold, memory_megabytes=memory_megabytes, folder=folder
    ) as near:
        most = memory_megabytes * 1_000_000 // 4 // _BYTES_A_CANDIDATE
        leaders = _Leaders(near, most).find(first)
        for row in np.flatnonzero(leaders != _NONE).tolist():
            yield near.function_id(row), near.function_id(int(leaders[row]))


class _Leaders:
    """The leader rule by halves, so that a large cluster is not compared pair by pair.

    Where the buckets propose too many pairs, the earlier half of the rows is decided first,
    and all that is near to what is kept of it is gone before the later half is looked at. A
    cluster of n copies takes n comparisons, not n * n / 2. Where many are alike and yet not near,
    all that is kept of the earlier half is compared with some of the later half at a time.
    """

    def __init__(self, near: NearDuplicates, most_candidates: int) -> None:
        self._near = near
        self._most = most_candidates
        self._leaders: npt.NDArray[np.uint32] = np.full(near.rows, _NONE, dtype=np.uint32)

    def find(self, first: int) -> npt.NDArray[np.uint32]:
        """Return the leader of each row, `_NONE` where it is kept, as all before `first` are."""
        if first:
            self._compare(0, first, first, self._near.rows)
        self._decide(first, self._near.rows)
        return self._leaders

    def _decide(self, first: int, end: int) -> None:
        """Decide on rows that are near to no kept row before `first`."""
        candidates = self._near.candidates_within(first, end)
        if candidates > self._most and end - first > 2:
            middle = (first + end) // 2
            self._decide(first, middle)
            self._compare(first, middle, middle, end)
            self._decide(middle, end)
        elif candidates:
            self._decide_at_once(list(self._near.within(first, end)))

    def _compare(self, first: int, middle: int, start: int, end: int) -> None:
        """Drop rows from `start` to before `end` that are near to a kept one before `middle`."""
        candidates = self._near.candidates_between(first, middle, start, end)
        if candidates > self._most and end - start > 1:
            half = (start + end) // 2
            self._compare(first, middle, start, half)
            self._compare(first, middle, half, end)
        elif candidates:
            for pairs in self._near.between(first, middle, start, end):
                np.minimum.at(self._leaders, pairs.later, pairs.earlier)
            dropped = np.flatnonzero(self._leaders[start:end] != _NONE) + start
            self._near.forget(dropped.astype(np.uint32))

    def _decide_at_once(self, found: list[Pairs]) -> None:
        earlier = np.concatenate([pairs.earlier for pairs in found])
        later = np.concatenate([pairs.later for pairs in found])
        order = np.lexsort((earlier, later))
        leaders = self._leaders
        for one, other in zip(earlier[order].tolist(), later[order].tolist(), strict=True):
            if leaders[other] == _NONE and leaders[one] == _NONE:
                leaders[other] = one
        dropped = np.unique(later[leaders[later] != _NONE])
        self._near.forget(dropped)
