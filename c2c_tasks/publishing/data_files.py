"""The data files of a release: one folder a config, Parquet, the rows of a build in order of id.

New rows are written as they come, one row group of each split in memory, after the files of the
release that the new one adds to. A file's bytes depend on its rows alone.
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
from c2c_tasks.publishing.carrying import Changes, Part, carry_over, joined
from c2c_tasks.publishing.manifest import DUMP_OBJECTS, read_manifest
from c2c_tasks.publishing.release import Copy
from c2c_tasks.records import SPLITS, Program, Sample, SampleFormat, Split, arrow_schema, to_row
from c2c_tasks.shards import ROW_GROUP, read_columns, read_shard, write_parquet
from c2c_tasks.store import ObjectInfo

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
    changes: Changes | None = None,
) -> list[Copy]:
    """Write the files of every config and split into a local folder; return those to be copied.

    `programs` come in order of function id; so do `samples`, of all formats mixed, those of
    one function in the order that they are to have. `layout` turns a sample into a row of its
    format's `schema_of`. `parent` is the URI of the release whose files are carried over, with
    `changes`. A split without rows has no file: `datasets` cannot load an empty one.

    Raises ValueError where rows are not in order, PublishError where the parent's columns are
    not those of the new rows.
    """
    earlier = read_manifest(parent) if parent else None
    copies: list[Copy] = []

    def table(stack: ExitStack, config: str, schema: pa.Schema) -> dict[Split, _SplitFiles]:
        return {
            split: stack.enter_context(
                _SplitFiles(folder, config, split, schema, options.rows_per_file)
            )
            for split in SPLITS
        }

    def name(files: dict[Split, _SplitFiles]) -> None:
        for split, new in files.items():
            parts: list[Part] = []
            if parent and earlier:
                place = (new.config, split, new.schema)
                parts = [*carry_over(parent, earlier, *place, changes or Changes(), folder)]
            together = folder / f".joined-{new.config}-{split}"
            parts = joined([*parts, *new.parts], new.schema, options.rows_per_file, together)
            copies.extend(_named(parts, folder, f"{new.config}/{split}"))

    with ExitStack() as stack:
        of_programs = table(stack, "programs", arrow_schema(Program))
        for program in programs:
            of_programs[program.split].add(to_row(program))
    name(of_programs)
    with ExitStack() as stack:
        of_format = {format_: table(stack, format_, schema_of(format_)) for format_ in formats}
        for sample in samples:
            of_format[sample.format][sample.split].add(layout(sample))
    for files in of_format.values():
        name(files)
    return copies


def _named(parts: Sequence[Part], folder: Path, stem: str) -> Iterator[Copy]:
    """Give local files the names that they have in the release; yield what is to be copied."""
    for index, part in enumerate(parts):
        name = f"{stem}-{index:05d}-of-{len(parts):05d}.parquet"
        if part.path is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            part.path.rename(folder / name)
        elif part.entry is not None:
            yield Copy(part.source, part.entry.model_copy(update={"path": name}))


def read_programs(release: str) -> Iterator[Program]:
    """Yield the programs of a published release, split by split."""
    manifest = read_manifest(release)
    for split in SPLITS:
        for entry in manifest.files:
            if (entry.config, entry.split) == ("programs", split):
                yield from read_shard(f"{release}/{entry.path}", Program)


def read_program_columns(release: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield these columns of the programs of a published release, row by row."""
    for entry in read_manifest(release).files:
        if entry.config == "programs":
            yield from read_columns(f"{release}/{entry.path}", columns)


def write_dump_objects(folder: Path, objects: Iterable[ObjectInfo]) -> None:
    """Write the list of dump objects that a release was built from."""
    rows = (to_row(item) for item in sorted(objects, key=lambda item: item.uri))
    write_parquet(folder / DUMP_OBJECTS, arrow_schema(ObjectInfo), rows)


def read_dump_objects(release: str) -> Iterator[ObjectInfo]:
    """Yield the dump objects that a release was built from, its parents' included."""
    return read_shard(f"{release}/{DUMP_OBJECTS}", ObjectInfo)


class _SplitFiles:
    """The new files of one config and split, written in order, `rows_per_file` to a file.

    Files have temporary names until it is known how many there are.
    """

    def __init__(
        self, folder: Path, config: str, split: Split, schema: pa.Schema, rows_per_file: int
    ) -> None:
        self.config, self.schema = config, schema
        self.parts: list[Part] = []
        self._folder, self._split = folder, split
        self._rows_per_file = rows_per_file
        self._last = ""
        self._rows: list[Row] = []
        self._file: pq.ParquetWriter | None = None
        self._count = 0

    def __enter__(self) -> _SplitFiles:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_file()

    def add(self, row: Row) -> None:
        """Write a row."""
        identity = row["function_id"]
        if identity < self._last:
            raise ValueError(f"{self.config}: {identity} comes after {self._last}: not in order")
        self._last = identity
        if self._file is None:
            self._file = pq.ParquetWriter(self._path(), self.schema, compression="zstd")
        self._rows.append(row)
        self._count += 1
        if self._count == self._rows_per_file:
            self._end_file()
        elif len(self._rows) == ROW_GROUP:
            self._end_row_group()

    def _end_row_group(self) -> None:
        if self._file is not None and self._rows:
            table = pa.Table.from_pylist(self._rows, self.schema)
            self._file.write_table(table, row_group_size=ROW_GROUP)
            self._rows = []

    def _end_file(self) -> None:
        self._end_row_group()
        if self._file is not None:
            self._file.close()
            self._file = None
            self.parts.append(Part(self._count, self._path()))
            self._count = 0

    def _path(self) -> Path:
        return self._folder / f".new-{self.config}-{self._split}-{len(self.parts):05d}"
