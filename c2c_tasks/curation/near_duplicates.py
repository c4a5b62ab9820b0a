"""Pairs of near duplicates among more rows than memory holds.

MinHash LSH proposes pairs (Indyk and Motwani 1998), exact Jaccard similarity of the shingles
decides. Signatures are cut into bands, and rows that agree in a band share a bucket; buckets
are made and joined by DuckDB, which goes to disk where its memory ends.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from c2c_tasks.curation.signatures import PERMUTATIONS, Hashes, number_in_common, read_signatures
from c2c_tasks.curation.stored_sets import StoredSets

MISSED = 1e-3
"""Probability, at most, that a pair is missed that lies exactly at the threshold."""

Rows = npt.NDArray[np.uint32]

_SIGNATURES_AT_ONCE = 10_000
_SETS_AT_ONCE = 1_000
_BUFFER = 1 << 20
"""Bytes of a column that are read at once: files of other writers may have large row groups."""
_PAIRS_AT_ONCE = 20_000
_THREADS = 2
"""Of DuckDB. The memory that it needs at least grows with them."""
_LEAST_MEGABYTES = 120
"""Of DuckDB, which does not count all that it takes; the interpreter with its libraries takes
some 150 beside it."""
_BUCKET = pa.schema([pa.field("bucket", pa.uint64()), pa.field("row", pa.uint32())])


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of rows that are near: at a place in `earlier` and in `later` stands one pair."""

    earlier: Rows
    later: Rows
    jaccard: npt.NDArray[np.float64]


def jaccard(one: Hashes, other: Hashes) -> float:
    """Return the share of the members of either set that both have; 1.0 for two empty sets."""
    common = number_in_common(one, other)
    union = len(one) + len(other) - common
    return common / union if union else 1.0


def bands(threshold: float) -> tuple[int, int]:
    """Return the number of bands, and of permutations in each.

    The longer a band, the fewer false candidates; the more bands, the fewer pairs are missed.
    Of the lengths that miss `MISSED` at most it is the longest, with the fewest bands.
    """
    for rows in range(PERMUTATIONS, 0, -1):
        agree = threshold**rows
        if agree == 1.0:
            return 1, rows
        number = math.ceil(math.log(MISSED) / math.log1p(-agree)) if agree else PERMUTATIONS + 1
        if number * rows <= PERMUTATIONS:
            return number, rows
    return PERMUTATIONS, 1


