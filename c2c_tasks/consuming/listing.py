"""The releases of a target, as its store has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from c2c_tasks.consuming.finding import FoundRelease
from c2c_tasks.consuming.parallel import NoMeter, Tick, in_parallel
from c2c_tasks.publishing.manifest import Manifest, read_manifest
from c2c_tasks.publishing.pointer import Pointer, read_pointer
from c2c_tasks.publishing.release import claimed_by, release_uri, version_order
from c2c_tasks.publishing.retired import read_tombstone
from c2c_tasks.publishing.versions import claimed_versions
from c2c_tasks.store import ObjectNotFound, StoreError, StoreUnavailable


@dataclass(frozen=True, slots=True)
class ListedRelease:
    """One line of a list of releases."""

    version: str
    uri: str
    states: list[str]
    """``latest``, ``pinned``, ``withdrawn``, ``retired``, ``incomplete`` (staged, without a
    manifest) and ``unreadable``, as they hold; empty for any other."""
    date: str | None = None
    """Logical date of the build, ``YYYY-MM-DD``; None, as what follows, where it is not known."""
    parent: str | None = None
    build: str | None = None
    programs: int | None = None
    samples: int | None = None
    bytes: int | None = None
    note: str = ""
    """Why it is retired or pinned, or cannot be read."""


def list_releases(target: str) -> list[ListedRelease]:
    """Return every release of a target, also those that are not complete, newest first."""
    pointer = read_pointer(target)

    def work(version: str, _: Tick) -> ListedRelease:
        return listed(target, version, pointer)

    found = in_parallel(work, claimed_versions(target), NoMeter())
    return sorted(found, key=lambda release: version_order(release.version), reverse=True)


def states_of(release: FoundRelease) -> list[str]:
    """Return what a release is in its target; of a copy nothing."""
    if release.target is None:
        return []
    return listed(release.target, release.manifest.version).states


def listed(
    target: str,
    version: str,
    pointer: Pointer | None = None,
    manifest_of: Callable[[str], Manifest] = read_manifest,
) -> ListedRelease:
    """Return one line of the list. The target's pointer is read where it is not given."""
    pointer = pointer or read_pointer(target)
    uri = release_uri(target, version)
    states: list[str] = []
    note = ""
    if pointer is not None:
        states += ["latest"] if version == pointer.version else []
        states += ["withdrawn"] if version in pointer.withdrawn else []
        if version in pointer.pinned:
            states.append("pinned")
            note = pointer.pinned[version]
    try:
        manifest = manifest_of(uri)
        tombstone = read_tombstone(uri)
    except ObjectNotFound:
        return _incomplete(version, uri, [*states, "incomplete"])
    except StoreUnavailable:
        raise
    except StoreError as error:
        return ListedRelease(version, uri, [*states, "unreadable"], note=str(error))
    if tombstone is not None:
        states.append("retired")
        note = tombstone.reason
    rows = {config: sum(of_split.values()) for config, of_split in manifest.splits.items()}
    programs = rows.pop("programs", 0)
    return ListedRelease(
        version=version,
        uri=uri,
        states=states,
        date=manifest.created_for,
        parent=manifest.parent,
        build=manifest.build_id,
        programs=programs,
        samples=sum(rows.values()),
        bytes=0 if tombstone else sum(entry.bytes for entry in manifest.files),
        note=note,
    )


def _incomplete(version: str, uri: str, states: list[str]) -> ListedRelease:
    try:
        return ListedRelease(version, uri, states, build=claimed_by(uri))
    except StoreUnavailable:
        raise
    except StoreError as error:
        return ListedRelease(version, uri, states, note=str(error))
