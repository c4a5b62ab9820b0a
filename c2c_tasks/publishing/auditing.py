"""The audit of a staged release, read back from the store: nothing unsound is pointed to.

Rows that passed in an audited release, and were copied from it with their file, are compared with
all others, and may be drawn to be run again, but are not examined one by one a second time.
"""

from __future__ import annotations

import logging
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any, cast

import pyarrow as pa

from c2c_tasks.curation.splits import split_of
from c2c_tasks.publishing.audit import AuditReport, Check
from c2c_tasks.publishing.audit_rows import Rules, program_checks
from c2c_tasks.publishing.audit_tables import Positions, Tables, tables_of
from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.publishing.re_execution import Execute, re_execution
from c2c_tasks.publishing.staged import StagedFiles
from c2c_tasks.records import Program, SampleFormat, from_row
from c2c_tasks.shards import ROW_GROUP

HasItsId = Callable[[Mapping[str, Any], SampleFormat], bool]
"""Tells whether the id of a published sample is its prompt's."""
PROGRAMS_AT_ONCE = 500
"""Examined together: a scan for secrets has a fixed cost."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Balance:
    """Two numbers that have to be equal."""

    what: str
    """What is counted, and by whom."""
    expected: int
    found: int


@dataclass(frozen=True, slots=True)
class Draw:
    """Which programs are run again: the greater number of both, or all where there are fewer."""

    least: int
    share: float
    seed: str

    def number_of(self, programs: int) -> int:
        """Return how many of so many programs are drawn."""
        return min(programs, max(self.least, math.ceil(self.share * programs)))


def audit(
    release: str,
    files: Sequence[FileEntry],
    *,
    exempt: Set[str] = frozenset(),
    parent: str | None = None,
    schemas: Mapping[str, pa.Schema],
    balances: Sequence[Balance] = (),
    rules: Rules,
    has_its_id: HasItsId,
    draw: Draw,
    execute: Execute,
) -> AuditReport:
    """Check the staged release at a URI against the entries of its files.

    `exempt` are the paths of files that are copies of files of the audited release `parent`, whose
    rows passed under the same rules. `schemas` are the columns of each config. `execute` must run
    the given inputs and no others.
    """
    report = AuditReport(release=release.rpartition("/")[2], parent=parent, seed=draw.seed)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="c2c-audit-"))
        staged = StagedFiles(release, files, exempt)
        stored = Check(name="files are stored as they were written", unit="files")
        stored.add(len(staged.examined(files)), staged.fetch(stack))
        stored.exempt = len(files) - stored.examined
        if _note(report, [stored]) and _note(report, _counts(staged, schemas, balances)):
            tables = stack.enter_context(tables_of(staged, folder))
            checks = chain(
                tables.checks(partial(split_of, options=rules.config.cases)),
                _program_checks(staged, tables, rules),
                _prompt_checks(staged, has_its_id),
            )
            if _note(report, checks):
                drawn = tables.drawn(draw.number_of(tables.programs), draw.seed)
                again = re_execution(_programs_at(staged, drawn), execute)
                _note(report, [again])
                report.re_executed = again.examined
    return report


def _note(report: AuditReport, checks: Iterable[Check]) -> bool:
    """Add checks to the report, tell the log, and return whether all have passed so far."""
    for check in checks:
        report.checks.append(check)
        outcome = "passed" if check.passed else f"FAILED, {check.faults:,} faults"
        exempt = f", {check.exempt:,} passed in {report.parent}" if check.exempt else ""
        examined = f"{check.examined:,} {check.unit} examined{exempt}"
        log.info("audit: %s: %s (%s)", check.name, outcome, examined)
    return report.passed


def _counts(
    staged: StagedFiles, schemas: Mapping[str, pa.Schema], balances: Sequence[Balance]
) -> Iterator[Check]:
    """Yield the checks of what files and reports say of rows without a look at any."""
    columns = Check(name="columns are those of the config", unit="files")
    rows = Check(name="row counts are those of the entries", unit="files")
    for entry in staged.entries:
        if entry.path.endswith(".parquet"):
            with staged.open(entry) as file:
                found, schema = file.metadata.num_rows, file.schema_arrow
            wrong = f"{entry.path} has {found} rows, its entry says {entry.rows}"
            rows.add(1, [wrong] if found != entry.rows else [])
            if entry.config:
                other = f"{entry.path} has other columns than {entry.config}"
                columns.add(1, [] if schema.equals(schemas[entry.config]) else [other])
    yield columns
    yield rows
    sums = Check(name="counts of the build add up", unit="counts")
    sums.add(
        len(balances),
        (f"{b.what}: {b.found:,}, not {b.expected:,}" for b in balances if b.found != b.expected),
    )
    yield sums


def _program_checks(staged: StagedFiles, tables: Tables, rules: Rules) -> Iterator[Check]:
    """Yield the checks of each program that is to be examined, and of its samples."""
    checks = program_checks(rules, staged.exempt_rows(staged.programs()))
    for entry in staged.examined(staged.programs()):
        with staged.open(entry) as file:
            for batch in file.iter_batches(batch_size=PROGRAMS_AT_ONCE):
                programs = [from_row(Program, row) for row in batch.to_pylist()]
                tables.note(programs)
                for check, find in checks:
                    check.add(len(programs), find(programs))
    yield from (check for check, _ in checks)
    # Files of samples are cut in other places: some may have programs that are exempt.
    others = _programs_at(staged, tables.unknown())
    while some := list(islice(others, PROGRAMS_AT_ONCE)):
        tables.note(some)
    yield tables.sample_check()


def _prompt_checks(staged: StagedFiles, has_its_id: HasItsId) -> Iterator[Check]:
    """Yield the check of each sample's prompt: its id is a digest of it."""
    check = Check(
        name="a sample's id is the digest of its prompt",
        unit="samples",
        exempt=staged.exempt_rows(staged.samples()),
    )
    for entry in staged.examined(staged.samples()):
        format_ = cast(SampleFormat, entry.config)
        with staged.open(entry) as file:
            for batch in file.iter_batches(batch_size=ROW_GROUP):
                rows = batch.to_pylist()
                wrong = (row["sample_id"] for row in rows if not has_its_id(row, format_))
                check.add(len(rows), wrong)
    yield check


def _programs_at(staged: StagedFiles, positions: Positions) -> Iterator[Program]:
    for number, entry in enumerate(staged.programs()):
        if number in positions:
            for table in staged.rows(entry, positions[number]):
                for row in table.to_pylist():
                    yield from_row(Program, row)
