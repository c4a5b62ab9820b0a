"""The audit of a staged release, read back from the store: nothing unsound is pointed to.

Checks over all rows run in DuckDB, which goes to disk where memory is short. A failed audit
leaves the staged release where it is, for inspection; the pointer has not moved.
"""

from __future__ import annotations

import hashlib
import heapq
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel

from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.records import Case, Execution, Inputs, Program, extend, from_row
from c2c_tasks.store import ObjectNotFound, sha256_of, store_for

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

AUDIT_REPORT = "report/audit.json"
"""Path of the audit's report in a release."""
MAX_DETAILS = 20
"""Faults of one check that are named; the rest are counted."""

Execute = Callable[[Iterable[Inputs]], Iterable[Execution]]
log = logging.getLogger(__name__)


class AuditError(Exception):
    """The staged release is unsound; the message lists what failed."""


class Check(BaseModel):
    """One property that was checked."""

    name: str
    examined: int
    """Files, rows or programs that were looked at."""
    faults: int = 0
    details: list[str] = []
    """The first `MAX_DETAILS` faults."""

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


class AuditReport(BaseModel):
    """What the audit found."""

    checks: list[Check]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    def raise_for_faults(self) -> None:
        """Raise AuditError where a check failed."""
        failed = [
            f"{check.name}: {check.faults} of {check.examined}: {'; '.join(check.details)}"
            for check in self.checks
            if not check.passed
        ]
        if failed:
            raise AuditError(
                "the staged release is unsound and was not published:\n" + "\n".join(failed)
            )


def audit(
    release: str,
    files: Sequence[FileEntry],
    *,
    audited: Set[str] = frozenset(),
    schemas: Mapping[str, pa.Schema],
    programs: int,
    execute: Execute,
    seed: str,
) -> AuditReport:
    """Check a staged release against the entries of its files.

    `audited` are the paths of files that are copies of an audited release's: their bytes were
    compared when they were copied. `schemas` are the columns of each config. So many `programs`,
    drawn by `seed`, are run again through `execute`, which must run the given inputs and no
    others.
    """
    with tempfile.TemporaryDirectory(prefix="c2c-audit-") as folder:
        local = Path(folder)
        report = AuditReport(checks=[_fetched(release, files, audited, local)])
        # What is not there, or not what was sent, would fail every other check with it.
        if report.passed:
            report.checks += [_columns(files, schemas, local), _rows(files, local)]
        if report.passed:
            report.checks += _over_all_rows(files, local)
        if report.passed:
            report.checks.append(_re_execution(files, local, programs, execute, seed))
    for check in report.checks:
        outcome = "passed" if check.passed else f"FAILED, {check.faults:,} faults"
        log.info("audit: %s: %s (%s examined)", check.name, outcome, f"{check.examined:,}")
    return report


def _check(name: str, examined: int, faults: Iterable[str]) -> Check:
    check = Check(name=name, examined=examined)
    for fault in faults:
        check.faults += 1
        if check.faults <= MAX_DETAILS:
            check.details.append(fault)
    return check


def _fetched(release: str, files: Sequence[FileEntry], audited: Set[str], local: Path) -> Check:
    """Copy the files of a release and compare those not `audited` with their entries."""

    def faults() -> Iterator[str]:
        for entry in files:
            path = local / entry.path
            path.parent.mkdir(parents=True, exist_ok=True)
            uri = f"{release}/{entry.path}"
            try:
                with store_for(uri).open(uri) as stream, path.open("wb") as copy:
                    shutil.copyfileobj(stream, copy, 1 << 20)
            except ObjectNotFound:
                yield f"{entry.path} is missing"
                continue
            if entry.path not in audited and sha256_of(path) != entry.sha256:
                yield f"{entry.path} has another SHA-256 than its entry"

    return _check("files are stored as they were written", len(files), faults())


def _columns(files: Sequence[FileEntry], schemas: Mapping[str, pa.Schema], local: Path) -> Check:
    data = [entry for entry in files if entry.config]
    wrong = (
        f"{entry.path} has other columns than {entry.config}"
        for entry in data
        if not pq.read_schema(local / entry.path).equals(schemas[entry.config or ""])
    )
    return _check("columns are those of the config", len(data), wrong)


