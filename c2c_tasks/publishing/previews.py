"""Samples as a trainer sees them, for a card or a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pyarrow.parquet as pq

from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.records import FORMATS, SampleFormat
from c2c_tasks.store import local_copy

READABLE = 2_500
"""Characters up to which a sample is preferred for a preview."""


@dataclass(frozen=True, slots=True)
class Preview:
    """One sample, as labelled texts in the order in which a model reads them."""

    format: SampleFormat
    sample_id: str
    origin: str
    """Repository and path of the file that the function comes from."""
    parts: list[tuple[str, str]]
    """Label (a chat role, or a column) and text."""

    @property
    def characters(self) -> int:
        """Length of all texts."""
        return sum(len(text) for _, text in self.parts)


def draw_previews(
    release: str, files: Sequence[FileEntry], *, seed: str, count: int = 3
) -> list[Preview]:
    """Return `count` samples of different functions, the formats taking turns.

    They are drawn, by `seed`, from the first row group of each format's first training file.
    """
    random = Random(seed)
    pools: list[list[Preview]] = []
    functions: dict[str, str] = {}
    for format_ in FORMATS:
        of_format = [entry for entry in files if entry.config == format_]
        if not of_format:
            continue
        entry = next((entry for entry in of_format if entry.split == "train"), of_format[0])
        with local_copy(f"{release}/{entry.path}") as path, pq.ParquetFile(path) as file:
            rows = file.read_row_group(0).to_pylist()
        random.shuffle(rows)
        functions.update((row["sample_id"], row["function_id"]) for row in rows)
        pool = [_preview(format_, row) for row in rows]
        pools.append(sorted(pool, key=lambda preview: preview.characters > READABLE))
    drawn: list[Preview] = []
    seen: set[str] = set()
    while len(drawn) < count and any(pools):
        for pool in pools:
            fresh = next((p for p in pool if functions[p.sample_id] not in seen), None)
            if fresh is None:
                pool.clear()
            elif len(drawn) < count:
                drawn.append(fresh)
                seen.add(functions[fresh.sample_id])
    return drawn


def _preview(format_: SampleFormat, row: dict[str, Any]) -> Preview:
    match format_:
        case "sft":
            parts = [(message["role"], message["content"]) for message in row["messages"]]
        case "instruct":
            parts = [(name, row[name]) for name in ("instruction", "input", "output")]
        case "pretrain":
            parts = [("text", row["text"])]
    origin = f"{row['repository']}/{row['path']}"
    return Preview(format_, row["sample_id"], origin, [part for part in parts if part[1]])
