"""Sets of shingle hashes on disk, each found by the number of its row."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from c2c_tasks.curation.signatures import Hashes, read_shingles


class StoredSets:
    """A file of sets with their function ids. In memory it takes 14 bytes a row."""

    def __init__(self, path: Path, rows: int) -> None:
        self._file = path.open("w+b")
        self._end = 0
        self._starts = np.zeros(rows, dtype=np.uint64)
        self._id_bytes = np.zeros(rows, dtype=np.uint16)
        self.sizes: npt.NDArray[np.uint32] = np.zeros(rows, dtype=np.uint32)
        """Members of the set of each row; 0 where there is no set of that row."""

    def add(self, rows: Iterable[tuple[int, str, bytes]]) -> None:
        """Store the sets of rows: number, function id and `shingles` of a Candidate."""
        for row, function_id, shingles in rows:
            name = function_id.encode()
            self._starts[row] = self._end
            self._id_bytes[row] = len(name)
            self.sizes[row] = len(shingles) // 8
            self._end += self._file.write(name) + self._file.write(shingles)
        self._file.flush()

    def function_id(self, row: int) -> str:
        """Return the function id of a row that was added."""
        return self._read(int(self._starts[row]), int(self._id_bytes[row])).decode()

    def shingles(self, row: int) -> Hashes:
        """Return the set of a row that was added."""
        start = int(self._starts[row]) + int(self._id_bytes[row])
        return read_shingles(self._read(start, int(self.sizes[row]) * 8))

    def _read(self, start: int, size: int) -> bytes:
        return os.pread(self._file.fileno(), size, start)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
