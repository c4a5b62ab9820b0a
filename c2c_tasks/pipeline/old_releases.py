"""Releases that are not to be kept, and what of a target belongs to none."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from c2c_tasks.pipeline.build import work_name
from c2c_tasks.pipeline.work_areas import WorkArea, listed
from c2c_tasks.publishing.conditions import Conditions
from c2c_tasks.publishing.deleting import delete_files
from c2c_tasks.publishing.ledger import LEDGER
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.publishing.release import CLAIM, PublishError, release_uri, version_order
from c2c_tasks.publishing.retired import read_tombstone
from c2c_tasks.publishing.versions import claimed_versions, complete_versions, is_complete
from c2c_tasks.publishing.withdrawal import Retired, data_files, retire
from c2c_tasks.store import ObjectInfo, ObjectNotFound, read, store_for

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


def retired_releases(target: str) -> dict[str, str]:
    """Return the versions that have a tombstone, each with the reason."""
    found = {}
    for version in complete_versions(target):
        if tombstone := read_tombstone(release_uri(target, version)):
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
    target: str, number: int, retired: Mapping[str, str], areas: Sequence[WorkArea]
) -> Iterator[OldRelease]:
    """Yield the releases that are not to be kept where `number` are; 0: all are.

    `retired` are counted no more. Besides the latest ones these stay: the one that the pointer
    names, those that are pinned, those that the pointer may be about to move to, and those that
    the builds of `areas` add to.
    """
    pointer = read_pointer(target)
    if not number or pointer is None:
        return
    there = [
        version
        for version in complete_versions(target)
        if version not in retired and version not in pointer.retiring
    ]
    needed = {uri for area in areas for uri in area.releases()}
    for version in there[:-number]:
        is_next = version_order(version) > version_order(pointer.version)
        if (
            version != pointer.version
            and version not in pointer.pinned
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
    target: str, before: datetime, areas: Sequence[WorkArea]
) -> Iterator[StagedFiles]:
    """Yield what was staged before a time, by the store's clock, and never became a release.

    The builds of `areas` may still commit theirs.
    """
    names = {area.name for area in areas}
    for version in claimed_versions(target):
        release = release_uri(target, version)
        claim = f"{release}/{CLAIM}"
        if is_complete(target, version):
            continue
        found = listed(release)
        files = [info for info, _ in found if info.uri != claim]
        if not files or max(changed for _, changed in found) >= before:
            continue
        try:
            build = json.loads(read(claim))["build_id"]
        except ObjectNotFound:
            continue  # not a publisher's
        if work_name(build) not in names:
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

    def remove(self, info: ObjectInfo) -> bool:
        """Delete a file; return False where something names it by now."""
        self._look()
        if self._path(info) in self._named:
            return False
        store_for(info.uri).delete(info.uri)
        return True

    def _look(self) -> None:
        """See what releases that were not seen yet name, and builds by now."""
        for version in set(complete_versions(self._target)) - self._seen:
            release = release_uri(self._target, version)
            if not read_tombstone(release):
                self._named |= {entry.path for entry in read_manifest(release).ledger}
            self._seen.add(version)
        for area in self._areas:
            self._named |= area.ledger()
            for release in area.releases():
                with suppress(ObjectNotFound):  # of a target that is gone
                    self._named |= {entry.path for entry in read_manifest(release).ledger}

    def _path(self, info: ObjectInfo) -> str:
        return info.uri.removeprefix(f"{self._target}/")
