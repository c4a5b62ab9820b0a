"""The step reports of a build, while it runs from its work area, afterwards from the catalogue.

A page asks every few seconds, of builds with some hundred shards: folders are listed, and of the
reports only those are read that are new since the last time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from c2c_tasks.browsing.caching import Recent
from c2c_tasks.catalogue import ReportRecord
from c2c_tasks.config import work_area
from c2c_tasks.consuming.parallel import NoMeter, Tick, in_parallel
from c2c_tasks.pipeline.runs import work_name
from c2c_tasks.shards import Stage, StepReport, funnel, report_uri
from c2c_tasks.store import ObjectNotFound, StoreError, read, store_for

STEPS = (
    *("plan", "extract", "merge_functions", "write_inputs", "execute", "curate"),
    *("merge_programs", "compose", "audit"),
)
"""Steps that leave something in the work area, in their order."""
_FOLDERS = ("merge_functions", "merge_programs", "audit")
"""Steps with one report, for all of their shards."""
_ANSWERS = "write_inputs"
"""The step beside whose shards a model's answers are kept, which may be many objects."""
_REPORT = ".report.json"
FRESH_SECONDS = 2.0
"""For which a work area is not looked at again, however many people follow the build."""


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What is kept of a report."""

    step: str
    stages: list[Stage]
    counters: dict[str, int]
    seconds: float
    changed: datetime | None = None
    """When it was written, by the store's clock; None where that is not known."""
    shard_rows: list[int] = field(default_factory=list)
    """Of a step that cuts shards: rows of each."""


@dataclass(frozen=True, slots=True)
class BuildReports:
    """How far a build has come."""

    reports: list[ReadReport]
    """In the order of the steps."""
    planned_shards: int | None = None
    """Dump shards; None where it is not planned yet, or not known."""

    def of(self, step: str) -> list[ReadReport]:
        """Return the reports of a step."""
        return [report for report in self.reports if report.step == step]

    def funnel(self) -> list[Stage]:
        """Return the funnel as far as it goes."""
        return funnel(StepReport(r.step, "", stages=r.stages) for r in self.reports)


@dataclass(slots=True)
class _Known:
    """What was read of one work area."""

    lock: Lock = field(default_factory=Lock)
    reports: dict[str, tuple[object, ReadReport]] = field(default_factory=dict)
    """By URI, each with what tells its version."""
    plan: tuple[object, int] | None = None
    found: BuildReports | None = None
    at: float = 0.0
    """When it was looked at, by the monotonic clock."""


_KNOWN: Recent[str, _Known] = Recent(8)


def reports_in_catalogue(records: Sequence[ReportRecord]) -> BuildReports:
    """Return the reports that the catalogue has of a build."""
    found = [
        ReadReport(
            record.step,
            [Stage(**stage) for stage in record.stages],
            dict(record.counters),
            record.seconds,
        )
        for record in records
    ]
    return BuildReports(sorted(found, key=_order))


def reports_in_work_area(build_id: str) -> BuildReports:
    """Return the reports that are in the work area of a build; none where there is no such area.

    Raises StoreError where the work area cannot be read.
    """
    work = f"{work_area()}/{work_name(build_id)}"
    known = _KNOWN.get(work, _Known)
    with known.lock:  # two pages that look at one build read its reports once
        if known.found and time.monotonic() - known.at < FRESH_SECONDS:
            return known.found
        versions = _list_reports(work)
        missing = [
            uri
            for uri, version in versions.items()
            if uri not in known.reports or known.reports[uri][0] != version
        ]
        for uri, report in in_parallel(_read, missing, NoMeter()):
            if report is not None:
                known.reports[uri] = (versions[uri], report)
        # What was deleted since is made anew.
        for uri in known.reports.keys() - versions.keys():
            del known.reports[uri]
        found = [_timed(*item) for item in known.reports.values()]
        known.found = BuildReports(sorted(found, key=_order), _planned(work, known))
        known.at = time.monotonic()
        return known.found


def _order(report: ReadReport) -> int:
    return STEPS.index(report.step) if report.step in STEPS else len(STEPS)


def _list_reports(work: str) -> dict[str, object]:
    """Return the reports that are there, each with what tells its version: its time of change."""
    listed = dict(in_parallel(lambda step, _: (step, _in_folder(work, step)), STEPS[1:], NoMeter()))
    # Shards of inputs are made anew only after function shards were.
    merged = next(iter(listed["merge_functions"].values()), None)
    listed[_ANSWERS] = dict.fromkeys(listed[_ANSWERS], merged)
    return {uri: version for reports in listed.values() for uri, version in reports.items()}


def _in_folder(work: str, step: str) -> dict[str, object]:
    folder = f"{work}/{step}"
    if step in _FOLDERS:
        return {uri: at for uri, at in store_for(work).changed(folder) if uri == report_uri(folder)}
    if step == _ANSWERS:  # names alone: what is below the answers' folders is not listed
        names = store_for(work).names(folder)
        return {f"{folder}/{name}": None for name in names if name.endswith(_REPORT)}
    return {uri: at for uri, at in store_for(work).changed(folder) if uri.endswith(_REPORT)}


def _read(uri: str, _: Tick) -> tuple[str, ReadReport | None]:
    try:
        report = StepReport.from_json(read(uri))
    except ObjectNotFound:  # deleted since it was listed
        return uri, None
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{uri}: not a report of a step") from None
    rows: Any = report.facts.get("shard_rows", [])
    if isinstance(rows, dict):
        rows = list(rows.values())
    return uri, ReadReport(
        report.step, report.stages, report.counters, report.seconds, None, [*map(int, rows)]
    )


def _timed(version: object, report: ReadReport) -> ReadReport:
    if report.step == _ANSWERS or not isinstance(version, datetime):
        return report
    return ReadReport(
        report.step,
        report.stages,
        report.counters,
        report.seconds,
        version.astimezone(UTC),
        report.shard_rows,
    )


def _planned(work: str, known: _Known) -> int | None:
    uri = f"{work}/plan/plan.json"
    info = store_for(uri).head(uri)
    if info is None:
        return None
    if known.plan is None or known.plan[0] != info.etag:
        try:
            known.plan = (info.etag, int(json.loads(read(uri))["shards"]))
        except (ValueError, KeyError, TypeError, ObjectNotFound):
            return None
    return known.plan[1]
