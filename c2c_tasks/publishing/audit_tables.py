"""The checks of an audit that compare all rows of a release with each other.

They run in a database on disk, which holds little of each row in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from c2c_tasks.publishing.audit import Check
from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.publishing.staged import StagedFiles
from c2c_tasks.records import Program, Split

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MEMORY = "500MB"
_COLUMNS = {
    "programs": ("function_id", "cluster", "split"),
    "samples": ("sample_id", "function_id"),
}
_PLACE = ("file_split", "file", "row")
"""Where a row lies: the split that its file's name tells, number of the file, and of the row."""


def _text(name: str) -> pa.Field[Any]:
    return pa.field(name, pa.string())


def _number(name: str) -> pa.Field[Any]:
    return pa.field(name, pa.int64())


_QUERIES = {
    "function ids are unique over all splits": (
        "programs",
        "SELECT function_id FROM programs GROUP BY function_id HAVING count(*) > 1",
    ),
    "a program's split is that of its file": (
        "programs",
        "SELECT function_id FROM programs WHERE split <> file_split",
    ),
    "no cluster is in two splits": (
        "programs",
        "SELECT cluster FROM programs GROUP BY cluster HAVING count(DISTINCT file_split) > 1",
    ),
    "sample ids are unique over all formats and splits": (
        "samples",
        "SELECT sample_id FROM samples GROUP BY sample_id HAVING count(*) > 1",
    ),
    "a sample's function is a program of the same split": (
        "samples",
        "SELECT sample_id FROM samples ANTI JOIN programs "
        "ON samples.function_id = programs.function_id "
        "AND samples.file_split = programs.file_split",
    ),
}
"""Table that is examined, and the query that yields an identifier for each fault."""
_COMPLETIONS = {
    "sft": "messages[-1].content",
    "instruct": "output",
    "pretrain": "text",
}
"""What holds a sample's completion, by format."""

_TEXTS = pa.schema(
    [
        *(_text(name) for name in ("function_id", "program", "repository", "path", "licence")),
        _number("cases"),
    ]
)

Positions = dict[int, list[int]]
"""Rows to be read, by the number of their file."""