class NearDuplicates:
    """The near duplicates among the rows of Parquet files, of which some have been compared.

    Rows are numbered in order: file by file, each as it lies. A file has at least the columns
    `function_id`, `signature` and `shingles` of a Candidate. Pairs are found only where the
    later row is `compared` or more: of earlier rows it is known that they are to stay.
    """

    def __init__(
        self,
        files: Sequence[Path],
        compared: int,
        threshold: float,
        *,
        memory_megabytes: int,
        folder: Path,
    ) -> None:
        """Read the files; what memory does not hold lies below `folder` until `close`."""
        self.threshold = threshold
        self.rows = sum(pq.read_metadata(path).num_rows for path in files)
        self._folder = Path(tempfile.mkdtemp(prefix="near-", dir=folder))
        self._database = duckdb.connect(
            # On disk, so that tables can leave the memory.
            self._folder / "buckets.duckdb",
            config={
                "memory_limit": f"{max(_LEAST_MEGABYTES, memory_megabytes * 3 // 10)}MB",
                "temp_directory": str(self._folder / "duckdb"),
                "threads": _THREADS,
                "preserve_insertion_order": False,
            },
        )
        self._database.execute("SET enable_progress_bar = false")
        self._sets = StoredSets(self._folder / "sets", self.rows)
        try:
            self._make_buckets(files, compared)
            self._sets.add(_chosen(files, self._in_buckets()))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the memory and delete the files."""
        self._database.close()
        self._sets.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def candidates_within(self, first: int, end: int) -> int:
        """Return how many pairs the buckets propose among rows from `first` to before `end`."""
        ((found,),) = (
            self._database.cursor()
            .execute(
                "SELECT coalesce(sum(n * (n - 1) // 2), 0)::BIGINT FROM ("
                " SELECT count(*) AS n FROM buckets WHERE row >= ? AND row < ? GROUP BY bucket)",
                [first, end],
            )
            .fetchall()
        )
        return int(found)

    def candidates_between(self, first: int, middle: int, start: int, end: int) -> int:
        """Return how many pairs the buckets propose that `between` would look at."""
        ((found,),) = (
            self._database.cursor()
            .execute(
                "SELECT coalesce(sum(one * other), 0)::BIGINT FROM (SELECT"
                " count(*) FILTER (row < $middle) AS one, count(*) FILTER (row >= $start) AS other"
                " FROM buckets WHERE (row >= $first AND row < $middle)"
                " OR (row >= $start AND row < $end) GROUP BY bucket)",
                {"first": first, "middle": middle, "start": start, "end": end},
            )
            .fetchall()
        )
        return int(found)

    def within(self, first: int, end: int) -> Iterator[Pairs]:
        """Yield the near pairs among rows from `first` to before `end`."""
        return self._near(
            "one.row >= ? AND one.row < other.row AND other.row < ?",
            [first, end],
        )

    def between(self, first: int, middle: int, start: int, end: int) -> Iterator[Pairs]:
        """Yield the near pairs of a row from `first` to before `middle`, and one from `start`,
        which is no earlier, to before `end`."""
        return self._near(
            "one.row >= ? AND one.row < ? AND other.row >= ? AND other.row < ?",
            [first, middle, start, end],
        )

    def forget(self, rows: Rows) -> None:
        """Find no more pairs of these rows."""
        forgotten = pa.table({"row": rows})
        self._database.register("forgotten", forgotten)
        self._database.execute("DELETE FROM buckets WHERE row IN (SELECT row FROM forgotten)")
        self._database.unregister("forgotten")

    def function_id(self, row: int) -> str:
        """Return the function id of a row that is in a pair."""
        return self._sets.function_id(row)

    def _make_buckets(self, files: Sequence[Path], compared: int) -> None:
        """Write the bands of all rows, and make a table of the buckets that propose a pair."""
        number, length = bands(self.threshold)
        paths = [self._folder / f"band-{band}.parquet" for band in range(number)]
        rows = 0
        with contextlib.ExitStack() as stack:
            writers = [
                # Hashes do not get smaller, and are read once.
                stack.enter_context(
                    pq.ParquetWriter(path, _BUCKET, compression="none", use_dictionary=False)
                )
                for path in paths
            ]
            for signatures in _signatures(files):
                numbers = pa.array(np.arange(rows, rows + len(signatures), dtype=np.uint32))
                for band, writer in enumerate(writers):
                    hashes = _band(signatures[:, band * length : (band + 1) * length], band)
                    table = pa.table([pa.array(hashes), numbers], schema=_BUCKET)
                    writer.write_table(table)
                rows += len(signatures)
        self._database.execute("CREATE TABLE buckets (bucket UBIGINT, row UINTEGER)")
        for path in paths:
            self._database.execute(
                "INSERT INTO buckets SELECT bucket, row FROM read_parquet($path)"
                " WHERE bucket IN (SELECT bucket FROM read_parquet($path)"
                "  GROUP BY bucket HAVING count(*) > 1 AND max(row) >= $compared)",
                {"path": str(path), "compared": compared},
            )
            path.unlink()

    def _in_buckets(self) -> npt.NDArray[np.bool_]:
        """Tell of each row whether it is in a bucket."""
        needed = np.zeros(self.rows, dtype=np.bool_)
        for batch in self._fetch("SELECT DISTINCT row FROM buckets", []):
            needed[batch.column(0).to_numpy()] = True
        return needed

    def _near(self, condition: str, bounds: list[int]) -> Iterator[Pairs]:
        query = (
            "SELECT DISTINCT one.row, other.row FROM buckets AS one JOIN buckets AS other"
            f" ON one.bucket = other.bucket AND {condition}"
        )
        for batch in self._fetch(query, bounds):
            earlier, later = (batch.column(side).to_numpy() for side in (0, 1))
            yield self._verified(earlier, later)

    def _verified(self, earlier: Rows, later: Rows) -> Pairs:
        """Return the pairs that reach the threshold."""
        sizes = self._sets.sizes
        one, other = sizes[earlier], sizes[later]
        # No pair is more alike than its sizes are: this one is decided without being read.
        alike = np.minimum(one, other) / np.maximum(one, other) >= self.threshold
        earlier, later = earlier[alike], later[alike]
        order = np.argsort(earlier, kind="stable")
        earlier, later = earlier[order], later[order]
        found = np.fromiter(
            self._similarities(earlier.tolist(), later.tolist()), np.float64, len(earlier)
        )
        near = found >= self.threshold
        return Pairs(earlier[near], later[near], found[near])

    def _similarities(self, earlier: list[int], later: list[int]) -> Iterator[float]:
        """Yield the Jaccard similarity of pairs, which are in order of the earlier row."""
        last = -1
        for row, other in zip(earlier, later, strict=True):
            if row != last:
                last, shingles = row, self._sets.shingles(row)
            yield jaccard(shingles, self._sets.shingles(other))

    def _fetch(self, query: str, bounds: list[int]) -> Iterator[pa.RecordBatch]:
        cursor = self._database.cursor()
        yield from cursor.sql(query, params=bounds).to_arrow_reader(_PAIRS_AT_ONCE)


def _signatures(files: Sequence[Path]) -> Iterator[npt.NDArray[np.uint32]]:
    """Yield the signatures of all rows in order, some at a time."""
    for path in files:
        with pq.ParquetFile(path, buffer_size=_BUFFER) as file:
            for batch in file.iter_batches(_SIGNATURES_AT_ONCE, columns=["signature"]):
                signatures: list[Any] = batch.column("signature").to_pylist()
                yield read_signatures(b"".join(signatures))


def _chosen(
    files: Sequence[Path], chosen: npt.NDArray[np.bool_]
) -> Iterator[tuple[int, str, bytes]]:
    """Yield number, function id and shingles of the chosen rows; read no more than is needed."""
    first = 0
    for path in files:
        with pq.ParquetFile(path, buffer_size=_BUFFER) as file:
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if chosen[first : first + rows].any():
                    yield from _of_group(file, group, first, chosen)
                first += rows


def _of_group(
    file: pq.ParquetFile, group: int, first: int, chosen: npt.NDArray[np.bool_]
) -> Iterator[tuple[int, str, bytes]]:
    columns = ["function_id", "shingles"]
    for batch in file.iter_batches(_SETS_AT_ONCE, row_groups=[group], columns=columns):
        places = np.flatnonzero(chosen[first : first + len(batch)])
        ids, shingles = (column.take(places).to_pylist() for column in batch.columns)
        yield from zip((places + first).tolist(), ids, shingles, strict=True)
        first += len(batch)


def _band(values: npt.NDArray[np.uint32], band: int) -> Hashes:
    """Return a hash of each row of a band; other bands have others for the same values.

    Each step is FNV-1a's on 64 bits, with a shift that brings the upper bits back down.
    """
    found = np.full(len(values), 0xCBF29CE484222325 ^ band, dtype=np.uint64)
    for column in values.T:
        found ^= column
        found *= np.uint64(0x9E3779B97F4A7C15)
        found ^= found >> np.uint64(29)
    return found
