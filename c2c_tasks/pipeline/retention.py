"""Retention: what releases and builds leave behind is removed once nobody can need it.

Any number of runs may go on at a time, beside builds and people, and each may be cut off: what
is removed is looked at again right before, and a release goes by way of `retire`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from c2c_tasks.catalogue import Catalogue
from c2c_tasks.config import RetentionOptions, catalogue_url, work_area
from c2c_tasks.pipeline import old_releases
from c2c_tasks.pipeline.locking import conditions_for
from c2c_tasks.pipeline.work_areas import (
    WorkArea,
    clock_probes,
    evaluation_areas,
    store_time,
    work_areas,
)
from c2c_tasks.publishing.deleting import delete_files
from c2c_tasks.publishing.probing import check_target
from c2c_tasks.publishing.release import release_uri
from c2c_tasks.publishing.versions import complete_versions
from c2c_tasks.store import store_for

GRACE = timedelta(days=1)
"""For which the work area of a build that is done stays, and a write that is not done."""
LEDGER_GRACE = timedelta(days=7)
"""For which a ledger file stays that nothing names: a build writes it before its report says so."""

Kind = Literal["release", "staged_release", "work_area", "ledger_file", "unfinished_write"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that was removed, or would be."""

    kind: Kind
    uri: str
    files: int
    bytes: int
    """0 for a write that is not done: stores do not tell."""
    reason: str


@dataclass(frozen=True, slots=True)
class Retention:
    """What a run of retention removed, or would have."""

    dry_run: bool
    removals: list[Removal] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return how much was removed: of each kind, and bytes of all."""
        kinds = Counter(removal.kind for removal in self.removals)
        return dict(kinds) | {"bytes": sum(removal.bytes for removal in self.removals)}


def retain(options: RetentionOptions) -> Retention:
    """Remove what is not to be kept of a target and its builds; return what that was.

    Each removal is a line of the log. Raises StoreError or CatalogueError where store or
    catalogue cannot be used, and PublishError where conditional writes do not hold on the target;
    what was removed until then stays removed.
    """
    retention = Retention(options.retention_dry_run)
    for removal in _removals(options):
        log.info(
            "%s %s: %s (%d files, %.1f MB)",
            "would remove" if retention.dry_run else "removed",
            removal.uri,
            removal.reason,
            removal.files,
            removal.bytes / 1e6,
        )
        retention.removals.append(removal)
    log.info(
        "retention of %s%s: %s",
        options.target,
        ", dry run" if retention.dry_run else "",
        retention.counts(),
    )
    return retention


def _removals(options: RetentionOptions) -> Iterator[Removal]:
    """Yield each removal once it is done, or where it is a dry run, found."""
    catalogue = Catalogue(catalogue_url())
    target, dry_run = options.target, options.retention_dry_run
    known = catalogue.target(target)
    areas = list(work_areas(catalogue))
    failed_after = timedelta(days=options.keep_failed_days)
    at_work = [area for area in areas if not area.finished and area.age <= failed_after]

    def is_done(area: WorkArea) -> bool:
        return (
            known is not None
            and area.targets == {known.target_id}
            and area.age > (GRACE if area.finished else failed_after)
        )

    done = [area for area in areas if is_done(area)]
    if next(store_for(target).names(target), None):
        yield from _of_target(options, catalogue, at_work)
    for area in done:
        if dry_run or is_done(area.again(catalogue)):
            files = area.files() if dry_run else area.remove()
            reason = f"its build is {area.state}, and last heard of {area.age.days} days ago"
            size = sum(info.size for info in files)
            yield Removal("work_area", area.uri, len(files), size, reason)
    for area in evaluation_areas(target):
        if area.age > failed_after:
            files = area.files() if dry_run else area.remove()
            reason = f"its evaluation was last at work {area.age.days} days ago"
            size = sum(info.size for info in files)
            yield Removal("work_area", area.uri, len(files), size, reason)
    for place in (target, work_area()):
        yield from _unfinished(place, dry_run=dry_run)


def _of_target(
    options: RetentionOptions, catalogue: Catalogue, at_work: Sequence[WorkArea]
) -> Iterator[Removal]:
    target, dry_run = options.target, options.retention_dry_run
    conditions = conditions_for(target, options.conditional_writes)
    clock = store_time(target)
    complete = complete_versions(target)
    retired = old_releases.retired_releases(target, complete)
    to_retire = [
        *old_releases.retired_in_part(target, retired),
        *old_releases.beyond(target, options.keep_releases, complete, retired, at_work),
    ]
    if to_retire and not dry_run:
        check_target(target, conditions)
    for item in to_retire:
        if found := old_releases.removed(item, conditions, dry_run=dry_run):
            retired[item.version] = found.reason
            yield Removal("release", item.uri, found.files, found.bytes, item.reason)
    if retired and not dry_run:
        reasons = {release_uri(target, version): why for version, why in retired.items()}
        catalogue.record_retired(target, reasons)
    before = clock - timedelta(days=options.keep_failed_days)
    for staged in old_releases.never_committed(target, before, set(complete), at_work):
        if dry_run or old_releases.remove_staged(target, staged):
            yield Removal("staged_release", staged.uri, staged.files, staged.bytes, staged.reason)
    ledger = old_releases.Ledger(target, at_work, without=retired.keys())
    unnamed = ledger.unnamed(clock - LEDGER_GRACE)
    for info in unnamed if dry_run else ledger.remove(unnamed):
        yield Removal("ledger_file", info.uri, 1, info.size, "no release names it")


def _unfinished(place: str, *, dry_run: bool) -> Iterator[Removal]:
    """Remove writes that are not done and will not be: uploads in parts, files, probes."""
    store = store_for(place)
    begun: list[tuple[str, datetime, Callable[[], None]]] = [
        (write.uri, write.started, partial(store.discard, write))
        for write in store.unfinished(place)
    ]
    for uri, started in clock_probes(place):
        begun.append((uri, started, partial(delete_files, [uri], uri.rpartition("/")[0])))
    if not begun:
        return
    clock = store_time(place)
    for uri, started, discard in begun:
        age = clock - started
        if age > GRACE:
            if not dry_run:
                discard()
            reason = f"a write that was begun {age.days} days ago"
            yield Removal("unfinished_write", uri, 1, 0, reason)