class Tables:
    """Identities of all programs and samples of a release, and texts of those examined."""

    def __init__(self, database: DuckDBPyConnection, files: StagedFiles) -> None:
        self._database, self._files = database, files
        for table, entries in (("programs", files.programs()), ("samples", files.samples())):
            schema = _schema(table)
            database.from_arrow(schema.empty_table()).create(table)
            for number, entry in enumerate(entries):
                self._insert(table, _identities(files, number, entry, schema), schema)
        database.from_arrow(_TEXTS.empty_table()).create("texts")

    def _insert(self, table: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        rows = pa.RecordBatchReader.from_batches(schema, batches)
        self._database.from_arrow(rows).insert_into(table)

    @property
    def programs(self) -> int:
        """Number of programs of the release."""
        return self._count("programs")

    def checks(self, split_of: Callable[[str], Split]) -> Iterator[Check]:
        """Yield the checks over the identities; `split_of` tells the split of a cluster."""
        for name, (table, query) in _QUERIES.items():
            check = Check(name=name, unit="programs" if table == "programs" else "samples")
            check.add(self._count(table), self._column(f"{query} ORDER BY 1"))
            yield check
        check = Check(name="a program's split is that of its cluster's hash", unit="programs")
        found = self._rows("SELECT function_id, cluster, split FROM programs ORDER BY 1")
        wrong = (function for function, cluster, split in found if split_of(cluster) != split)
        check.add(self.programs, wrong)
        yield check

    def note(self, programs: Sequence[Program]) -> None:
        """Keep what samples of these programs are compared with."""
        rows = [
            {
                "function_id": program.function_id,
                "program": program.program.rstrip(),
                "repository": program.repository,
                "path": program.path,
                "licence": program.licence,
                "cases": len(program.cases),
            }
            for program in programs
        ]
        self._insert("texts", pa.Table.from_pylist(rows, _TEXTS).to_batches(), _TEXTS)

    def unknown(self) -> Positions:
        """Return the programs of samples to be examined that have not been noted."""
        numbers = [
            number
            for number, entry in enumerate(self._files.samples())
            if entry.path in self._files.local
        ]
        return self._positions(
            "SELECT file, row FROM programs "
            "SEMI JOIN (SELECT function_id FROM samples WHERE file IN (SELECT unnest(?))) AS seen "
            "USING (function_id) ANTI JOIN texts USING (function_id)",
            [numbers],
        )

    def sample_check(self) -> Check:
        """Return the check of samples against their programs, which have to be noted."""
        check = Check(
            name="a sample gives its program's text and origin, and points to its cases",
            unit="samples",
            exempt=self._files.exempt_rows(self._files.samples()),
        )
        for entry in self._files.examined(self._files.samples()):
            wrong = self._column(
                f"SELECT sample_id FROM read_parquet(?) AS samples JOIN texts USING (function_id) "
                f"WHERE NOT contains({_COMPLETIONS[entry.config or '']}, program) "
                "OR (samples.repository, samples.path) <> (texts.repository, texts.path) "
                "OR samples.licence IS DISTINCT FROM texts.licence "
                "OR len(shown_cases) = 0 "
                "OR len(list_distinct(shown_cases || held_cases)) "
                "<> len(shown_cases) + len(held_cases) "
                "OR list_min(shown_cases || held_cases) < 0 "
                "OR list_max(shown_cases || held_cases) >= cases ORDER BY 1",
                [str(self._files.local[entry.path])],
            )
            check.add(entry.rows or 0, wrong)
        return check

    def drawn(self, count: int, seed: str) -> Positions:
        """Return so many programs, drawn by seed and function id, whatever file they are in."""
        return self._positions(
            "SELECT file, row FROM programs ORDER BY sha256(? || ':' || function_id) LIMIT ?",
            [seed, count],
        )

    def _positions(self, query: str, parameters: list[Any]) -> Positions:
        found: Positions = {}
        for file, row in self._rows(query, parameters):
            found.setdefault(file, []).append(row)
        return found

    def _count(self, table: str) -> int:
        return int(next(self._column(f"SELECT count(*) FROM {table}")))

    def _column(self, query: str, parameters: list[Any] | None = None) -> Iterator[Any]:
        return (value for (value,) in self._rows(query, parameters))

    def _rows(self, query: str, parameters: list[Any] | None = None) -> Iterator[tuple[Any, ...]]:
        cursor = self._database.cursor()
        cursor.execute(query, parameters)
        while rows := cursor.fetchmany(10_000):
            yield from rows


@contextmanager
def tables_of(files: StagedFiles, folder: str) -> Iterator[Tables]:
    """Give the tables of a release, held in `folder`."""
    import duckdb

    settings: dict[str, Any] = {"temp_directory": folder, "memory_limit": _MEMORY}
    with duckdb.connect(f"{folder}/audit.duckdb", config=settings) as database:
        yield Tables(database, files)


def _schema(table: str) -> pa.Schema:
    texts = [_text(name) for name in (*_COLUMNS[table], "file_split")]
    return pa.schema([*texts, _number("file"), _number("row")])


def _identities(
    files: StagedFiles, number: int, entry: FileEntry, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """Yield the identities of a file's rows, with their place."""
    columns = schema.names[: -len(_PLACE)]
    first = 0
    with files.open(entry) as file:
        for batch in file.iter_batches(columns=columns):
            end = first + batch.num_rows
            arrays: list[pa.Array[Any]] = [
                *(batch.column(name).cast(pa.string()) for name in columns),
                pa.array([entry.split] * batch.num_rows, pa.string()),
                pa.array([number] * batch.num_rows, pa.int64()),
                pa.array(np.arange(first, end)),
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
            first = end
