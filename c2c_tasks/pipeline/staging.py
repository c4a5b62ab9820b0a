"""Write and audit: from the shards of programs and samples to a staged release."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import pyarrow.parquet as pq

from c2c_tasks.pipeline.auditing import audit_staged
from c2c_tasks.pipeline.build import Build, BuildError
from c2c_tasks.pipeline.indexing import recording
from c2c_tasks.pipeline.locking import conditions_for
from c2c_tasks.pipeline.planning import Plan, plan_objects
from c2c_tasks.pipeline.programs import programs_that_gave_way, removed_programs
from c2c_tasks.pipeline.progress import Progress
from c2c_tasks.publishing.audit import AUDIT_REPORT
from c2c_tasks.publishing.carrying import Changes
from c2c_tasks.publishing.data_files import (
    write_data_files,
    write_dump_objects,
)
from c2c_tasks.publishing.ledger import write_ledger
from c2c_tasks.publishing.manifest import (
    DECONTAMINATION,
    MANIFEST_SCHEMA,
    FileEntry,
    read_manifest,
)
from c2c_tasks.publishing.manifest_schema import manifest_schema
from c2c_tasks.publishing.release import Copy, claim_version, release_uri, stage_release
from c2c_tasks.records import Program, Sample
from c2c_tasks.samples.formats import layout, schema_of
from c2c_tasks.shards import StepReport, read_columns, read_shard, run_step
from c2c_tasks.store import local_copy

log = logging.getLogger(__name__)


class StagedRelease(TypedDict):
    """A release whose data files are in their place and passed the audit."""

    version: str
    uri: str
    programs: int


def audit(
    build: Build, *, client: Any = None, labels: dict[str, str] | None = None
) -> StagedRelease:
    """Stage the data files of the release and check what the store then holds.

    `client` and `labels` are those of `execute`: a sample of the programs is run again.
    Raises BuildError where more shards failed than may, or no program is left; AuditError
    where the staged files are unsound: they and the report stay where they are, and an audit that
    is run again replaces what has changed.
    """
    with recording(build, "running"):
        return _audit(build, client, labels or {})


def _audit(build: Build, client: Any, labels: dict[str, str]) -> StagedRelease:
    options = build.config.publishing
    progress = Progress.of(build)
    plan = Plan.of(build)
    progress.check_completed(options.max_failed_shards)

    def work(report: StepReport) -> None:
        conditions = conditions_for(options.target, options.conditional_writes)
        version = claim_version(options.target, plan.date, build.build_id, conditions)
        with tempfile.TemporaryDirectory(prefix="c2c-release-") as folder:
            copies = _write_files(build, plan, progress, Path(folder))
            files = stage_release(options.target, version, Path(folder), copies)
        copied = {copy.entry.path for copy in copies}
        report.count("bytes_staged", sum(e.bytes for e in files if e.path not in copied))
        with tempfile.TemporaryDirectory(prefix="c2c-ledger-") as folder:
            ledger = _write_ledger(build, plan, progress, Path(folder))
        uri = release_uri(options.target, version)
        log.info("audit: staged %d files of %s", len(files), uri)
        programs = sum(entry.rows or 0 for entry in files if entry.config == "programs")
        if not programs:
            raise BuildError(
                f"{build.source.dump}: no program came out of it; "
                "the log lines of `curate` say what was dropped and why"
            )
        found = audit_staged(build, uri, files, copies, client, labels)
        with tempfile.TemporaryDirectory(prefix="c2c-report-") as folder:
            path = Path(folder, AUDIT_REPORT)
            path.parent.mkdir()
            path.write_bytes(found.to_json())
            stage_release(options.target, version, Path(folder))
        found.raise_for_faults(uri)
        report.facts = {
            "version": version,
            "programs": programs,
            "files": [entry.model_dump() for entry in files],
            "report": found.to_json().decode(),
            "ledger": [entry.model_dump() for entry in ledger],
        }

    report = run_step(
        "audit",
        inputs=[
            build.folder("merge_programs"),
            *(build.shard("compose", index) for index in progress.completed),
        ],
        output=build.folder("audit"),
        config=[options.model_dump(mode="json"), plan.date, progress.failed],
        work=work,
    )
    version = report.facts["version"]
    return {
        "version": version,
        "uri": release_uri(options.target, version),
        "programs": report.facts["programs"],
    }


def _write_files(build: Build, plan: Plan, progress: Progress, folder: Path) -> list[Copy]:
    """Write the release's new files, in order of function id; return those to be copied."""
    copies = write_data_files(
        folder,
        _rows(build, "merge_programs", Program, progress),
        _rows(build, "compose", Sample, progress),
        build.config.publishing,
        formats=build.config.samples.formats,
        layout=layout,
        schema_of=schema_of,
        parent=plan.parent,
        changes=Changes(
            removed=removed_programs(build),
            moved=_moved(build),
        ),
    )
    with local_copy(f"{build.folder('merge_functions')}/{DECONTAMINATION}") as path:
        shutil.copyfile(path, folder / DECONTAMINATION)
    write_dump_objects(folder, plan_objects(build))
    (folder / MANIFEST_SCHEMA).write_bytes(manifest_schema())
    return copies


def _write_ledger(build: Build, plan: Plan, progress: Progress, folder: Path) -> list[FileEntry]:
    target = build.config.publishing.target
    place = build.folder("merge_functions")
    with (
        local_copy(f"{place}/replaced.parquet") as replaced,
        local_copy(f"{place}/entries.parquet") as entries,
    ):
        return write_ledger(
            target,
            read_manifest(plan.parent).ledger if plan.parent else [],
            folder,
            replaced=replaced,
            entries=entries,
            gave_way=programs_that_gave_way(build),
            pending=set(_pending(build, progress)),
        )


def _rows(build: Build, step: str, cls: type[Any], progress: Progress) -> Iterator[Any]:
    for index in progress.completed:
        yield from read_shard(build.shard(step, index), cls)


def _pending(build: Build, progress: Progress) -> Iterator[str]:
    """Yield the functions of failed shards: the next build runs them."""
    for index in progress.failed:
        uri = build.shard("merge_functions", index)
        yield from (function_id for (function_id,) in read_columns(uri, ["function_id"]))


def _moved(build: Build) -> dict[str, dict[str, Any]]:
    """Return the places of functions that are found in another one than before, by id."""
    uri = f"{build.folder('merge_functions')}/moved.parquet"
    with local_copy(uri) as path:
        return {row["function_id"]: row for row in pq.read_table(path).to_pylist()}
