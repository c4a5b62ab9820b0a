"""Publishing: from a staged release to one that can be pointed to."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable
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
from c2c_tasks.pipeline.locking import conditions_for
from c2c_tasks.pipeline.planning import Plan
from c2c_tasks.pipeline.progress import Progress
from c2c_tasks.pipeline.staging import StagedRelease
from c2c_tasks.publishing.attribution import write_attribution
from c2c_tasks.publishing.audit import AUDIT_REPORT, AuditReport
from c2c_tasks.publishing.card import CARD, SAMPLES, render_card
from c2c_tasks.publishing.facts import sandbox_facts, writer_facts
from c2c_tasks.publishing.ledger import LEDGER_VERSION
from c2c_tasks.publishing.manifest import (
    DUMP_OBJECTS,
    Dump,
    FileEntry,
    Manifest,
    Sandbox,
    funnel_of,
    read_manifest,
    splits_of,
)
from c2c_tasks.publishing.origins import ORIGINS
from c2c_tasks.publishing.plots import draw_plots
from c2c_tasks.publishing.pointer import move_pointer, read_pointer
from c2c_tasks.publishing.previews import draw_previews
from c2c_tasks.publishing.release import (
    commit_release,
    describe_file,
    published_version,
    release_uri,
    stage_release,
)
from c2c_tasks.publishing.statistics import measure
from c2c_tasks.publishing.writing import writing_of
from c2c_tasks.records import FORMATS, Program, Split, arrow_schema
from c2c_tasks.samples.formats import schema_of
from c2c_tasks.shards import StepReport, code_version, funnel

log = logging.getLogger(__name__)


class PublishedRelease(TypedDict):
    """A release as the Asset event of the build announces it."""

    version: str
    uri: str
    rows: dict[str, dict[Split, int]]
    """Rows of each split of each config."""
    latest: bool
    """Whether the pointer is on it: a backfilled older date does not move it back."""


def publish(build: Build, staged: StagedRelease) -> PublishedRelease:
    """Write card and manifest beside the staged files, and move the pointer.

    Raises BuildError where another build has published since this one was planned.
    """
    with recording(build, "published", release=staged["uri"]):
        return _publish(build, staged)


def _publish(build: Build, staged: StagedRelease) -> PublishedRelease:
    plan = Plan.of(build)
    target = build.config.publishing.target
    release = staged["uri"]
    _check_parent(build, plan, staged["version"])
    manifest = _manifest(build, plan, staged["version"])
    with tempfile.TemporaryDirectory(prefix="c2c-card-") as name:
        folder = Path(name)
        earlier = plan.parent or plan.order_of
        statistics = measure(release, manifest.files, folder, earlier=earlier)
        draw_plots(folder, manifest.funnel, statistics)
        write_attribution(folder, folder / ORIGINS)
        # Of this attempt at the audit, whichever of several was the last to write its own.
        audited = Progress.of(build).audit().facts["report"]
        (folder / AUDIT_REPORT).write_text(audited, encoding="utf-8")
        manifest = _with_files(manifest, _described(folder))
        card = render_card(
            manifest,
            statistics,
            draw_previews(release, manifest.files, seed=manifest.version, count=SAMPLES),
            schemas={
                "programs": arrow_schema(Program),
                **{format_: schema_of(format_) for format_ in FORMATS},
            },
            audit=AuditReport.model_validate_json(audited),
            parent=read_manifest(plan.parent) if plan.parent else None,
        )
        (folder / CARD).write_text(card, encoding="utf-8")
        manifest = _with_files(manifest, [describe_file(folder / CARD, CARD)])
        stage_release(target, manifest.version, folder)
    conditions = conditions_for(target, build.config.publishing.conditional_writes)
    commit_release(target, manifest, conditions)
    pointer = move_pointer(
        target,
        manifest.version,
        build_id=build.build_id,
        date=plan.date,
        over=None if build.config.source.mode == "full" else [manifest.parent],
        conditions=conditions,
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


def _check_parent(build: Build, plan: Plan, version: str) -> None:
    """Raise BuildError where this release would leave out rows of the one that is latest now."""
    target = build.config.publishing.target
    pointer = read_pointer(target)
    if build.config.source.mode == "full" or pointer is None:
        return
    if published_version(target, plan.date, build.build_id) == version:
        return  # it is published, and publishing again changes nothing
    if plan.parent != release_uri(target, pointer.version):
        raise BuildError(
            f"{pointer.version} was published since this build was planned, and would not be "
            "added to; clear plan, or start a new build"
        )


def _manifest(build: Build, plan: Plan, version: str) -> Manifest:
    """Return the manifest of the staged files, the card and plots still missing."""
    progress = Progress.of(build)
    reports = list(progress.reports())
    staged = progress.audit().facts
    files = [FileEntry.model_validate(entry) for entry in staged["files"]]
    return Manifest(
        dataset_name=build.config.publishing.dataset_name,
        version=version,
        parent=_version(plan.parent),
        order_of=None if plan.parent else _version(plan.order_of),
        build_id=build.build_id,
        build_number=plan.build_number,
        created_for=build.date,
        config=build.config.model_dump(mode="json"),
        code_version=code_version(),
        dump=Dump(uri=build.source.dump, objects=_rows_of(files, DUMP_OBJECTS)),
        rules=plan.rules,
        writer=writer_facts(_facts(reports, "writer")),
        writing=writing_of(reports, build.config.inputs),
        sandbox=sandbox_facts(_facts(reports, "sandbox")),
        sandboxes=_differing_sandboxes(progress, reports),
        funnel=funnel_of(funnel(reports)),
        problems=[problem for report in reports for problem in report.problems],
        failed_shards=[f"{index + 1} of {progress.shards}" for index in progress.failed],
        splits=splits_of(files),
        files=files,
        ledger_version=LEDGER_VERSION,
        ledger=[FileEntry.model_validate(entry) for entry in staged["ledger"]],
    )


def _facts(reports: Iterable[StepReport], name: str) -> list[dict[str, Any]]:
    """Return what shards tell; what is told of no function at all is not true of any."""
    return [report.facts[name] for report in reports if name in report.facts and _had_rows(report)]


def _had_rows(report: StepReport) -> bool:
    return any(stage.rows_in for stage in report.stages)


def _version(release: str | None) -> str | None:
    return read_manifest(release).version if release else None


def _rows_of(files: Iterable[FileEntry], path: str) -> int:
    return next(entry.rows or 0 for entry in files if entry.path == path)


def _with_files(manifest: Manifest, entries: Iterable[FileEntry]) -> Manifest:
    files = sorted([*manifest.files, *entries], key=lambda entry: entry.path)
    return manifest.model_copy(update={"files": files})


def _described(folder: Path) -> list[FileEntry]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [describe_file(path, path.relative_to(folder).as_posix()) for path in paths]


def _differing_sandboxes(progress: Progress, reports: Iterable[StepReport]) -> list[Sandbox]:
    """Return each sandbox with its shards, and warn; nothing where all shards ran in one."""
    found: list[Sandbox] = []
    executions = (report for report in reports if report.step == "execute")
    for index, report in zip(progress.completed, executions, strict=True):
        if not _had_rows(report):
            continue
        facts = sandbox_facts([report.facts["sandbox"]])
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
