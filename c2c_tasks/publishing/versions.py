"""Which versions a target holds."""

from __future__ import annotations

from contextlib import suppress

from c2c_tasks.publishing.release import PublishError, is_published, release_uri, version_order
from c2c_tasks.store import store_for

RELEASES = "releases"


def claimed_versions(target: str) -> list[str]:
    """Return the versions that builds have claimed in a target, complete or not, oldest first."""
    versions = []
    for name in store_for(target).names(f"{target}/{RELEASES}"):
        with suppress(PublishError):  # somebody else's folder
            version_order(name.removesuffix("/"))
            versions.append(name.removesuffix("/"))
    return sorted(versions, key=version_order)


def complete_versions(target: str) -> list[str]:
    """Return the versions of the complete releases of a target, retired or not, oldest first."""
    return [version for version in claimed_versions(target) if is_complete(target, version)]


def is_complete(target: str, version: str) -> bool:
    """Tell whether a version has its manifest: with it, the release exists."""
    return is_published(release_uri(target, version))


def check_complete(target: str, version: str) -> None:
    """Raise PublishError where a version is unknown, or its release is not complete."""
    version_order(version)
    release = release_uri(target, version)
    if is_complete(target, version):
        return
    if next(store_for(release).names(release), None) is None:
        raise PublishError(f"{target}: has no release {version}")
    raise PublishError(f"{release}: has no manifest, so it is not published")
