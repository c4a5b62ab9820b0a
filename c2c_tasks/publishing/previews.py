"""Samples as a trainer sees them, for a card or a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.records import FORMATS, SampleFormat
from c2c_tasks.shards import ROW_GROUP
from c2c_tasks.store import StoreError, local_copy

READABLE = 2_500
"""Characters up to which a sample is preferred for a preview."""


@dataclass(frozen=True, slots=True)
class Preview:
    """One sample, as labelled texts in the order in which a model reads them."""

    format: SampleFormat
    sample_id: str
    function_id: str
    repository: str
    path: str
    """Of the file that the function comes from, inside the repository."""
    parts: list[tuple[str, str]]
    """Label (a chat role, or a column) and text."""

    @property
    def origin(self) -> str:
        """Repository and path of the file that the function comes from."""
        return f"{self.repository}/{self.path}"

    @property
    def characters(self) -> int:
        """Length of all texts."""
        return sum(len(text) for _, text in self.parts)


def draw_previews(
    release: str, files: Sequence[FileEntry], *, seed: str, count: int = 3
) -> list[Preview]:
    """Return `count` samples of different functions, the formats taking turns.

    They are drawn, by `seed`, from the first row group of one training file of each format: the
    smallest that has a whole one, or the largest. Repositories differ as long as there are others.
    Raises StoreError where a file is damaged.
    """
    random = Random(seed)
    pools: list[list[Preview]] = []
    for format_ in FORMATS:
        of_format = [entry for entry in files if entry.config == format_]
        if not of_format:
            continue
        entry = _file_to_draw_from(of_format)
        rows = _first_rows(f"{release}/{entry.path}")
        random.shuffle(rows)
        pool = [_preview(format_, row) for row in rows]
        pools.append(sorted(pool, key=lambda preview: preview.characters > READABLE))
    return _in_turn(pools, count)


def _first_rows(uri: str) -> list[dict[str, Any]]:
    with local_copy(uri) as path:
        try:
            with pq.ParquetFile(path) as file:
                return file.read_row_group(0).to_pylist()
        except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
            reason = " ".join(str(error).split())
            raise StoreError(
                f"{uri}: damaged ({reason}); `c2c release verify` says what is wrong with a release"
            ) from None


def _file_to_draw_from(entries: Sequence[FileEntry]) -> FileEntry:
    training = [entry for entry in entries if entry.split == "train"] or list(entries)
    largest = max(training, key=lambda entry: entry.rows or 0)
    whole = [entry for entry in training if (entry.rows or 0) >= ROW_GROUP]
    return min(whole, key=lambda entry: entry.bytes, default=largest)


def _in_turn(pools: list[list[Preview]], count: int) -> list[Preview]:
    """Draw from the pools in turn: no function twice, and a repository only for want of others."""
    drawn: list[Preview] = []
    repositories: set[str] = set()
    functions: set[str] = set()
    while len(drawn) < count and any(pools):
        for position, pool in enumerate(pools):
            fresh = [preview for preview in pool if preview.function_id not in functions]
            pools[position] = fresh
            if fresh and len(drawn) < count:
                elsewhere = (p for p in fresh if p.repository not in repositories)
                drawn.append(next(elsewhere, fresh[0]))
                repositories.add(drawn[-1].repository)
                functions.add(drawn[-1].function_id)
    return drawn


def _preview(format_: SampleFormat, row: dict[str, Any]) -> Preview:
    match format_:
        case "sft":
            parts = [(message["role"], message["content"]) for message in row["messages"]]
        case "instruct":
            parts = [(name, row[name]) for name in ("instruction", "input", "output")]
        case "pretrain":
            parts = [("text", row["text"])]
    return Preview(
        format=format_,
        sample_id=row["sample_id"],
        function_id=row["function_id"],
        repository=row["repository"],
        path=row["path"],
        parts=[part for part in parts if part[1]],
    )
