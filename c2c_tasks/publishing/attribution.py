"""The attribution of a release: whose code its programs are, and under which licence.

Licences that allow nearly everything still ask that their author is named. The file names each
repository with its licence, its number of programs and the files that these were taken from.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from c2c_tasks.publishing.markdown import code
from c2c_tasks.publishing.origins import aggregated

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ATTRIBUTION = "ATTRIBUTION.md"
"""Name of the file in a release."""

_ROWS = 10_000

_HEAD = """# Attribution

The programs of this release are functions from the files below, with the imports, constants and
helpers of the same file that they need. They stay under the licences of their repositories, which
are given as SPDX expressions (https://spdx.org/licenses).

"""


def write_attribution(folder: Path, origins: Path) -> Path:
    """Write the attribution of a release's programs into a folder; return the file.

    `origins` is their table of origins. The same rows give the same bytes, in whatever order and
    row groups they are.
    """
    target = folder / ATTRIBUTION
    with aggregated(origins) as database, target.open("w", encoding="utf-8") as file:
        file.write(_HEAD)
        _write_licences(database, file)
        _write_repositories(database, file)
    return target


def _write_licences(database: DuckDBPyConnection, file: TextIO) -> None:
    file.write("| licence | repositories | programs |\n| --- | ---: | ---: |\n")
    for licence, repositories, programs in _rows(
        database,
        "SELECT licence, count(DISTINCT repository), sum(programs)::BIGINT AS programs "
        "FROM files GROUP BY licence ORDER BY programs DESC, licence",
    ):
        file.write(f"| {code(licence, in_table=True)} | {repositories:,} | {programs:,} |\n")


def _write_repositories(database: DuckDBPyConnection, file: TextIO) -> None:
    last_repository = last_licence = None
    for repository, licence, path, programs in _rows(
        database,
        "SELECT repository, licence, path, "
        "sum(programs) OVER (PARTITION BY repository, licence)::BIGINT "
        "FROM files ORDER BY repository, licence, path",
    ):
        if repository != last_repository:
            file.write(f"\n## {code(repository)}\n")
            last_repository, last_licence = repository, None
        if licence != last_licence:
            noun = "program" if programs == 1 else "programs"
            file.write(f"\n{code(licence)}, {programs:,} {noun}:\n\n")
            last_licence = licence
        file.write(f"- {code(path)}\n")


def _rows(database: DuckDBPyConnection, query: str) -> Iterator[tuple[Any, ...]]:
    cursor = database.execute(query)
    while rows := cursor.fetchmany(_ROWS):
        yield from rows
