"""Fetching a release, or a part of it, into a local folder.

A file has its name there once all of it has come and its SHA-256 is right, and the manifest is
written after all others: whatever ends a pull, what it leaves is no release, and the next one
goes on from it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from c2c_tasks.consuming.copies import (
    PARTIAL,
    Partial,
    check_held,
    files_of,
    part_of,
    parts_in,
    parts_of,
)
from c2c_tasks.consuming.finding import FoundRelease
from c2c_tasks.consuming.parallel import Meter, NoMeter, Tick, in_parallel
from c2c_tasks.publishing.manifest import MANIFEST, FileEntry, Manifest
from c2c_tasks.publishing.pointer import POINTER
from c2c_tasks.publishing.release import CLAIM, PublishError
from c2c_tasks.publishing.retired import read_tombstone
from c2c_tasks.publishing.versions import RELEASES
from c2c_tasks.store import ObjectNotFound, StoreError, file_path, read, sha256_of, store_for

UNDER_WAY = ".c2c-pull.json"
"""The manifest of a copy that is not complete, under a name that no reader takes for one."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """A copy of a release, and what it took to make it."""

    version: str
    folder: Path
    parts: list[str]
    """What the copy holds of the data, as ``sft/train``."""
    is_all: bool
    """Whether that is the whole release."""
    files: int
    """Files that were asked for, the manifest not counted."""
    fetched: int
    """Files of these that were not there yet."""
    bytes: int
    """Bytes of the files that were fetched."""


def pull(
    release: FoundRelease,
    folder: Path,
    *,
    configs: Sequence[str] = (),
    splits: Sequence[str] = (),
    meter: Meter | None = None,
) -> Pulled:
    """Copy a release into a folder; only these configs and splits of it, where some are named.

    What is there of it already is compared by its SHA-256 and not fetched again; other configs
    and splits that the folder holds stay in it. While what it held is repaired, it is no release.
    Raises PublishError where the folder holds something else, is part of what was published, or
    the release lacks what is asked for; StoreError where a file cannot be fetched or written.
    """
    manifest = release.manifest
    text = read(f"{release.uri}/{MANIFEST}")
    wanted = parts_of(manifest, configs, splits)
    check_held(release.uri, manifest, wanted)
    entries = files_of(manifest, wanted)
    place = folder.absolute().as_uri()
    meter = meter or NoMeter()
    _check_apart(folder, release)
    with _alone_in(folder):
        begun = _begin(folder, manifest.version, text)
        lacking = _lacking(entries, folder, meter)
        if not begun and _holds_any(parts_in(place, manifest), lacking):
            (folder / MANIFEST).rename(folder / UNDER_WAY)
            begun = True
        _fetch(release, lacking, folder, meter)
        _remove_remains(folder, manifest.files)
        parts = wanted | _parts_there(folder, manifest)
        is_all = parts == parts_of(manifest)
        store = store_for(place)
        if is_all:
            (folder / PARTIAL).unlink(missing_ok=True)
        else:
            store.write(f"{place}/{PARTIAL}", Partial(parts=tuple(sorted(parts))).to_json())
        if begun:
            store.write(f"{place}/{MANIFEST}", text)
        (folder / UNDER_WAY).unlink(missing_ok=True)
    return Pulled(
        version=manifest.version,
        folder=folder,
        parts=sorted(parts),
        is_all=is_all,
        files=len(entries),
        fetched=len(lacking),
        bytes=sum(entry.bytes for entry in lacking),
    )


def _check_apart(folder: Path, release: FoundRelease) -> None:
    """Raise PublishError where the folder is a file, or part of something that was published."""
    if folder.exists() and not folder.is_dir():
        raise PublishError(f"{folder}: is a file; pull into a folder")
    path = folder.resolve()
    for place in (path, *path.parents):
        if release.uri.startswith("file:") and place == file_path(release.uri).resolve():
            raise PublishError(f"{folder}: is in the release itself; pull into another folder")
        releases, target = place.parent, place.parent.parent
        if releases.name == RELEASES and (
            (target / POINTER).exists() or any(releases.glob(f"*/{CLAIM}"))
        ):
            raise PublishError(
                f"{folder}: is among the releases of {target}; pull into another folder"
            )


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Make the folder, and keep other pulls out of it meanwhile."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
        try:
            _lock(handle, folder)
            yield
        finally:
            os.close(handle)
    except OSError as error:
        raise StoreError(f"{error.filename or folder}: {error.strerror}") from None


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PublishError(f"{folder}: another pull into this folder is under way") from None
    except OSError:
        pass  # a file system without locks of folders: files come whole or not at all even so


def _begin(folder: Path, version: str, manifest: bytes) -> bool:
    """Mark the folder as one that a pull is under way in; False where it holds the release.

    Raises PublishError where it holds anything else.
    """
    for name in (MANIFEST, UNDER_WAY):
        path = folder / name
        if path.is_file():
            if path.read_bytes() != manifest:
                raise PublishError(
                    f"{folder}: holds another release, or a part of one; pull {version} into "
                    "a folder of its own"
                )
            return name != MANIFEST
    if any(folder.iterdir()):
        raise PublishError(
            f"{folder}: is not empty and holds no release; pull {version} into a folder of its own"
        )
    store_for(folder.absolute().as_uri()).write((folder / UNDER_WAY).absolute().as_uri(), manifest)
    return True


def _lacking(entries: Sequence[FileEntry], folder: Path, meter: Meter) -> list[FileEntry]:
    """Return the entries of the files that are not there, or not right."""
    meter.expect(sum(entry.bytes for entry in entries))

    def work(entry: FileEntry, tick: Tick) -> FileEntry | None:
        path = folder / entry.path
        if not (_has_size(path, entry) and sha256_of(path) == entry.sha256):
            return entry
        tick(entry.bytes)
        return None

    return [entry for entry in in_parallel(work, entries, meter) if entry is not None]


def _holds_any(parts: Set[str], entries: Iterable[FileEntry]) -> bool:
    """Tell whether a copy of these parts should hold any of these files."""
    return any(entry.split is None or part_of(entry) in parts for entry in entries)


def _parts_there(folder: Path, manifest: Manifest) -> frozenset[str]:
    """Return the parts whose files are all there: each came whole."""
    missing = {part_of(e) for e in manifest.files if not _has_size(folder / e.path, e)}
    return parts_of(manifest) - missing


def _fetch(release: FoundRelease, entries: Sequence[FileEntry], folder: Path, meter: Meter) -> None:
    # One that is damaged is counted, too: it stays until the right one has come.
    size = sum(entry.bytes for entry in entries)
    if size > (free := shutil.disk_usage(folder).free):
        raise StoreError(f"{folder}: {size:,} bytes are to be fetched, and {free:,} are free")

    def work(entry: FileEntry, tick: Tick) -> None:
        uri, path = f"{release.uri}/{entry.path}", folder / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        store_for(uri).download(uri, path, sha256=entry.sha256, progress=tick)

    try:
        for _ in in_parallel(work, entries, meter):
            pass
    except ObjectNotFound as error:
        if tombstone := read_tombstone(release.uri):
            raise PublishError(
                f"{release.uri}: was retired meanwhile, on {tombstone.retired_at}: "
                f"{tombstone.reason}"
            ) from None
        raise error


def _remove_remains(folder: Path, entries: Iterable[FileEntry]) -> None:
    """Remove what pulls that were ended have left of files, also of those not asked for now."""
    remains = [path.with_name(f"{path.name}.part") for path in (folder / e.path for e in entries)]
    for path in [*remains, *folder.rglob(".c2c-*")]:
        if path.name != UNDER_WAY:
            path.unlink(missing_ok=True)


def _has_size(path: Path, entry: FileEntry) -> bool:
    return path.is_file() and path.stat().st_size == entry.bytes
