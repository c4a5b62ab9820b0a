"""Relations of DuckDB in a database on disk: more rows than memory holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Self

import duckdb
import pyarrow as pa

BATCH_ROWS = 1_000
_INSERTED_AT_ONCE = 20_000
_ROW_GROUP = 10_000
"""Rows that are held before they are written: by itself DuckDB holds 122,880."""


class Relations:
    """A database in a folder, which is its own; closed at the end of the block."""

    def __init__(self, folder: Path, memory_megabytes: int) -> None:
        """Make the database. `memory_megabytes` are its own; more goes to disk."""
        self._database = duckdb.connect(
            str(folder / "relations.duckdb"),
            config={
                "memory_limit": f"{memory_megabytes}MB",
                "temp_directory": str(folder / "spill"),
                "threads": 2,
                # Whoever wants an order asks for it; to keep one takes memory.
                "preserve_insertion_order": False,
            },
        )
        self.run("SET enable_progress_bar = false")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def run(self, query: str) -> duckdb.DuckDBPyConnection:
        """Run a statement."""
        return self._database.execute(query)

    def count(self, query: str) -> int:
        """Return the number that a query gives, or that a statement changed."""
        return int((self.run(query).fetchone() or (0,))[0])

    def rows(self, query: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a query."""
        for batch in self.batches(query):
            yield from batch.to_pylist()

    def batches(self, query: str) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a query, some at a time."""
        # With a cursor of its own, what is yielded does not end with the next query.
        with self._database.cursor() as cursor:
            yield from cursor.sql(query).to_arrow_reader(BATCH_ROWS)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add rows to a table, some at a time."""
        remaining = iter(rows)
        while values := list(islice(remaining, _INSERTED_AT_ONCE)):
            arrays = [pa.array(list(column)) for column in zip(*values, strict=True)]
            self._database.register("given", pa.table(arrays, list(columns)))
            self.run(f"INSERT INTO {table} SELECT {', '.join(columns)} FROM given")
            self._database.unregister("given")

    def view(self, name: str, files: Sequence[Path], schema: pa.Schema) -> None:
        """Make a view of Parquet files of one schema; of none, an empty table."""
        if files:
            listed = ", ".join(quoted(path) for path in files)
            self.run(f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{listed}])")
        else:
            self._database.register(f"no_{name}", schema.empty_table())
            self.run(f"CREATE TABLE {name} AS SELECT * FROM no_{name}")

    def write(self, query: str, path: Path) -> Path:
        """Write the rows of a query to a Parquet file."""
        form = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP}"
        self.run(f"COPY ({query}) TO {quoted(path)} ({form})")
        return path


def quoted(path: Path) -> str:
    """Return a path as a text of SQL."""
    return "'" + str(path).replace("'", "''") + "'"
