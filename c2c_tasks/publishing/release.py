"""The publish protocol: claim a version, stage its files, commit it with the manifest.

Nothing here depends on the clock or on memory of an earlier attempt: every step may be
repeated, at any point, by the same build, and finds what it did before. Where the outcome of
a write is unknown (a timeout, a lost response), the store is read before anything else is
done, and nothing is cleaned up.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date as Date
from itertools import count
from pathlib import Path

import pyarrow.parquet as pq

from c2c_tasks.publishing.conditions import STORE, Conditions, write_or_read
from c2c_tasks.publishing.manifest import MANIFEST, FileEntry, Manifest, read_manifest
from c2c_tasks.store import (
    ObjectNotFound,
    StoreError,
    StoreUnavailable,
    local_copy,
    read,
    sha256_of,
    store_for,
)

CLAIM = "claim.json"
TOMBSTONE = "retired.json"
"""Stands in a release whose files were removed. Its version is never used again."""
UPLOADS = 8
"""Files that are uploaded and read back at a time."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Copy:
    """A file of another release that is to be copied, by the store, into this one."""

    source: str
    """URI of the file."""
    entry: FileEntry
    """Its entry in this release."""


class PublishError(Exception):
    """A release cannot be published or found; the message says why and what to do."""


def release_uri(target: str, version: str) -> str:
    """Return the URI of a release's folder."""
    return f"{target}/releases/{version}"


def is_published(release: str) -> bool:
    """Tell whether a release has its manifest: with it, it exists."""
    return store_for(release).head(f"{release}/{MANIFEST}") is not None


def version_order(version: str) -> tuple[int, ...]:
    """Return what versions are ordered by: date, then counter."""
    if not re.fullmatch(r"\d{4}\.\d\d\.\d\d-[1-9]\d*", version):
        raise PublishError(f"{version!r}: not a version; they look like 2026.11.24-1")
    return tuple(map(int, re.split(r"[.-]", version)))


def claim_version(target: str, date: str, build_id: str, conditions: Conditions = STORE) -> str:
    """Return the version of a build's release, claiming it where the build has none yet.

    `date` is the logical date, ``YYYY-MM-DD``; the version is it and a counter, ``2026.11.24-1``.
    A retry of the same build finds its own claim; no two builds get the same version.
    """
    try:
        day = Date.fromisoformat(date)
    except ValueError:
        raise PublishError(f"{date!r}: not a date; write it as 2026-11-24") from None
    claim = json.dumps({"build_id": build_id, "date": day.isoformat()}, indent=1).encode()
    for number in count(1):
        version = f"{day:%Y.%m.%d}-{number}"
        uri = f"{release_uri(target, version)}/{CLAIM}"
        if write_or_read(conditions, uri, claim) == claim:
            return version
    raise AssertionError("unreachable")


def claimed_by(release: str) -> str | None:
    """Return the id of the build that claimed a release's version; None where none has.

    Raises StoreError where what is there is no claim.
    """
    uri = f"{release}/{CLAIM}"
    try:
        owner = json.loads(read(uri))["build_id"]
    except ObjectNotFound:
        return None
    except (ValueError, KeyError, TypeError):
        owner = None
    if not isinstance(owner, str):
        raise StoreError(f"{uri}: not a claim of a build; remove what was put there")
    return owner


def published_version(target: str, date: str, build_id: str) -> str | None:
    """Return the version that a build has published for a date, or None."""
    for number in count(1):
        version = f"{Date.fromisoformat(date):%Y.%m.%d}-{number}"
        release = release_uri(target, version)
        owner = claimed_by(release)
        if owner is None:
            return None
        if owner == build_id and is_published(release):
            return version
    raise AssertionError("unreachable")


def stage_release(
    target: str, version: str, folder: Path, copies: Sequence[Copy] = ()
) -> list[FileEntry]:
    """Upload a local folder's files, and make copies, below a claimed version.

    Returns the entries of all of them, in order of path. Files that are there already are not
    sent again; what is there afterwards is verified, by SHA-256. May be called for several folders
    of one release. Raises PublishError where the release is published already and holds other
    files.
    """
    release = release_uri(target, version)
    store = store_for(release)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())

    def must_not_change(uri: str) -> PublishError:
        return PublishError(
            f"{uri}: the release is published, and a published release never changes; "
            "start a new build"
        )

    def stage(path: Path) -> FileEntry:
        entry = describe_file(path, path.relative_to(folder).as_posix())
        uri = f"{release}/{entry.path}"
        # Asked before each write: another attempt of the build may publish meanwhile.
        if not is_published(release):
            store.upload(uri, path, sha256=entry.sha256)
        elif not store.holds(uri, path):
            raise must_not_change(uri)
        return entry

    def copy(item: Copy) -> FileEntry:
        uri = f"{release}/{item.entry.path}"
        if not _holds(uri, item.entry):
            if is_published(release):
                raise must_not_change(uri)
            store.copy(item.source, uri)
            if not _holds(uri, item.entry):
                if not _holds(item.source, item.entry):
                    raise _damaged(item.source)
                raise StoreUnavailable(f"{uri}: the store's copy of {item.source} is not right")
        return item.entry

    with ThreadPoolExecutor(UPLOADS, "stage") as pool:
        entries = [*pool.map(stage, paths), *pool.map(copy, copies)]
    return sorted(entries, key=lambda entry: entry.path)


