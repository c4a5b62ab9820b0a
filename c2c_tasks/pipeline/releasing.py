"""Write, audit, publish: from the shards of samples to a release that can be pointed to."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

from c2c_tasks.catalogue import Catalogue
from c2c_tasks.config import catalogue_url
from c2c_tasks.pipeline.build import Build, BuildError
from c2c_tasks.pipeline.indexing import (
    index_latest,
    index_release,
    record_reports,
    recording,
)
from c2c_tasks.pipeline.planning import Plan
from c2c_tasks.pipeline.progress import Progress
from c2c_tasks.publishing.audit import audit as audit_release
from c2c_tasks.publishing.card import CARD, render_card
from c2c_tasks.publishing.data_files import write_data_files, write_dump_objects
from c2c_tasks.publishing.manifest import (
    Dump,
    FileEntry,
    Manifest,
    Sandbox,
    funnel_of,
    read_manifest,
    splits_of,
)
from c2c_tasks.publishing.plots import draw_plots
from c2c_tasks.publishing.pointer import move_pointer, read_pointer
from c2c_tasks.publishing.previews import draw_previews
from c2c_tasks.publishing.release import (
    claim_version,
    commit_release,
    describe_file,
    published_version,
    release_uri,
    stage_release,
)
from c2c_tasks.publishing.statistics import measure
from c2c_tasks.publishing.writing import writing_of
from c2c_tasks.records import Function, Program, Sample, Split, arrow_schema
from c2c_tasks.samples.formats import layout, schema_of
from c2c_tasks.sandbox.choice import choose_launcher
from c2c_tasks.sandbox.execution import execute as execute_inputs
from c2c_tasks.sandbox.launchers import AUDIT
from c2c_tasks.shards import StepReport, code_version, funnel, read_shard, run_step
from c2c_tasks.store import ObjectInfo

log = logging.getLogger(__name__)


class StagedRelease(TypedDict):
    """A release whose data files are in their place and passed the audit."""

    version: str
    uri: str
    programs: int


class PublishedRelease(TypedDict):
    """A release as the Asset event of the build announces it."""

    version: str
    uri: str
    rows: dict[str, dict[Split, int]]
    """Rows of each split of each config."""
    latest: bool
    """Whether the pointer is on it: a backfilled older date does not move it back."""


def audit(
    build: Build, *, client: Any = None, labels: dict[str, str] | None = None
) -> StagedRelease:
    """Stage the data files of the release and check what the store then holds.

    `client` and `labels` are those of `execute`: a sample of the programs is run again.
    Raises BuildError where more shards failed than may, or no program is left; AuditError
    where the staged files are unsound.
    """
    with recording(build, "running"):
        return _audit(build, client, labels or {})


def _audit(build: Build, client: Any, labels: dict[str, str]) -> StagedRelease:
    options = build.config.publishing
    progress = Progress.of(build)
    progress.check(options.max_failed_shards)

    def work(report: StepReport) -> None:
        version = claim_version(options.target, Plan.of(build).release_date(build), build.build_id)
        with tempfile.TemporaryDirectory(prefix="c2c-release-") as folder:
            _write_files(build, progress, Path(folder))
            files = stage_release(options.target, version, Path(folder))
        uri = release_uri(options.target, version)
        log.info("audit: staged %d files of %s", len(files), uri)
        programs = sum(entry.rows or 0 for entry in files if entry.config == "programs")
        if not programs:
            raise BuildError(
                f"{build.source.dump}: no program came out of it; "
                "the log lines of `curate` say what was dropped and why"
            )
        sandbox = build.config.sandbox.model_copy(
            update={"refine_rounds": 0, "coverage": False, "determinism_runs": False}
        )
        launcher = choose_launcher(sandbox, client, labels)
        audit_release(
            uri,
            files,
            schemas={
                "programs": arrow_schema(Program),
                **{format_: schema_of(format_) for format_ in build.config.samples.formats},
            },
            programs=options.audit_programs,
            execute=partial(
                execute_inputs,
                options=sandbox,
                report=StepReport("audit", uri),
                launcher=launcher,
                surroundings=AUDIT,
            ),
            seed=build.build_id,
        ).raise_for_faults()
        report.facts = {
            "version": version,
            "programs": programs,
            "files": [entry.model_dump() for entry in files],
        }

    report = run_step(
        "audit",
        inputs=[build.shard("compose", index) for index in progress.completed],
        output=build.folder("audit"),
        config=[options.model_dump(mode="json"), build.date, progress.failed],
        work=work,
    )
    version = report.facts["version"]
    return {
        "version": version,
        "uri": release_uri(options.target, version),
        "programs": report.facts["programs"],
    }


def publish(build: Build, staged: StagedRelease) -> PublishedRelease:
    """Write card and manifest beside the staged files, and move the pointer.

    Raises BuildError where another build has published since this one was planned.
    """
    with recording(build, "published", release=staged["uri"]):
        return _publish(build, staged)


def _publish(build: Build, staged: StagedRelease) -> PublishedRelease:
    target = build.config.publishing.target
    release = staged["uri"]
    _check_parent(build, staged["version"])
    manifest = _manifest(build, staged["version"])
    with tempfile.TemporaryDirectory(prefix="c2c-card-") as name:
        folder = Path(name)
        statistics = measure(release, manifest.files)
        plots = draw_plots(folder, manifest.funnel, statistics)
        entries = [describe_file(folder / path, path) for path in plots]
        manifest = _with_files(manifest, entries)
        previews = draw_previews(release, manifest.files, seed=manifest.version)
        (folder / CARD).write_text(render_card(manifest, statistics, previews), encoding="utf-8")
        manifest = _with_files(manifest, [describe_file(folder / CARD, CARD)])
        stage_release(target, manifest.version, folder)
    commit_release(target, manifest)
    pointer = move_pointer(
        target,
        manifest.version,
        build_id=build.build_id,
        date=build.date,
        over=None if build.config.source.mode == "full" else [manifest.parent],
    )
    catalogue = Catalogue(catalogue_url())
    index_release(catalogue, target, manifest.version)
    index_latest(catalogue, target)
    record_reports(build, list(Progress.of(build).reports()))
    return {
        "version": manifest.version,
        "uri": release,
        "rows": manifest.splits,
        "latest": pointer.version == manifest.version,
    }


def _check_parent(build: Build, version: str) -> None:
    """Raise BuildError where this release would leave out rows of the one that is latest now."""
    target = build.config.publishing.target
    pointer = read_pointer(target)
    if build.config.source.mode == "full" or pointer is None:
        return
    if published_version(target, Plan.of(build).release_date(build), build.build_id) == version:
        return  # it is published, and publishing again changes nothing
    if Plan.of(build).parent != release_uri(target, pointer.version):
        raise BuildError(
            f"{pointer.version} was published since this build was planned, and would not be "
            "added to; clear plan, or start a new build"
        )


def _write_files(build: Build, progress: Progress, folder: Path) -> None:
    """Write the release's data files, in order of function id: that of the shards."""
    plan = Plan.of(build)
    write_data_files(
        folder,
        _rows(build, "curate", Program, progress),
        _rows(build, "compose", Sample, progress),
        build.config.publishing,
        formats=build.config.samples.formats,
        layout=layout,
        schema_of=schema_of,
        parent=plan.parent,
    )
    write_dump_objects(folder, _ingested(build, plan, progress))


