"""What a release's data files hold, counted for its plots and its card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.records import FORMATS, SampleFormat
from c2c_tasks.store import local_copy

UNKNOWN_LICENCE = "not stated"
_TEXT_COLUMNS: dict[SampleFormat, list[str]] = {
    "sft": ["messages"],
    "instruct": ["instruction", "input", "output"],
    "pretrain": ["text"],
}


@dataclass(slots=True)
class Statistics:
    """Counts over all splits of a release."""

    cases_per_program: Counter[int] = field(default_factory=Counter)
    coverage: Counter[int] = field(default_factory=Counter)
    """Programs by coverage, in per cent, rounded down."""
    licences: Counter[str] = field(default_factory=Counter)
    """Programs by SPDX identifier, as the dump states it."""
    repositories: Counter[str] = field(default_factory=Counter)
    """Programs by repository."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """Cases by outcome."""
    sample_characters: dict[SampleFormat, Counter[int]] = field(default_factory=dict)
    """Samples by length of all their text, in characters, for each format."""


def measure(release: str, files: Iterable[FileEntry]) -> Statistics:
    """Count over the data files of a release, or of a local folder's URI."""
    found = Statistics()
    for entry in files:
        if entry.config == "programs":
            columns = ["cases", "coverage", "licence", "repository"]
            for batch in _batches(f"{release}/{entry.path}", columns):
                _count_programs(batch, found)
        for format_ in FORMATS:
            if entry.config == format_:
                lengths = found.sample_characters.setdefault(format_, Counter())
                for batch in _batches(f"{release}/{entry.path}", _TEXT_COLUMNS[format_]):
                    texts = [_characters(column) for column in batch.columns]
                    lengths.update(np.sum(texts, axis=0).tolist())
    return found


def _batches(uri: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
    with local_copy(uri) as path, pq.ParquetFile(path) as file:
        yield from file.iter_batches(columns=columns)


def _count_programs(batch: pa.RecordBatch, found: Statistics) -> None:
    cases = batch.column("cases")
    found.cases_per_program.update(pc.list_value_length(cases).to_pylist())
    found.outcomes.update(pc.struct_field(pc.list_flatten(cases), "outcome").to_pylist())
    coverage: list[Any] = batch.column("coverage").to_pylist()
    repositories: list[Any] = batch.column("repository").to_pylist()
    found.coverage.update(int(100 * share) for share in coverage)
    found.licences.update(text or UNKNOWN_LICENCE for text in batch.column("licence").to_pylist())
    found.repositories.update(repositories)


def _characters(column: Any) -> NDArray[np.int64]:
    """Return the characters of each row of a text column, or of a column of chat messages."""
    if pa.types.is_string(column.type):
        return np.asarray(pc.utf8_length(column), np.int64)
    contents = pc.struct_field(pc.list_flatten(column), "content")
    rows = np.asarray(pc.list_parent_indices(column))
    lengths = np.bincount(rows, np.asarray(pc.utf8_length(contents)), minlength=len(column))
    return lengths.astype(np.int64)
