"""Parquet files of a release, read by the row group and by the column.

A footer is read once: a file is told by its SHA-256, so what its footer says cannot change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from c2c_tasks.browsing.caching import Recent
from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.store import ObjectNotFound, StoreError, file_path
from c2c_tasks.store.ranged import open_ranged

_FOOTERS: Recent[str, pq.FileMetaData] = Recent(24)
"""One of 50,000 rows takes some hundred kilobytes."""
_SPANS: Recent[tuple[str, str], list[Span]] = Recent(2_000)

Span = tuple[str, str] | None
"""Least and greatest value of a column in a row group; None where the footer does not tell."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A Parquet file of a release, open."""

    parquet: pq.ParquetFile
    footer: pq.FileMetaData

    @property
    def groups(self) -> int:
        """Number of row groups."""
        return int(self.footer.num_row_groups)

    def rows(self, group: int) -> int:
        """Return the rows of a row group."""
        return int(self.footer.row_group(group).num_rows)

    def read(self, group: int, columns: Sequence[str]) -> pa.Table:
        """Return columns of a row group; of a nested one, a leaf may be named."""
        return self.parquet.read_row_group(group, columns=list(columns), use_threads=False)

    def leaf(self, column: str, name: str) -> str:
        """Return how `read` is asked for one member of a column of lists of structs."""
        row_group = self.footer.row_group(0)
        paths = (row_group.column(n).path_in_schema for n in range(row_group.num_columns))
        return next(p for p in paths if p.startswith(f"{column}.") and p.endswith(f".{name}"))

    def bytes(self, group: int, columns: Sequence[str]) -> int:
        """Return what reading these columns of a row group fetches."""
        row_group = self.footer.row_group(group)
        chunks = (row_group.column(number) for number in range(row_group.num_columns))
        return sum(
            chunk.total_compressed_size
            for chunk in chunks
            if any(_is_in(chunk.path_in_schema, name) for name in columns)
        )

    def may_hold(self, group: int, column: str, value: str | None) -> bool:
        """Tell whether a row group may have the value in a column (None: no value)."""
        statistics = _statistics(self.footer, group, column)
        if statistics is None:
            return True
        if value is None:
            return not statistics.has_null_count or statistics.null_count > 0
        if not statistics.has_min_max:
            return not statistics.has_null_count or statistics.null_count < self.rows(group)
        return bool(statistics.min <= value <= statistics.max)


@contextmanager
def open_data_file(release: str, entry: FileEntry) -> Iterator[DataFile]:
    """Open a Parquet file of the release at a URI.

    Raises StoreError where it is missing or damaged, also in the block.
    """
    uri = f"{release}/{entry.path}"
    try:
        footer = _FOOTERS.get(entry.sha256, lambda: _read_footer(uri, entry.bytes))
        with _opened(uri, entry.bytes, footer) as parquet:
            yield DataFile(parquet, footer)
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise StoreError(
            f"{uri}: damaged ({' '.join(str(error).split())}); "
            "`c2c release verify` says what is wrong with a release"
        ) from None


def rows_with(
    release: str, entry: FileEntry, column: str, value: str, columns: Sequence[str] | None
) -> list[dict[str, Any]]:
    """Return the rows of a file that have a value in a text column, few columns or all (None).

    Row groups whose statistics leave the value out are not read; of the others, that column,
    and the rest where it has the value. Raises StoreError.
    """
    spans = _SPANS.get((entry.sha256, column), lambda: _read_spans(release, entry, column))
    groups = [g for g, span in enumerate(spans) if span is None or span[0] <= value <= span[1]]
    found: list[dict[str, Any]] = []
    if not groups:
        return found
    with open_data_file(release, entry) as file:
        for group in groups:
            keys = file.read(group, [column]).column(0).to_pylist()
            positions = [number for number, key in enumerate(keys) if key == value]
            if positions:
                wanted = list(file.parquet.schema_arrow.names) if columns is None else columns
                found += file.read(group, wanted).take(positions).to_pylist()
    return found


def _read_spans(release: str, entry: FileEntry, column: str) -> list[Span]:
    with open_data_file(release, entry) as file:
        found = [_statistics(file.footer, group, column) for group in range(file.groups)]
    return [(s.min, s.max) if s is not None and s.has_min_max else None for s in found]


def _statistics(footer: pq.FileMetaData, group: int, column: str) -> Any:
    row_group = footer.row_group(group)
    for number in range(row_group.num_columns):
        chunk = row_group.column(number)
        if chunk.path_in_schema == column:
            return chunk.statistics
    return None


def _read_footer(uri: str, size: int) -> pq.FileMetaData:
    with _opened(uri, size, None) as parquet:
        return parquet.metadata


@contextmanager
def _opened(uri: str, size: int, footer: pq.FileMetaData | None) -> Iterator[pq.ParquetFile]:
    if uri.startswith("file:"):
        try:
            with pq.ParquetFile(file_path(uri), metadata=footer) as parquet:
                yield parquet
        except FileNotFoundError:
            raise ObjectNotFound(f"{uri}: no such object") from None
        return
    # Chunks that lie side by side are fetched with one request.
    with (
        open_ranged(uri, size) as source,
        pq.ParquetFile(source, metadata=footer, pre_buffer=True) as parquet,
    ):
        yield parquet


def _is_in(path: str, name: str) -> bool:
    return path == name or path.startswith(f"{name}.")