def _rows(build: Build, step: str, cls: type[Any], progress: Progress) -> Iterator[Any]:
    for index in progress.completed:
        yield from read_shard(build.shard(step, index), cls)


def _ingested(build: Build, plan: Plan, progress: Progress) -> Iterable[ObjectInfo]:
    """Return the dump objects that need not be read again: none with a function left out."""
    left_out = {
        function.dump
        for index in progress.failed
        for function in read_shard(build.shard("merge_functions", index), Function)
    }
    return [item for item in plan.objects if item.uri not in left_out]


def _manifest(build: Build, version: str) -> Manifest:
    """Return the manifest of the staged files, the card and plots still missing."""
    plan = Plan.of(build)
    progress = Progress.of(build)
    reports = list(progress.reports())
    files = [FileEntry.model_validate(entry) for entry in progress.audit().facts["files"]]
    return Manifest(
        dataset_name=build.config.publishing.dataset_name,
        version=version,
        parent=read_manifest(plan.parent).version if plan.parent else None,
        build_id=build.build_id,
        created_for=build.date,
        config=build.config.model_dump(mode="json"),
        code_version=code_version(),
        dump=Dump(uri=build.source.dump, objects=len(plan.objects)),
        writer=merged_facts(reports, "writer"),
        writing=writing_of(reports, build.config.inputs),
        sandbox=merged_facts(reports, "sandbox"),
        sandboxes=_differing_sandboxes(progress, reports),
        funnel=funnel_of(funnel(reports)),
        problems=[problem for report in reports for problem in report.problems],
        failed_shards=[f"{index + 1} of {progress.shards}" for index in progress.failed],
        splits=splits_of(files),
        files=files,
    )


def _with_files(manifest: Manifest, entries: Iterable[FileEntry]) -> Manifest:
    files = sorted([*manifest.files, *entries], key=lambda entry: entry.path)
    return manifest.model_copy(update={"files": files})


def _differing_sandboxes(progress: Progress, reports: Iterable[StepReport]) -> list[Sandbox]:
    """Return each sandbox with its shards, and warn; nothing where all shards ran in one."""
    executed = (report.facts["sandbox"] for report in reports if report.step == "execute")
    found: list[Sandbox] = []
    for index, facts in zip(progress.completed, executed, strict=True):
        sandbox = next((known for known in found if known.facts == facts), None)
        if sandbox is None:
            sandbox = Sandbox(shards=[], facts=facts)
            found.append(sandbox)
        sandbox.shards.append(f"{index + 1} of {progress.shards}")
    if len(found) < 2:
        return []
    log.warning(
        "functions ran in %d different sandboxes; the manifest lists them. Where the image is "
        "the difference, name it by its digest",
        len(found),
    )
    return found


def merged_facts(reports: Iterable[StepReport], name: str) -> dict[str, Any]:
    """Return what the reports say under a name; where shards differ in something, all of it."""
    versions = [report.facts[name] for report in reports if name in report.facts]
    merged: dict[str, Any] = {}
    for key in dict.fromkeys(key for version in versions for key in version):
        values: list[Any] = []
        for version in versions:
            if version.get(key) not in values:
                values.append(version.get(key))
        merged[key] = values[0] if len(values) == 1 else values
    return merged
