"""Releases that are not to be kept, and what of a target belongs to none."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from c2c_tasks.pipeline.runs import work_name
from c2c_tasks.pipeline.work_areas import WorkArea, listed
from c2c_tasks.publishing.conditions import Conditions
from c2c_tasks.publishing.deleting import delete_files
from c2c_tasks.publishing.ledger import LEDGER
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.publishing.pointer import Pointer, read_pointer
from c2c_tasks.publishing.release import (
    CLAIM,
    PublishError,
    claimed_by,
    release_uri,
    version_order,
)
from c2c_tasks.publishing.retired import read_tombstone
from c2c_tasks.publishing.versions import claimed_versions, is_complete
from c2c_tasks.publishing.withdrawal import Retired, data_files, retire
from c2c_tasks.store import ObjectInfo, ObjectNotFound, StoreError, StoreUnavailable

DELETED_PER_LOOK = 100
"""Ledger files that are deleted between two looks at what names them."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OldRelease:
    """A release that is to be retired."""

    target: str
    version: str
    reason: str

    @property
    def uri(self) -> str:
        """URI of the release."""
        return release_uri(self.target, self.version)


@dataclass(frozen=True, slots=True)
class StagedFiles:
    """What a build has staged of a release that it has not committed."""

    version: str
    uri: str
    paths: list[str] = field(repr=False)
    """URIs of the files, without the claim: with it, nobody uses the version again."""
    bytes: int
    reason: str

    @property
    def files(self) -> int:
        """Number of the files."""
        return len(self.paths)


def retired_releases(target: str, complete: Sequence[str]) -> dict[str, str]:
    """Return which versions of complete releases have a tombstone, each with the reason.

    Not those that the pointer names or pins: whoever put a tombstone there did not `retire` them.
    """
    kept = _kept(read_pointer(target))
    found = {}
    for version in complete:
        release = release_uri(target, version)
        if tombstone := read_tombstone(release):
            if version in kept:
                log.warning("%s: kept, although it has a tombstone; remove that", release)
            else:
                found[version] = tombstone.reason
    return found


def retired_in_part(target: str, retired: Mapping[str, str]) -> Iterator[OldRelease]:
    """Yield the releases whose retirement was cut off; `retired` have a tombstone."""
    pointer = read_pointer(target)
    marks = dict(pointer.retiring) if pointer else {}
    for version, reason in (marks | dict(retired)).items():
        if version in marks or data_files(release_uri(target, version)):
            yield OldRelease(target, version, reason)


def beyond(
    target: str,
    number: int,
    complete: Sequence[str],
    retired: Mapping[str, str],
    areas: Sequence[WorkArea],
) -> Iterator[OldRelease]:
    """Yield those of the complete releases that are not to be kept where `number` are; 0: all are.

    `retired` and withdrawn ones are not counted; of the latter those stay that are newer than the
    oldest of the latest `number`. Besides these stay: the one that the pointer names, those that
    are pinned, those that the pointer may be about to move to, and those that the builds of
    `areas` add to.
    """
    pointer = read_pointer(target)
    if not number or pointer is None:
        return
    there = [
        version
        for version in complete
        if version not in retired and version not in pointer.retiring
    ]
    latest = [version for version in there if version not in pointer.withdrawn][-number:]
    if len(latest) < number:
        return
    needed = {uri for area in areas for uri in area.releases()}
    for version in there[: there.index(latest[0])]:
        is_next = version_order(version) > version_order(pointer.version)
        if (
            version not in _kept(pointer)
            and release_uri(target, version) not in needed
            and not (is_next and version not in pointer.withdrawn)
        ):
            reason = f"retention: older than the latest {number} releases, and not pinned"
            yield OldRelease(target, version, reason)


def removed(old: OldRelease, conditions: Conditions, *, dry_run: bool) -> Retired | None:
    """Retire a release; return what that freed, None where it is to be kept by now."""
    if dry_run:
        files = data_files(old.uri)
        return Retired(old.version, old.reason, len(files), sum(info.size for info in files))
    try:
        return retire(old.target, old.version, old.reason, conditions)
    except PublishError as error:
        log.info("kept: %s", error)
        return None


def never_committed(
    target: str, before: datetime, complete: Set[str], areas: Sequence[WorkArea]
) -> Iterator[StagedFiles]:
    """Yield what was staged before a time, by the store's clock, and never became a release.

    `complete` are versions that did. The builds of `areas` may still commit theirs.
    """
    names = {area.name for area in areas}
    for version in claimed_versions(target):
        release = release_uri(target, version)
        claim = f"{release}/{CLAIM}"
        if version in complete or is_complete(target, version):
            continue
        found = listed(release)
        files = [info for info, _ in found if info.uri != claim]
        if not files or max(changed for _, changed in found) >= before:
            continue
        try:
            build = claimed_by(release)
        except StoreUnavailable:
            raise
        except StoreError as error:
            log.warning("kept: %s", error)
            continue
        if build and work_name(build) not in names:  # without a claim it is not a publisher's
            yield StagedFiles(
                version,
                release,
                [info.uri for info in files],
                sum(info.size for info in files),
                f"staged by build {build}, which never committed it",
            )


def remove_staged(target: str, staged: StagedFiles) -> bool:
    """Delete staged files; return False where they have become a release by now."""
    if is_complete(target, staged.version):
        return False
    delete_files(staged.paths, staged.uri)
    return True


class Ledger:
    """The ledger files of a target, and what names them."""

    def __init__(self, target: str, areas: Sequence[WorkArea], *, without: Set[str]) -> None:
        """Look at releases but for the versions `without`, and at the builds of `areas`."""
        self._target = target
        self._areas = areas
        self._seen = set(without)
        self._named: set[str] = set()

    def unnamed(self, before: datetime) -> list[ObjectInfo]:
        """Return the files of before a time, by the store's clock, that nothing names."""
        old = [info for info, time in listed(f"{self._target}/{LEDGER}") if time < before]
        if old:
            self._look()
        return [info for info in old if self._path(info) not in self._named]

    def remove(self, files: Sequence[ObjectInfo]) -> Iterator[ObjectInfo]:
        """Delete files, unless something names them by now; yield those that were deleted."""
        for start in range(0, len(files), DELETED_PER_LOOK):
            self._look()
            batch = [
                info
                for info in files[start : start + DELETED_PER_LOOK]
                if self._path(info) not in self._named
            ]
            delete_files([info.uri for info in batch], f"{self._target}/{LEDGER}")
            yield from batch

    def _look(self) -> None:
        """See what releases that were not seen yet name, and builds by now."""
        kept = _kept(read_pointer(self._target))
        for version in claimed_versions(self._target):
            if version in self._seen or not is_complete(self._target, version):
                continue
            release = release_uri(self._target, version)
            if version in kept or not read_tombstone(release):
                self._named |= {entry.path for entry in read_manifest(release).ledger}
            self._seen.add(version)
        for area in self._areas:
            self._named |= area.ledger()
            for release in area.releases():
                with suppress(ObjectNotFound):  # of a target that is gone
                    self._named |= {entry.path for entry in read_manifest(release).ledger}

    def _path(self, info: ObjectInfo) -> str:
        return info.uri.removeprefix(f"{self._target}/")


def _kept(pointer: Pointer | None) -> set[str]:
    """Return the versions that are not to be retired, by the pointer's word."""
    return {pointer.version, *pointer.pinned} if pointer else set()
