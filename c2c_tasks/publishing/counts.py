"""What one data file holds, counted: kept with the release, so that no later one counts again."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from c2c_tasks.publishing.histograms import Histogram
from c2c_tasks.publishing.tokens import count_tokens
from c2c_tasks.publishing.value_types import type_of
from c2c_tasks.shards import ROW_GROUP

COUNTED_ROWS = 4_000
"""Samples of a file whose tokens are counted: they tell those of all to within a per cent."""
PERCENTS = 100
_TEXTS = ("messages", "instruction", "input", "output", "text")
"""Columns that a model reads, of all formats."""


class ProgramCounts(BaseModel):
    """The programs of a file."""

    cases_per_program: Counter[int] = Field(default_factory=Counter)
    coverage: Counter[int] = Field(default_factory=Counter)
    """Programs by coverage, in per cent, rounded down."""
    difficulty: Counter[int] = Field(default_factory=Counter)
    """Programs by difficulty, in hundredths, rounded down."""
    outcomes: Counter[str] = Field(default_factory=Counter)
    """Cases by outcome."""
    output_types: Counter[str] = Field(default_factory=Counter)
    """Cases that returned, by the type of the value."""
    exception_types: Counter[str] = Field(default_factory=Counter)
    """Cases that raised, by the type of the exception."""


class SampleCounts(BaseModel):
    """The samples of a file: all their text, whatever columns it is in."""

    characters: Histogram
    tokens: Histogram
    """Of so many rows, drawn by the file's content."""
    counted_characters: int
    """Characters of those rows."""


class FileCounts(BaseModel):
    """The rows of a data file."""

    memory_bytes: int
    """Bytes of the rows in memory, as Arrow has them."""
    programs: ProgramCounts | None = None
    samples: SampleCounts | None = None


def count_file(path: Path, config: str, seed: str) -> FileCounts:
    """Count over a data file of a config; `seed` draws the samples whose tokens are counted."""
    counts = FileCounts(memory_bytes=0)
    if config == "programs":
        counts.programs = ProgramCounts()
    characters: list[NDArray[np.int64]] = []
    tokens: list[int] = []
    with pq.ParquetFile(path) as file:
        drawn = _drawn(file.metadata.num_rows, seed)
        first = 0
        for batch in file.iter_batches(ROW_GROUP):
            counts.memory_bytes += batch.nbytes
            if counts.programs:
                _count_programs(batch, counts.programs)
            else:
                characters.append(_characters(batch))
                here = drawn[(drawn >= first) & (drawn < first + len(batch))] - first
                tokens += map(sum, map(count_tokens, _parts(batch, here)))
                first += len(batch)
    if characters:
        lengths_of_all = np.concatenate(characters)
        counts.samples = SampleCounts(
            characters=Histogram.of(lengths_of_all),
            tokens=Histogram.of(np.asarray(tokens, np.int64)),
            counted_characters=int(lengths_of_all[drawn].sum()),
        )
    return counts


def _drawn(rows: int, seed: str) -> NDArray[np.int64]:
    """Return the positions of the rows whose tokens are counted, in order."""
    if rows <= COUNTED_ROWS:
        return np.arange(rows)
    random = np.random.default_rng(list(hashlib.sha256(seed.encode()).digest()))
    return np.sort(random.choice(rows, COUNTED_ROWS, replace=False))


def _count_programs(batch: pa.RecordBatch, counts: ProgramCounts) -> None:
    lists = batch.column("cases")
    counts.cases_per_program.update(pc.list_value_length(lists).to_pylist())
    for name, found in (("coverage", counts.coverage), ("difficulty", counts.difficulty)):
        shares: list[Any] = batch.column(name).to_pylist()
        found.update(_percent(share) for share in shares)
    cases = pc.list_flatten(lists)
    counts.outcomes.update(pc.struct_field(cases, "outcome").to_pylist())
    outputs = pc.struct_field(cases, "output").drop_null()
    counts.output_types.update(map(type_of, outputs.to_pylist()))
    exceptions = pc.struct_field(cases, "exception_type").drop_null()
    counts.exception_types.update(exceptions.to_pylist())


def _percent(share: float) -> int:
    """Return a share in per cent, rounded down: 0.29 is 29, though 100 times it is less."""
    return math.floor(PERCENTS * share + 1e-9)


def _characters(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """Return the characters of each sample."""
    if "messages" not in batch.schema.names:
        texts: list[Any] = [batch.column(name) for name in _text_columns(batch)]
        return sum((_lengths(text) for text in texts), np.zeros(len(batch), np.int64))
    messages = batch.column("messages")
    contents = pc.struct_field(pc.list_flatten(messages), "content")
    rows = np.asarray(pc.list_parent_indices(messages))
    return np.bincount(rows, _lengths(contents), minlength=len(batch)).astype(np.int64)


def _lengths(texts: Any) -> NDArray[np.int64]:
    return np.asarray(pc.utf8_length(texts), np.int64)


def _parts(batch: pa.RecordBatch, rows: NDArray[np.int64]) -> list[list[str]]:
    """Return the texts of some samples: messages, or columns."""
    texts = batch.select(_text_columns(batch)).take(rows)
    chosen: list[dict[str, Any]] = texts.to_pylist()
    if "messages" in batch.schema.names:
        return [[message["content"] for message in row["messages"]] for row in chosen]
    return [list(row.values()) for row in chosen]


def _text_columns(batch: pa.RecordBatch) -> list[str]:
    return [name for name in _TEXTS if name in batch.schema.names]
