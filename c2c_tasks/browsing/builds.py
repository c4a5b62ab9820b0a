"""The builds that the catalogue knows, and one of them as it goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from c2c_tasks.browsing.details import funnel_in_words
from c2c_tasks.browsing.progress import RUNNING, progress_of
from c2c_tasks.browsing.redaction import redacted
from c2c_tasks.browsing.refusals import InvalidRequest
from c2c_tasks.browsing.reports import (
    BuildReports,
    reports_in_catalogue,
    reports_in_work_area,
)
from c2c_tasks.browsing.targets import catalogue, known_target
from c2c_tasks.catalogue import BuildRecord
from c2c_tasks.store import StoreError

MAX_BUILDS = 500


def list_builds(target: str | None, limit: int = 50) -> dict[str, Any]:
    """Return the builds of a target, or of all where none is named, that started last."""
    if not 1 <= limit <= MAX_BUILDS:
        raise InvalidRequest(f"limit: from 1 to {MAX_BUILDS}")
    place = known_target(target) if target else None
    builds = catalogue().builds(place, limit)
    targets = _targets()  # after the builds, of which the last may be the first of its target
    return {"items": [_item(build, targets[build.target_id]) for build in builds]}


def describe_build(target: str | None, build_id: str) -> dict[str, Any] | None:
    """Return a build and how far it has come; None where the catalogue does not know it.

    Targets may share an id: where none is named, it is the build that started last. Raises
    CatalogueError and StoreError.
    """
    place = known_target(target) if target else None
    builds = catalogue().builds_named(build_id)
    targets = _targets()
    for build in builds:
        uri = targets[build.target_id]
        if place in (None, uri):
            found, note = _reports(build, uri)
            return {
                "build": _item(build, uri),
                "funnel": funnel_in_words(found.funnel()),
                "progress": progress_of(found, build.state, _seconds(build)),
                "note": note,
            }
    return None


def _targets() -> dict[int, str]:
    return {target.target_id: target.uri for target in catalogue().targets()}


def _reports(build: BuildRecord, target: str) -> tuple[BuildReports, str | None]:
    """Return what there is of a build's reports, and what is wrong with where they should be."""
    note = None
    if build.state in ("published", "nothing_new"):  # its work area may be gone any time
        recorded = _recorded(build, target)
        if recorded.reports:
            return recorded, note
    try:
        found = reports_in_work_area(build.build_id)
        if found.reports or found.planned_shards is not None:
            return found, note
    except StoreError as error:
        note = str(redacted(f"the work area cannot be read: {error}"))
    return _recorded(build, target), note


def _recorded(build: BuildRecord, target: str) -> BuildReports:
    return reports_in_catalogue(catalogue().reports(target, build.build_id))


def _item(build: BuildRecord, target: str) -> dict[str, Any]:
    release = catalogue().release(build.release_uri) if build.release_uri else None
    found = {
        "build": build.build_id,
        "date": build.date,
        "mode": build.mode,
        "state": build.state,
        "started": _time(build.started_at),
        "seconds": _seconds(build),
        "programs": release.programs if release else None,
        "release": (build.release_uri or "").rpartition("/")[2] or None,
        "message": build.message,
        "target": target,
    }
    return dict(redacted(found))


def _seconds(build: BuildRecord) -> float | None:
    """Return how long a build took; of one that has not ended, until now."""
    started, ended = _utc(build.started_at), _utc(build.ended_at)
    if started is None:
        return None
    if ended is None and build.state not in RUNNING:
        return None
    return round(((ended or datetime.now(UTC)) - started) / timedelta(seconds=1), 1)


def _time(moment: datetime | None) -> str | None:
    known = _utc(moment)
    return known.isoformat(timespec="seconds") if known else None


def _utc(moment: datetime | None) -> datetime | None:
    # SQLite keeps no time zone: what was written is UTC.
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
