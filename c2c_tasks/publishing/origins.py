"""Where the programs of a release come from: a table, which grows by what a release adds.

It is what attribution and the counts of licences and repositories are made of. Each data file has
row groups of its own, found by the file's SHA-256, so a later release that has the file too takes
them over and does not read the file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from c2c_tasks.records import Program, arrow_schema

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ORIGINS = "report/origins.parquet"
"""Path of the table in a release."""
UNKNOWN_LICENCE = "not stated"

_COLUMNS = ("repository", "licence", "path")
SCHEMA = pa.schema(
    [
        pa.field("sha256", pa.string(), nullable=False),  # of the data file
        *(arrow_schema(Program).field(name) for name in _COLUMNS),
        pa.field("programs", pa.int64(), nullable=False),
    ]
)
_MEMORY = "500MB"


def origins_of(path: Path, sha256: str) -> pa.Table:
    """Return the origins of a file of programs: how many come from each source file."""
    programs = pq.read_table(path, columns=list(_COLUMNS), use_threads=False)
    counted = programs.group_by(list(_COLUMNS), use_threads=False).aggregate([([], "count_all")])
    counted = counted.sort_by([(name, "ascending") for name in _COLUMNS])
    columns: list[Any] = [pa.array([sha256] * len(counted))]
    columns += [counted.column(name) for name in (*_COLUMNS, "count_all")]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def groups_by_file(table: pq.ParquetFile) -> dict[str, list[int]]:
    """Return the row groups of each data file in a table of origins, by the file's SHA-256."""
    groups: dict[str, list[int]] = {}
    for group in range(table.num_row_groups):
        sha256 = table.read_row_group(group, columns=["sha256"]).column(0)[0].as_py()
        groups.setdefault(sha256, []).append(group)
    return groups


@contextmanager
def aggregated(origins: Path) -> Iterator[DuckDBPyConnection]:
    """Give a database with the table ``files``: programs by repository, licence and path.

    It sorts on disk where memory is short.
    """
    import duckdb

    with tempfile.TemporaryDirectory(prefix="c2c-") as local:
        settings: dict[str, Any] = {"temp_directory": local, "memory_limit": _MEMORY}
        with duckdb.connect(f"{local}/origins.duckdb", config=settings) as database:
            database.execute(
                "CREATE TABLE files AS SELECT repository, coalesce(licence, ?) AS licence, path, "
                "sum(programs)::BIGINT AS programs FROM read_parquet(?) GROUP BY ALL",
                [UNKNOWN_LICENCE, str(origins)],
            )
            yield database
