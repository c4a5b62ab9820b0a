"""The attribution of a release: whose code its programs are, and under which licence.

Licences that allow nearly everything still ask that their author is named. The file names each
repository with its licence, its number of programs and the files that these were taken from.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from c2c_tasks.publishing.statistics import UNKNOWN_LICENCE
from c2c_tasks.records import Program, arrow_schema
from c2c_tasks.store import local_copy

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ATTRIBUTION = "ATTRIBUTION.md"
"""Name of the file in a release."""

_COLUMNS = ("repository", "licence", "path")
_MEMORY = "500MB"
_ROWS = 10_000

_HEAD = """# Attribution

The programs of this release are functions from the files below, with the imports, constants and
helpers of the same file that they need. They stay under the licences of their repositories, which
are given as SPDX expressions (https://spdx.org/licenses).

"""


def write_attribution(folder: Path, program_files: Sequence[str]) -> Path:
    """Write the attribution of a release's programs into a folder; return the file.

    `program_files` are the URIs of its Parquet files of programs. They are read one after the
    other, and sorted on disk where memory is short. The same rows give the same bytes, however
    they are spread over files.
    """
    target = folder / ATTRIBUTION
    with _aggregated(program_files) as database, target.open("w", encoding="utf-8") as file:
        file.write(_HEAD)
        _write_licences(database, file)
        _write_repositories(database, file)
    return target


@contextmanager
def _aggregated(program_files: Sequence[str]) -> Iterator[DuckDBPyConnection]:
    """Give a database with the table ``files``: programs by repository, licence and path."""
    import duckdb

    schema = pa.schema([arrow_schema(Program).field(name) for name in _COLUMNS])
    with tempfile.TemporaryDirectory(prefix="c2c-") as local:
        settings: dict[str, Any] = {"temp_directory": local, "memory_limit": _MEMORY}
        with duckdb.connect(f"{local}/attribution.duckdb", config=settings) as database:
            rows = pa.RecordBatchReader.from_batches(schema, _batches(program_files, schema))
            database.register("programs", rows)
            database.execute(
                "CREATE TABLE files AS SELECT repository, coalesce(licence, ?) AS licence, path, "
                "count(*) AS programs FROM programs GROUP BY ALL",
                [UNKNOWN_LICENCE],
            )
            yield database


def _batches(program_files: Sequence[str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for uri in program_files:
        with local_copy(uri) as path, pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=list(_COLUMNS), use_threads=False):
                yield batch.select(list(_COLUMNS)).cast(schema)


def _write_licences(database: DuckDBPyConnection, file: TextIO) -> None:
    file.write("| licence | repositories | programs |\n| --- | ---: | ---: |\n")
    for licence, repositories, programs in _rows(
        database,
        "SELECT licence, count(DISTINCT repository), sum(programs)::BIGINT AS programs "
        "FROM files GROUP BY licence ORDER BY programs DESC, licence",
    ):
        file.write(f"| {_code(licence)} | {repositories:,} | {programs:,} |\n")


def _write_repositories(database: DuckDBPyConnection, file: TextIO) -> None:
    last_repository = last_licence = None
    for repository, licence, path, programs in _rows(
        database,
        "SELECT repository, licence, path, "
        "sum(programs) OVER (PARTITION BY repository, licence)::BIGINT "
        "FROM files ORDER BY repository, licence, path",
    ):
        if repository != last_repository:
            file.write(f"\n## {_code(repository)}\n")
            last_repository, last_licence = repository, None
        if licence != last_licence:
            noun = "program" if programs == 1 else "programs"
            file.write(f"\n{_code(licence)}, {programs:,} {noun}:\n\n")
            last_licence = licence
        file.write(f"- {_code(path)}\n")


def _rows(database: DuckDBPyConnection, query: str) -> Iterator[tuple[Any, ...]]:
    cursor = database.execute(query)
    while rows := cursor.fetchmany(_ROWS):
        yield from rows


def _code(text: str) -> str:
    """Return a name as Markdown code: what strangers named does not mark up the page."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if "`" not in shown:
        return f"`{shown}`"
    fence = "`" * (1 + max(map(len, re.findall("`+", shown))))
    return f"{fence} {shown} {fence}"
