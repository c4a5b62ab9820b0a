"""The releases of a target, in pages, and one of them opened."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from c2c_tasks.browsing.caching import Recent
from c2c_tasks.browsing.redaction import redacted
from c2c_tasks.browsing.refusals import InvalidRequest, NothingThere, check_page
from c2c_tasks.browsing.targets import known_target
from c2c_tasks.consuming.finding import FoundRelease, find_release
from c2c_tasks.consuming.listing import listed
from c2c_tasks.consuming.parallel import NoMeter, Tick, in_parallel
from c2c_tasks.publishing.manifest import MANIFEST, Manifest
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.publishing.release import PublishError, release_uri, version_order
from c2c_tasks.publishing.retired import read_tombstone
from c2c_tasks.publishing.versions import claimed_versions
from c2c_tasks.store import ObjectNotFound, store_for

_MANIFESTS: Recent[tuple[str, str], Manifest] = Recent(64)
"""By URI of the release and ETag: a target that was deleted may have been made anew."""


def list_releases(target: str | None, page: int, page_size: int) -> dict[str, Any]:
    """Return a page of the releases of a target, newest first, also those that are incomplete."""
    check_page(page, page_size)
    place = known_target(target)
    versions = claimed_versions(place)[::-1]
    shown = versions[(page - 1) * page_size :][:page_size]
    pointer = read_pointer(place) if shown else None

    def work(version: str, _: Tick) -> dict[str, Any]:
        return asdict(listed(place, version, pointer, manifest_of=read_once))

    found = list(in_parallel(work, shown, NoMeter()))
    found.sort(key=lambda release: version_order(release["version"]), reverse=True)
    return {
        "items": redacted(found),
        "total": len(versions),
        "page": page,
        "page_size": page_size,
    }


def open_release(target: str | None, version: str) -> FoundRelease:
    """Return a release, its manifest read.

    Raises InvalidRequest where `version` is none, NothingThere where there is no such release
    or it is not complete, StoreError where its manifest cannot be read.
    """
    try:
        version_order(version)
    except PublishError as error:
        raise InvalidRequest(str(error)) from None
    place = known_target(target)
    uri = release_uri(place, version)
    try:
        manifest = read_once(uri)
        found = FoundRelease(uri, place, read_tombstone(uri))
    except ObjectNotFound:
        try:
            found = find_release(version, place, or_retired=True)
        except PublishError as error:
            raise NothingThere(str(error)) from None
        manifest = read_once(uri)
    # `manifest` is a cached property: what is given here is not read again.
    found.__dict__["manifest"] = manifest
    return found


def open_kept_release(target: str | None, version: str) -> FoundRelease:
    """Return a release whose files are there. Raises NothingThere where it was retired, too."""
    found = open_release(target, version)
    if found.tombstone:
        raise NothingThere(
            f"{version}: retired on {found.tombstone.retired_at}: {found.tombstone.reason}"
        )
    return found


def read_once(release: str) -> Manifest:
    """Return the manifest of the release at a URI, from memory where it was read before.

    Raises ObjectNotFound where there is none, StoreError where it cannot be read.
    """
    uri = f"{release}/{MANIFEST}"
    info = store_for(uri).head(uri)
    if info is None:
        raise ObjectNotFound(f"{uri}: no such object")
    return _MANIFESTS.get((release, info.etag), lambda: FoundRelease(release, None, None).manifest)
