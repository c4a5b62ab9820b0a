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
from c2c_tasks.pipeline.build import work_name
from c2c_tasks.publishing.deleting import delete_files
from c2c_tasks.shards import read_report
from c2c_tasks.store import ObjectInfo, ObjectNotFound, read, store_for

FINISHED = ("published", "nothing_new")
"""States of builds that have no use for their work area any more."""


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
            return {plan["parent"], plan["order_of"]} - {None}
        return set()

    def ledger(self) -> set[str]:
        """Return the ledger files that its release will name, by path below the target."""
        report = read_report(f"{self.uri}/audit")
        return {entry["path"] for entry in report.facts["ledger"]} if report else set()

    def remove(self) -> None:
        """Delete it. What is left where that is cut off does not pass for shards."""
        store = store_for(self.uri)
        for write in store.unfinished(self.uri):
            store.discard(write)
        uris = [info.uri for info in store.list(self.uri)]
        reports = [uri for uri in uris if uri.endswith("report.json")]  # say what is complete
        delete_files(reports, self.uri)
        delete_files(uris, self.uri)


def work_areas(catalogue: Catalogue) -> Iterator[WorkArea]:
    """Yield the work areas of all builds, of whatever target."""
    place = work_area()
    names = [name[:-1] for name in store_for(place).names(place) if name.endswith("/")]
    if not names:
        return
    clock = store_time(place)
    builds: dict[str, list[BuildRecord]] = {}
    for build in catalogue.builds():
        builds.setdefault(work_name(build.build_id), []).append(build)
    for name in names:
        yield _work_area(f"{place}/{name}", builds.get(name, []), clock)


def store_time(place: str) -> datetime:
    """Return the time, in UTC, by the clock of the store that holds a folder."""
    folder = f"{place}/.clock-{uuid.uuid4().hex}"
    uri = f"{folder}/now"
    store = store_for(place)
    store.write(uri, b"")
    try:
        ((_, now),) = store.changed(folder)
    finally:
        delete_files([uri], folder)
    return now


def listed(folder: str) -> list[tuple[ObjectInfo, datetime]]:
    """Return the objects below a folder, each with its time of change by the store's clock."""
    store = store_for(folder)
    changed = dict(store.changed(folder))
    return [(info, changed[info.uri]) for info in store.list(folder) if info.uri in changed]


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
