"""The work areas of builds: which ones are done with, and what those that are not rely on."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from c2c_tasks.catalogue import BuildRecord, Catalogue
from c2c_tasks.config import work_area
from c2c_tasks.pipeline.evaluation import PREPARE, SOURCES, Sources
from c2c_tasks.pipeline.runs import EVALUATIONS, work_name
from c2c_tasks.publishing.deleting import delete_files
from c2c_tasks.shards import read_report
from c2c_tasks.store import ObjectInfo, ObjectNotFound, read, store_for

FINISHED = ("published", "nothing_new")
"""States of builds that have no use for their work area any more."""
CLOCK = ".clock-"
"""Begins the names of the folders of probes of a store's clock."""


@dataclass(frozen=True, slots=True)
class WorkArea:
    """The folder of a build."""

    uri: str
    targets: frozenset[int]
    """Targets of the builds of its name, as the catalogue counts them: one, as a rule; none
    where the catalogue knows no such build."""
    state: str
    """Of its build, or of the one that is the furthest from its end; empty where it is unknown."""
    age: timedelta
    """Since it was last changed, or its build last heard of."""

    @property
    def finished(self) -> bool:
        """Whether its build has ended, and has not failed."""
        return self.state in FINISHED

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.uri.rpartition("/")[2]

    def releases(self) -> set[str]:
        """Return the URIs of the releases that its build adds to or is ordered by."""
        with suppress(ObjectNotFound):
            plan = json.loads(read(f"{self.uri}/plan/plan.json"))
            return {plan.get(name) for name in ("parent", "order_of")} - {None}
        return set()

    def ledger(self) -> set[str]:
        """Return the ledger files that its release will name, by path below the target."""
        report = read_report(f"{self.uri}/audit")
        return {entry["path"] for entry in report.facts.get("ledger", ())} if report else set()

    def again(self, catalogue: Catalogue) -> WorkArea:
        """Return what it is by now."""
        builds = _builds(catalogue).get(self.name, [])
        return _work_area(self.uri, builds, store_time(work_area()))

    def files(self) -> list[ObjectInfo]:
        """Return the files in it."""
        return list(store_for(self.uri).list(self.uri))

    def remove(self) -> list[ObjectInfo]:
        """Delete it; return the files that were in it.

        What is left where that is cut off does not pass for shards.
        """
        store = store_for(self.uri)
        for write in store.unfinished(self.uri):
            store.discard(write)
        files = self.files()
        uris = [info.uri for info in files]
        reports = [uri for uri in uris if uri.endswith("report.json")]  # say what is complete
        delete_files(reports, self.uri)
        delete_files(uris, self.uri)
        return files


def work_areas(catalogue: Catalogue) -> Iterator[WorkArea]:
    """Yield the work areas of all builds, of whatever target."""
    place = work_area()
    names = [
        name[:-1]
        for name in store_for(place).names(place)
        if name.endswith("/") and not name.startswith((CLOCK, f"{EVALUATIONS}/"))
    ]
    if not names:
        return
    clock = store_time(place)
    builds = _builds(catalogue)
    for name in names:
        yield _work_area(f"{place}/{name}", builds.get(name, []), clock)


def evaluation_areas(target: str) -> Iterator[WorkArea]:
    """Yield the work areas of a target's evaluations, which no catalogue knows."""
    place = f"{work_area()}/{EVALUATIONS}"
    names = [name[:-1] for name in store_for(place).names(place) if name.endswith("/")]
    clock = store_time(work_area()) if names else None
    for name in names:
        uri = f"{place}/{name}"
        with suppress(ObjectNotFound):
            sources = Sources.model_validate_json(read(f"{uri}/{PREPARE}/{SOURCES}"))
            if clock is not None and sources.asked.get("target") == target:
                yield _work_area(uri, (), clock)


def store_time(place: str) -> datetime:
    """Return the time, in UTC, by the clock of the store that holds a folder."""
    folder = f"{place}/{CLOCK}{uuid.uuid4().hex}"
    uri = f"{folder}/now"
    store = store_for(place)
    store.write(uri, b"")
    try:
        ((_, now),) = store.changed(folder)
    finally:
        delete_files([uri], folder)
    return now


def clock_probes(place: str) -> Iterator[tuple[str, datetime]]:
    """Yield the probes of `store_time` that are there, each with its time by that clock."""
    store = store_for(place)
    for name in store.names(place):
        if name.startswith(CLOCK):
            yield from store.changed(f"{place}/{name.removesuffix('/')}")


def listed(folder: str) -> list[tuple[ObjectInfo, datetime]]:
    """Return the objects below a folder, each with its time of change by the store's clock."""
    store = store_for(folder)
    changed = dict(store.changed(folder))
    return [(info, changed[info.uri]) for info in store.list(folder) if info.uri in changed]


def _builds(catalogue: Catalogue) -> dict[str, list[BuildRecord]]:
    """Return the builds that the catalogue knows, by name of their work area."""
    builds: dict[str, list[BuildRecord]] = {}
    for build in catalogue.builds():
        builds.setdefault(work_name(build.build_id), []).append(build)
    return builds


def _work_area(uri: str, builds: Sequence[BuildRecord], clock: datetime) -> WorkArea:
    changed = max(
        (time for _, time in store_for(uri).changed(uri)), default=datetime.min.replace(tzinfo=UTC)
    )
    age = clock - changed
    for build in builds:
        if heard := build.ended_at or build.started_at:
            # SQLite keeps no time zone: what was written is UTC.
            age = min(age, datetime.now(UTC) - heard.replace(tzinfo=heard.tzinfo or UTC))
    states = sorted((build.state for build in builds), key=FINISHED.__contains__)
    return WorkArea(
        uri, frozenset(build.target_id for build in builds), states[0] if states else "", age
    )
