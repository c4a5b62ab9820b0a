"""Finding a release: by version, as the latest one, or by its place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from c2c_tasks.config import default_target
from c2c_tasks.consuming.copies import check_sound
from c2c_tasks.publishing.manifest import MANIFEST, Manifest, read_manifest
from c2c_tasks.publishing.pointer import POINTER, read_pointer
from c2c_tasks.publishing.release import CLAIM, PublishError, claimed_by, release_uri, version_order
from c2c_tasks.publishing.retired import Tombstone, read_tombstone
from c2c_tasks.publishing.versions import (
    RELEASES,
    claimed_versions,
    complete_versions,
    is_complete,
)
from c2c_tasks.store import file_path, normalise, store_for

LATEST = "latest"
NAMED = 5
"""Versions that an error names."""


@dataclass(frozen=True)
class FoundRelease:
    """A release whose manifest is there: it is complete, and what is read of it never changes."""

    uri: str
    target: str | None
    """The target that it lies in; None where it is a copy, which lies in none."""
    tombstone: Tombstone | None
    """When and why it was retired; None where its files are there."""

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest. Raises StoreError where it is none that this version can read, or it names
        what is no file of the release."""
        manifest = read_manifest(self.uri)
        check_sound(self.uri, manifest)
        return manifest

    @property
    def place(self) -> str:
        """Where it is, for people: a path, or a URI where it is not on this machine."""
        return str(file_path(self.uri)) if self.uri.startswith("file:") else self.uri


def find_release(name: str, target: str = "", *, or_retired: bool = False) -> FoundRelease:
    """Return the release of a name.

    `name` is a version, ``latest``, or the path or URI of a release, or of a target, whose latest
    one it then is. `target` is where a version and ``latest`` are looked up: a path or URI; empty
    for ``C2C_TARGET``. Raises PublishError where there is no such release, where it is staged and
    not complete, and, unless `or_retired`, where it was retired.
    """
    place = normalise(target) if target else default_target()
    if name == LATEST:
        found = _in_target(place, _latest(place))
    elif _is_version(name):
        found = _in_target(place, name)
    else:
        found = _at(normalise(name))
    if found.tombstone and not or_retired:
        raise PublishError(
            f"{found.uri}: retired on {found.tombstone.retired_at}: {found.tombstone.reason}"
        )
    return found


def _at(uri: str) -> FoundRelease:
    """Return the release at a URI, or the latest release of the target there."""
    if store_for(uri).head(f"{uri}/{MANIFEST}") is not None:
        # A copy may lie in a folder that is called as a target's; it has no claim.
        target = _target_around(uri) if store_for(uri).head(f"{uri}/{CLAIM}") else None
        return FoundRelease(uri, target, read_tombstone(uri))
    if store_for(uri).head(f"{uri}/{POINTER}") is not None:
        return _in_target(uri, _latest(uri))
    target = _target_around(uri)
    if target is not None:
        return _in_target(target, uri.rpartition("/")[2])  # which says what is there instead
    if claimed_versions(uri):
        return _in_target(uri, _latest(uri))
    raise PublishError(f"{uri}: nothing is published here; give a release, or a target of some")


def _target_around(release: str) -> str | None:
    folder, _, version = release.rpartition("/")
    target, _, name = folder.rpartition("/")
    return target if name == RELEASES and _is_version(version) else None


def _is_version(name: str) -> bool:
    try:
        version_order(name)
    except PublishError:
        return False
    return True


def _in_target(target: str, version: str) -> FoundRelease:
    release = release_uri(target, version)
    if is_complete(target, version):
        # Where a copied target is read, the pointer's own URI is where it was copied from.
        return FoundRelease(release, target, read_tombstone(release))
    build = claimed_by(release)
    if build is None:
        raise PublishError(f"{target}: has no release {version}; {_there_are(target)}")
    raise PublishError(
        f"{release}: staged by build {build} and not complete: it has no manifest, so it is not "
        f"published; {_there_are(target)}"
    )


def _latest(target: str) -> str:
    pointer = read_pointer(target)
    if pointer is None:
        raise PublishError(f"{target}: nothing is published here; {_there_are(target)}")
    return pointer.version


def _there_are(target: str) -> str:
    """Return what a person could have meant."""
    complete = complete_versions(target)[::-1]
    if not complete:
        return "there is no release in it (another target is named by --target or C2C_TARGET)"
    more = f" and {len(complete) - NAMED} more" if len(complete) > NAMED else ""
    return f"it has {', '.join(complete[:NAMED])}{more}"