def commit_release(target: str, manifest: Manifest, conditions: Conditions = STORE) -> str:
    """Make a staged release exist, by writing its manifest; return its URI.

    A retry with the same manifest does nothing. Raises PublishError where a file is missing,
    or where the version is another build's, was published with another manifest or was retired.
    """
    release = release_uri(target, manifest.version)
    text = manifest.to_json()
    if store_for(release).head(f"{release}/{TOMBSTONE}"):
        raise PublishError(
            f"{release}: was retired, and a version is never used again: start a new build"
        )
    if not is_published(release):
        _check_claim(release, manifest.build_id)
        _check_ledger(target, manifest.ledger)
        _tidy(release, manifest.files)
    if write_or_read(conditions, f"{release}/{MANIFEST}", text) != text:
        other = read_manifest(release)
        different = [
            name
            for name in Manifest.model_fields
            if getattr(other, name) != getattr(manifest, name)
        ]
        raise PublishError(
            f"{release}: published already with another manifest ({', '.join(different)} differ); "
            "a published release never changes: start a new build"
        )
    log.info("published %s", release)
    return release


@contextmanager
def published_file(uri: str, entry: FileEntry) -> Iterator[Path]:
    """Give a local path to a file of a published release, or of a ledger, compared with its entry.

    Raises PublishError where it is damaged: what is made of it would pass for sound.
    """
    with local_copy(uri) as path:
        if sha256_of(path) != entry.sha256:
            raise _damaged(uri)
        yield path


def _damaged(uri: str) -> PublishError:
    return PublishError(
        f"{uri}: damaged: it is not what the manifest of its release says; put it back from a "
        "copy, or roll back to a release that `c2c release verify` finds sound"
    )


def describe_file(path: Path, name: str) -> FileEntry:
    """Return a local file's entry under the path that it has in the release."""
    rows = pq.read_metadata(path).num_rows if path.suffix == ".parquet" else None
    return FileEntry(path=name, bytes=path.stat().st_size, rows=rows, sha256=sha256_of(path))


def _holds(uri: str, entry: FileEntry) -> bool:
    """Return whether the stored object is the file of the entry, byte for byte."""
    info = store_for(uri).head(uri)
    return (
        info is not None and info.size == entry.bytes and store_for(uri).sha256(uri) == entry.sha256
    )


def _check_claim(release: str, build_id: str) -> None:
    owner = claimed_by(release)
    if owner is None:
        raise PublishError(f"{release}: the version was not claimed before publishing")
    if owner != build_id:
        raise PublishError(f"{release}: claimed by build {owner}, not {build_id}")


def _check_ledger(target: str, entries: Sequence[FileEntry]) -> None:
    """Check that the files of the ledger are there: maintenance removes those nobody names."""

    def check(entry: FileEntry) -> None:
        info = store_for(target).head(f"{target}/{entry.path}")
        if info is None or info.size != entry.bytes:
            raise PublishError(
                f"{target}/{entry.path}: missing or incomplete, so this build cannot be "
                "published; start a new build"
            )

    with ThreadPoolExecutor(UPLOADS, "ledger") as pool:
        list(pool.map(check, entries))


def _tidy(release: str, files: Sequence[FileEntry]) -> None:
    """Check that every file of the manifest is there; remove what it does not name.

    Strays are the staged files of an attempt that was cut otherwise. A reader of the whole
    folder would take them for rows of the release.
    """
    store = store_for(release)
    staged = {info.uri.removeprefix(f"{release}/"): info.size for info in store.list(release)}
    for entry in files:
        if staged.pop(entry.path, None) != entry.bytes:
            raise PublishError(f"{release}/{entry.path}: missing or incomplete; start a new build")
    for stray in staged.keys() - {CLAIM, MANIFEST}:
        if is_published(release):
            return  # by another attempt of the build, whose file it may be
        log.warning("%s/%s: left by an earlier attempt; removed", release, stray)
        store.delete(f"{release}/{stray}")
