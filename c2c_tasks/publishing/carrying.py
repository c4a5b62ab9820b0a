"""What a release takes over from the one before: whole files, copied by the store.

Only a file that holds a row which leaves, or whose function was found in another place, is
written anew. So a release costs what is new in it, and not what is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from c2c_tasks.publishing.manifest import FileEntry, Manifest
from c2c_tasks.publishing.release import PublishError, published_file
from c2c_tasks.records import PLACE
from c2c_tasks.shards import write_batches

MAX_SMALL_FILES = 16
"""Files of a split with less than a tenth of the rows of a full one; were there more, they are
joined. A nightly build adds one."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What becomes of rows that are carried over."""

    removed: Mapping[str, str] = field(default_factory=dict)
    """Function ids whose rows leave, with the reason."""
    moved: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Columns of functions that are found in another place than before, by function id."""

    def __bool__(self) -> bool:
        return bool(self.removed or self.moved)


@dataclass(frozen=True, slots=True)
class Part:
    """A data file before it has its name in the release."""

    rows: int
    path: Path | None
    """The file, where it is local; None where it is the store's."""
    source: str = ""
    """URI of the file of the release before that is to be copied."""
    entry: FileEntry | None = None
    """That file's entry there."""


def carry_over(
    parent: str,
    manifest: Manifest,
    config: str,
    split: str,
    schema: pa.Schema,
    changes: Changes,
    folder: Path,
) -> Iterator[Part]:
    """Yield the parts that a release takes over from `parent` of a config and split, in order.

    Those that are not as they were are written into `folder`. Raises PublishError where the
    columns are not those of `schema`.
    """
    removed = pa.array(list(changes.removed), pa.string())
    entries = [e for e in manifest.files if (e.config, e.split) == (config, split)]
    for entry in entries:
        uri = f"{parent}/{entry.path}"
        as_it_was = Part(entry.rows or 0, None, uri, entry)
        # One file tells the columns of all; of S3 each that is looked at has to be fetched.
        if entry is not entries[0] and not changes:
            yield as_it_was
            continue
        with published_file(uri, entry) as path, pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(schema):
                raise PublishError(
                    f"{uri}: its columns are not those that {config} has now, so it cannot be "
                    "added to; build anew with mode=full"
                )
            if not _is_touched(file, changes):
                yield as_it_was
                continue
            revised = folder / f".carried-{config}-{entry.path.rpartition('/')[2]}"
            rows = write_batches(
                revised,
                schema,
                (_revised(batch, changes, removed) for batch in file.iter_batches()),
            )
        if rows:
            yield Part(rows, revised)
        else:
            revised.unlink()


def joined(parts: Sequence[Part], schema: pa.Schema, rows_per_file: int, path: Path) -> list[Part]:
    """Return the parts with the small ones joined into a file at `path`, where they are many."""
    small = [part for part in parts if part.rows * 10 < rows_per_file]
    if len(small) <= MAX_SMALL_FILES:
        return list(parts)
    rows = write_batches(path, schema, _all_batches(small))
    for part in small:
        if part.path is not None:
            part.path.unlink()
    return [*(part for part in parts if part not in small), Part(rows, path)]


def _all_batches(parts: Sequence[Part]) -> Iterator[pa.RecordBatch]:
    for part in parts:
        if part.path is not None:
            with pq.ParquetFile(part.path) as file:
                yield from file.iter_batches()
        elif part.entry is not None:
            with (
                published_file(part.source, part.entry) as path,
                pq.ParquetFile(path) as file,
            ):
                yield from file.iter_batches()


def _is_touched(file: pq.ParquetFile, changes: Changes) -> bool:
    if not changes:
        return False
    touched = changes.removed.keys() | changes.moved.keys()
    return any(
        not touched.isdisjoint(batch.column(0).to_pylist())
        for batch in file.iter_batches(columns=["function_id"])
    )


def _revised(batch: pa.RecordBatch, changes: Changes, removed: pa.StringArray) -> pa.RecordBatch:
    ids = batch.column("function_id")
    stays = pc.invert(pc.is_in(ids, removed))
    batch = batch.filter(stays)
    identities: list[Any] = batch.column("function_id").to_pylist()
    places = [changes.moved.get(identity) for identity in identities]
    if not any(places):
        return batch
    for position, column in enumerate(batch.schema):
        if column.name in PLACE:
            values = [
                value if place is None else place[column.name]
                for value, place in zip(batch.column(position).to_pylist(), places, strict=True)
            ]
            batch = batch.set_column(position, column, pa.array(values, column.type))
    return batch
