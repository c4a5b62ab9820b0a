"""The data files of a release: one folder a config, Parquet, in order of function id.

Rows are written as they come, one row group of each split in memory, and merged on the way
with those of the release that the new one adds to. A file's bytes depend on its rows alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from c2c_tasks.config import PublishingOptions
from c2c_tasks.publishing.manifest import DUMP_OBJECTS, Manifest, read_manifest
from c2c_tasks.publishing.release import PublishError
from c2c_tasks.records import SPLITS, Program, Sample, SampleFormat, Split, arrow_schema, to_row
from c2c_tasks.shards import ROW_GROUP, read_shard, write_parquet
from c2c_tasks.store import ObjectInfo, local_copy

Row = dict[str, Any]


def write_data_files(
    folder: Path,
    programs: Iterable[Program],
    samples: Iterable[Sample],
    options: PublishingOptions,
    *,
    formats: Sequence[SampleFormat],
    layout: Callable[[Sample], Row],
    schema_of: Callable[[SampleFormat], pa.Schema],
    parent: str | None = None,
) -> None:
    """Write the files of every config and split into a local folder.

    `programs` come in order of function id; so do `samples`, of all formats mixed, those of
    one function in the order that they are to have. `layout` turns a sample into a row of its
    format's `schema_of`. `parent` is the URI of the release whose rows are carried over. A
    split without rows has no file: `datasets` cannot load an empty one.

    Raises ValueError where rows are not in order, PublishError where the parent's columns are
    not those of the new rows.
    """
    earlier = read_manifest(parent) if parent else None

    def table(stack: ExitStack, config: str, schema: pa.Schema) -> dict[Split, _SplitFiles]:
        return {
            split: stack.enter_context(
                _SplitFiles(
                    folder,
                    config,
                    split,
                    schema,
                    options.rows_per_file,
                    carry_over(parent, earlier, config, split, schema)
                    if parent and earlier
                    else iter(()),
                )
            )
            for split in SPLITS
        }

    with ExitStack() as stack:
        of_programs = table(stack, "programs", arrow_schema(Program))
        for program in programs:
            of_programs[program.split].add(to_row(program))
    with ExitStack() as stack:
        of_format = {format_: table(stack, format_, schema_of(format_)) for format_ in formats}
        for sample in samples:
            of_format[sample.format][sample.split].add(layout(sample))


def carry_over(
    parent: str, manifest: Manifest, config: str, split: Split, schema: pa.Schema
) -> Iterator[Row]:
    """Yield the rows that a release has of a config and split, in order.

    Raises PublishError where they do not have the columns of `schema`.
    """
    for entry in manifest.files:
        if (entry.config, entry.split) != (config, split):
            continue
        uri = f"{parent}/{entry.path}"
        with local_copy(uri) as path, pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(schema):
                raise PublishError(
                    f"{uri}: its columns are not those that {config} has now, so it cannot be "
                    "added to; build anew with mode=full"
                )
            for batch in file.iter_batches(batch_size=ROW_GROUP):
                yield from batch.to_pylist()


def read_programs(release: str) -> Iterator[Program]:
    """Yield the programs of a published release, split by split."""
    manifest = read_manifest(release)
    for split in SPLITS:
        for entry in manifest.files:
            if (entry.config, entry.split) == ("programs", split):
                yield from read_shard(f"{release}/{entry.path}", Program)


def write_dump_objects(folder: Path, objects: Iterable[ObjectInfo]) -> None:
    """Write the list of dump objects that a release was built from."""
    rows = (to_row(item) for item in sorted(objects, key=lambda item: item.uri))
    write_parquet(folder / DUMP_OBJECTS, arrow_schema(ObjectInfo), rows)


def read_dump_objects(release: str) -> Iterator[ObjectInfo]:
    """Yield the dump objects that a release was built from, its parents' included."""
    return read_shard(f"{release}/{DUMP_OBJECTS}", ObjectInfo)


class _SplitFiles:
    """The files of one config and split, written in order, `rows_per_file` to a file.

    Rows that are carried over go in where their function id belongs. Files have temporary
    names until it is known how many there are.
    """

    def __init__(
        self,
        folder: Path,
        config: str,
        split: Split,
        schema: pa.Schema,
        rows_per_file: int,
        earlier: Iterator[Row],
    ) -> None:
        self._folder = folder / config
        self._config, self._split, self._schema = config, split, schema
        self._rows_per_file = rows_per_file
        self._earlier = earlier
        self._next_earlier: Row | None = None
        self._last = ""
        self._rows: list[Row] = []
        self._file: pq.ParquetWriter | None = None
        self._counts: list[int] = []

    def __enter__(self) -> _SplitFiles:
        self._next_earlier = next(self._earlier, None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._carry_over_to(None)
        self._end_file()
        if kind is None:
            self._name_files()

    def add(self, row: Row) -> None:
        """Write a row, after those carried over that belong before it."""
        identity = row["function_id"]
        if identity < self._last:
            raise ValueError(f"{self._config}: {identity} comes after {self._last}: not in order")
        if identity > self._last:
            self._carry_over_to(identity)
            self._last = identity
        self._append(row)

    def _carry_over_to(self, identity: str | None) -> None:
        """Write the earlier rows before a function id; leave out those that have it."""
        while (row := self._next_earlier) is not None:
            if identity is not None and row["function_id"] > identity:
                return
            if row["function_id"] != identity:
                self._append(row)
            self._next_earlier = next(self._earlier, None)

    def _append(self, row: Row) -> None:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = pq.ParquetWriter(
                self._temporary(len(self._counts)), self._schema, compression="zstd"
            )
            self._counts.append(0)
        self._rows.append(row)
        self._counts[-1] += 1
        if self._counts[-1] == self._rows_per_file:
            self._end_file()
        elif len(self._rows) == ROW_GROUP:
            self._end_row_group()

    def _end_row_group(self) -> None:
        if self._file is not None and self._rows:
            table = pa.Table.from_pylist(self._rows, self._schema)
            self._file.write_table(table, row_group_size=ROW_GROUP)
            self._rows = []

    def _end_file(self) -> None:
        self._end_row_group()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _name_files(self) -> None:
        for index in range(len(self._counts)):
            name = f"{self._split}-{index:05d}-of-{len(self._counts):05d}.parquet"
            self._temporary(index).rename(self._folder / name)

    def _temporary(self, index: int) -> Path:
        return self._folder / f".{self._split}-{index:05d}"
