"""Taking releases back: the pointer to an older one, or the files of one for good."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from c2c_tasks.publishing.conditions import STORE, Conditions, write_or_read
from c2c_tasks.publishing.deleting import delete_files
from c2c_tasks.publishing.manifest import MANIFEST, read_manifest
from c2c_tasks.publishing.pins import check_not_retired
from c2c_tasks.publishing.pointer import Pointer, change_pointer, read_pointer
from c2c_tasks.publishing.release import (
    CLAIM,
    TOMBSTONE,
    PublishError,
    release_uri,
    version_order,
)
from c2c_tasks.publishing.retired import Tombstone, read_tombstone
from c2c_tasks.publishing.versions import check_complete, claimed_versions, is_complete
from c2c_tasks.store import ObjectInfo, store_for

STAYS = frozenset({MANIFEST, CLAIM, TOMBSTONE})
"""Files that a retired release keeps."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retired:
    """A release that was retired, and what that has freed."""

    version: str
    reason: str
    files: int
    bytes: int


def roll_back(target: str, version: str, conditions: Conditions = STORE) -> Pointer:
    """Point to an older release, and keep publishers from the newer ones; return the pointer.

    The versions between the two are withdrawn: their publishers, tried again, do not move the
    pointer there. One that was withdrawn may be gone back to, which is then its end. Raises
    PublishError where the release is unknown, incomplete, retired or about to be, or is newer
    than the pointer's and was not withdrawn.
    """
    check_complete(target, version)
    manifest = read_manifest(release_uri(target, version))
    tried: list[Pointer] = []

    def change(pointer: Pointer) -> Pointer:
        if pointer.version == version or (tried and _holds(pointer, tried[-1])):
            return pointer
        check_not_retired(target, version, pointer)
        if _newer(version, pointer.version) and version not in pointer.withdrawn:
            raise PublishError(
                f"{release_uri(target, version)}: newer than the latest release "
                f"({pointer.version}), and was not withdrawn; its build points to it, where it may"
            )
        tried.append(
            pointer.model_copy(
                update={
                    "version": version,
                    "uri": release_uri(target, version),
                    "generation": pointer.generation + 1,
                    "build_id": manifest.build_id,
                    "date": version.partition("-")[0].replace(".", "-"),
                    "withdrawn": _left(target, version, pointer),
                }
            )
        )
        return tried[-1]

    pointer = change_pointer(target, change, conditions)
    log.info("%s points to %s", target, pointer.version)
    return pointer


def retire(target: str, version: str, reason: str, conditions: Conditions = STORE) -> Retired:
    """Delete the files of a release for good, but manifest, claim and tombstone.

    One that was retired already, or is to be, keeps its first reason; what is left of its files
    is deleted. Raises PublishError where the release is unknown or incomplete, is the latest
    one, or is pinned.
    """
    check_complete(target, version)
    release = release_uri(target, version)
    tombstone = read_tombstone(release)
    if tombstone is None:
        pointer = change_pointer(
            target, lambda pointer: _with_mark(pointer, version, reason), conditions
        )
        tombstone = _bury(release, version, pointer.retiring[version], conditions)
    if current := read_pointer(target):
        check_retirable(current, version)  # the tombstone may be another hand's
        if version in current.retiring:
            change_pointer(target, lambda pointer: _without_mark(pointer, version), conditions)
    files = data_files(release)
    delete_files([info.uri for info in files], release)
    log.info("%s: retired: %s", release, tombstone.reason)
    return Retired(version, tombstone.reason, len(files), sum(info.size for info in files))


def check_retirable(pointer: Pointer, version: str) -> None:
    """Raise PublishError where the pointer says that a release is to be kept."""
    if pointer.version == version:
        raise PublishError(
            f"{pointer.uri}: is the latest release; roll back to another one before it is retired"
        )
    if version in pointer.pinned:
        why = f" ({pointer.pinned[version]})" if pointer.pinned[version] else ""
        raise PublishError(f"{version}: is pinned{why}; unpin it before it is retired")


def data_files(release: str) -> list[ObjectInfo]:
    """Return what retiring the release at a URI deletes.

    Answers and grades of its evaluations go, too: they hold text of its cases. Reports stay.
    What was exported of it for training, into ``exports/VERSION-DIGEST``, is its rows, and goes.
    """
    target, _, version = release.rpartition("/releases/")
    exports = f"{target}/exports"
    store = store_for(release)
    return [
        *(i for i in store.list(release) if i.uri.removeprefix(f"{release}/") not in STAYS),
        *(i for i in store.list(f"{target}/evaluations/{version}") if i.uri.endswith(".parquet")),
        *(i for i in store.list(exports) if i.uri.startswith(f"{exports}/{version}-")),
    ]


def _bury(release: str, version: str, reason: str, conditions: Conditions) -> Tombstone:
    """Write the tombstone of a release, unless there is one; return the one that is there."""
    tombstone = Tombstone(
        version=version,
        reason=reason,
        retired_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    text = f"{tombstone.model_dump_json(indent=1)}\n".encode()
    there = write_or_read(conditions, f"{release}/{TOMBSTONE}", text)
    return Tombstone.model_validate_json(there)


def _with_mark(pointer: Pointer, version: str, reason: str) -> Pointer:
    """Return the pointer with a release marked as one that is to be retired."""
    if version in pointer.retiring:
        return pointer
    check_retirable(pointer, version)
    withdrawn = pointer.withdrawn
    if _newer(version, pointer.version) and version not in withdrawn:
        withdrawn = [*withdrawn, version]  # its publisher may be about to point to it
    return pointer.model_copy(
        update={"retiring": pointer.retiring | {version: reason}, "withdrawn": withdrawn}
    )


def _without_mark(pointer: Pointer, version: str) -> Pointer:
    marks = {name: why for name, why in pointer.retiring.items() if name != version}
    return pointer.model_copy(update={"retiring": marks})


def _left(target: str, version: str, pointer: Pointer) -> list[str]:
    """Return the versions that are withdrawn once a pointer goes to `version`."""
    between = (
        name
        for name in claimed_versions(target)
        if _newer(name, version) and not _newer(name, pointer.version) and is_complete(target, name)
    )
    return sorted({*pointer.withdrawn, *between} - {version}, key=version_order)


def _holds(pointer: Pointer, tried: Pointer) -> bool:
    """Tell whether a pointer comes after one that was tried to be written, and which it followed.

    A pointer that another process moved in its place has not withdrawn what that one did.
    """
    return (
        pointer.generation >= tried.generation
        and tried.version not in pointer.withdrawn
        and set(tried.withdrawn) <= set(pointer.withdrawn)
    )


def _newer(version: str, other: str) -> bool:
    return version_order(version) > version_order(other)
