"""The Parquet files of a staged release, as an audit reads them back from the store.

Files that are to be examined are copied whole, and compared with their entries. Of those that are
exempt only the columns and row groups that are asked for are read, where they lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.store import ObjectNotFound, local_copy, sha256_of, store_for
from c2c_tasks.store.ranged import open_ranged

FETCHES = 8
"""Files that are copied at a time."""


@dataclass(frozen=True, slots=True)
class StagedFiles:
    """Files of a release, by their entries."""

    release: str
    """URI of the release."""
    entries: Sequence[FileEntry]
    exempt: Set[str]
    """Paths of files that are copies of an audited release's, and were compared when copied."""
    local: dict[str, Path] = field(default_factory=dict)
    """Copies, by path in the release, of the files to be examined."""
    footers: dict[str, pq.FileMetaData] = field(default_factory=dict)
    """Those of files that were opened, by path in the release."""

    def fetch(self, stack: ExitStack) -> Iterator[str]:
        """Copy the files that are to be examined; yield what is wrong with any file, in order.

        The copies are there until `stack` is closed.
        """
        with ThreadPoolExecutor(FETCHES, "fetch") as pool:
            yield from filter(None, pool.map(lambda entry: self._fetch(entry, stack), self.entries))

    def _fetch(self, entry: FileEntry, stack: ExitStack) -> str | None:
        """Copy a file, where it is to be examined; return what is wrong with it, or None."""
        uri = f"{self.release}/{entry.path}"
        if entry.path in self.exempt:
            info = store_for(uri).head(uri)
            sound = info is not None and info.size == entry.bytes
            return None if sound else f"{entry.path} is missing, or has another size than its entry"
        try:
            path = self.local[entry.path] = stack.enter_context(local_copy(uri))
        except ObjectNotFound:
            return f"{entry.path} is missing"
        sound = sha256_of(path) == entry.sha256
        return None if sound else f"{entry.path} has another SHA-256 than its entry"

    def programs(self) -> list[FileEntry]:
        """Return the entries of the files of programs."""
        return [entry for entry in self.entries if entry.config == "programs"]

    def samples(self) -> list[FileEntry]:
        """Return the entries of the files of samples, of every format."""
        return [entry for entry in self.entries if entry.config not in (None, "programs")]

    def examined(self, entries: Sequence[FileEntry]) -> list[FileEntry]:
        """Return those of the entries that are not exempt."""
        return [entry for entry in entries if entry.path not in self.exempt]

    def exempt_rows(self, entries: Sequence[FileEntry]) -> int:
        """Return the number of rows in those of the entries that are exempt."""
        return sum(entry.rows or 0 for entry in entries if entry.path in self.exempt)

    @contextmanager
    def open(self, entry: FileEntry) -> Iterator[pq.ParquetFile]:
        """Give a file, which is read as far as is asked of it."""
        with ExitStack() as stack:
            path = self.local.get(entry.path)
            source = path or stack.enter_context(open_ranged(f"{self.release}/{entry.path}"))
            footer = self.footers.get(entry.path)
            # Of a store, columns that lie side by side are one request.
            file = pq.ParquetFile(source, metadata=footer, pre_buffer=path is None)
            self.footers[entry.path] = file.metadata
            yield stack.enter_context(file)

    def rows(self, entry: FileEntry, positions: Sequence[int]) -> Iterator[pa.Table]:
        """Yield the rows at these positions, in order, reading no other row groups."""
        with self.open(entry) as file:
            first = 0
            waiting = sorted(positions)
            for group in range(file.num_row_groups):
                end = first + file.metadata.row_group(group).num_rows
                here = [position - first for position in waiting if first <= position < end]
                if here:
                    yield file.read_row_group(group).take(here)
                first = end
