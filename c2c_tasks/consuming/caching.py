"""Files of releases on this machine: those of a local target in place, others in a cache.

The cache holds files under their SHA-256, so releases that have files in common share them.
"""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from c2c_tasks.config import cache_folder
from c2c_tasks.consuming.parallel import Tick
from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.store import StoreError, file_path, sha256_of, store_for


def local_file(
    folder: str,
    entry: FileEntry,
    tick: Tick | None = None,
    *,
    trusted: bool = False,
    cache: Path | None = None,
) -> Path:
    """Return a local path of a file of the release (or target) at a URI, its SHA-256 checked.

    It is fetched into the cache (or into the folder `cache`) unless it is local, or there and
    right. Of one that is `trusted` the size alone is looked at. Raises StoreError where the file
    cannot be had, or is not what its entry says.
    """
    uri = f"{folder}/{entry.path}"
    if uri.startswith("file:"):
        return _in_place(uri, entry, trusted)
    path = _cached(entry, cache)
    with cache_errors():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two processes that want it fetch it once
            if not _is_right(path, entry, trusted):
                store_for(uri).download(uri, path, sha256=entry.sha256, progress=tick)
    return path


@contextmanager
def passing_file(folder: str, entry: FileEntry) -> Iterator[Path]:
    """Give what `local_file` returns; what is neither local nor in the cache, for now alone."""
    uri = f"{folder}/{entry.path}"
    if uri.startswith("file:"):
        yield _in_place(uri, entry)
    elif _is_right(path := _cached(entry), entry):
        yield path
    else:
        with tempfile.TemporaryDirectory(prefix="c2c-") as name:
            path = Path(name, "file.parquet")
            store_for(uri).download(uri, path, sha256=entry.sha256)
            yield path


@contextmanager
def cache_errors() -> Iterator[None]:
    """Turn an error of the disk that the cache is on into a StoreError."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{error.filename or cache_folder()}: {error.strerror or error}; "
            "C2C_CACHE names another folder"
        ) from None


def _cached(entry: FileEntry, cache: Path | None = None) -> Path:
    return (cache or cache_folder()) / "files" / f"{entry.sha256}.parquet"


def _is_right(path: Path, entry: FileEntry, trusted: bool = False) -> bool:
    return (
        path.is_file()
        and path.stat().st_size == entry.bytes
        and (trusted or sha256_of(path) == entry.sha256)
    )


def _in_place(uri: str, entry: FileEntry, trusted: bool = False) -> Path:
    path = file_path(uri)
    if not path.is_file():
        raise StoreError(f"{uri}: missing")
    if not _is_right(path, entry, trusted):
        raise StoreError(f"{uri}: is not the file that the manifest names; it is damaged")
    return path
