"""What a loaded release says of itself, so that years later it is known which one it was."""

from __future__ import annotations

import hashlib

from c2c_tasks.consuming.finding import FoundRelease
from c2c_tasks.publishing.citation import PAPER, citation
from c2c_tasks.publishing.manifest import MANIFEST
from c2c_tasks.store import read


def digest_of(release: FoundRelease) -> str:
    """Return the SHA-256 of the manifest: with it, every byte of the release is said."""
    return hashlib.sha256(read(f"{release.uri}/{MANIFEST}")).hexdigest()


def cite(release: FoundRelease) -> str:
    """Return the entries of the release and of the method for BibTeX."""
    return f"{citation(release.manifest, digest_of(release))}\n\n{PAPER}\n"


def describe(release: FoundRelease) -> str:
    """Return in a line what a release is and where it was read."""
    manifest = release.manifest
    return (
        f"{manifest.dataset_name}, release {manifest.version}, of {release.place}; "
        f"SHA-256 of its manifest {digest_of(release)}"
    )