def _rows(files: Sequence[FileEntry], local: Path) -> Check:
    parquet = [entry for entry in files if entry.path.endswith(".parquet")]
    wrong = (
        f"{entry.path} has {rows} rows, its entry says {entry.rows}"
        for entry in parquet
        if (rows := pq.read_metadata(local / entry.path).num_rows) != entry.rows
    )
    return _check("row counts are those of the entries", len(parquet), wrong)


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


def _over_all_rows(files: Sequence[FileEntry], local: Path) -> Iterator[Check]:
    import duckdb

    settings: dict[str, Any] = {"temp_directory": str(local / "duckdb"), "memory_limit": "1GB"}
    with duckdb.connect(config=settings) as database:
        programs = [entry for entry in files if entry.config == "programs"]
        samples = [entry for entry in files if entry.config not in (None, "programs")]
        _view(database, "programs", "function_id, cluster, split", programs, local)
        _view(database, "samples", "sample_id, function_id", samples, local)
        for name, (table, query) in _QUERIES.items():
            examined = sum(e.rows or 0 for e in (programs if table == "programs" else samples))
            found = database.execute(f"{query} ORDER BY 1")
            yield _check(name, examined, (row[0] for row in iter(found.fetchone, None)))


def _view(
    database: DuckDBPyConnection,
    name: str,
    columns: str,
    files: Sequence[FileEntry],
    local: Path,
) -> None:
    """Make a view of the files' columns, with the split that each file's name tells."""
    selects = [
        f"SELECT {columns}, '{entry.split}' AS file_split "
        f"FROM read_parquet('{str(local / entry.path).replace(chr(39), chr(39) * 2)}')"
        for entry in files
    ]
    if not selects:
        nothing = ", ".join(f"'' AS {column}" for column in columns.split(", "))
        selects = [f"SELECT {nothing}, '' AS file_split WHERE false"]
    database.execute(f"CREATE VIEW {name} AS {' UNION ALL '.join(selects)}")


def _re_execution(
    files: Sequence[FileEntry], local: Path, count: int, execute: Execute, seed: str
) -> Check:
    paths = [local / entry.path for entry in files if entry.config == "programs"]
    drawn = list(_drawn_programs(paths, count, seed))
    inputs = [
        extend(
            Inputs,
            program,
            arguments=[case.arguments for case in program.cases],
            writer=program.writer,
        )
        for program in drawn
    ]
    again = {execution.function_id: execution for execution in execute(inputs)} if inputs else {}
    faults = (
        f"{program.function_id} ({program.entry_point}): {fault}"
        for program in drawn
        if (fault := _difference(program, again.get(program.function_id)))
    )
    return _check("programs run again give the recorded outputs", len(drawn), faults)


def _drawn_programs(paths: Sequence[Path], count: int, seed: str) -> Iterator[Program]:
    """Yield so many programs, drawn by seed and function id, whatever file they are in."""

    def identities() -> Iterator[str]:
        for path in paths:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(columns=["function_id"]):
                    yield from map(str, batch.column(0).to_pylist())

    def lot(function_id: str) -> bytes:
        return hashlib.sha256(f"{seed}:{function_id}".encode()).digest()

    drawn = set(heapq.nsmallest(count, identities(), key=lot))
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1_000):
                chosen = pa.array([value in drawn for value in batch["function_id"].to_pylist()])
                for row in batch.filter(chosen).to_pylist():
                    yield from_row(Program, row)


def _difference(program: Program, execution: Execution | None) -> str | None:
    """Return in what the second execution differs from the recorded cases, or None."""
    if execution is None:
        return "did not run"
    again = {case.arguments: case for case in execution.cases}
    for case in program.cases:
        found = again.get(case.arguments)
        if found is None or _result(found) != _result(case):
            said = "nothing" if found is None else _result(found)
            return f"{case.arguments[:200]} gave {said}, recorded is {_result(case)}"[:800]
    return None


def _result(case: Case) -> tuple[str, str | None, str | None, str | None]:
    return case.outcome, case.output, case.exception_type, case.exception_message
