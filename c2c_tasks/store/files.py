"""Objects as files, for one machine or a shared file system."""

from __future__ import annotations

import errno
import fcntl
import filecmp
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import unquote_to_bytes, urlsplit

from c2c_tasks.store.objects import (
    ObjectInfo,
    ObjectNotFound,
    StoreError,
    StoreUnavailable,
    Unfinished,
)

TEMPORARY = ".c2c-"
LOCK = f"{TEMPORARY}lock"
CHUNK = 1 << 20


def file_path(uri: str) -> Path:
    """Return the path of a ``file://`` URI."""
    return Path(os.fsdecode(unquote_to_bytes(urlsplit(uri).path)))


class FileStore:
    """Objects as files. Writes go to a temporary name and are renamed into place."""

    def head(self, uri: str) -> ObjectInfo | None:
        path = file_path(uri)
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"{uri}: cannot be looked at: {error.strerror}") from None
        return self._info(path, status) if stat.S_ISREG(status.st_mode) else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        for path in _files_below(prefix):
            if not path.name.startswith(TEMPORARY):
                with suppress(FileNotFoundError):  # removed since
                    status = path.stat()
                    if stat.S_ISREG(status.st_mode):
                        yield self._info(path, status)

    def names(self, folder: str) -> Iterator[str]:
        try:
            with os.scandir(file_path(folder)) as entries:
                yield from sorted(
                    f"{entry.name}/" if entry.is_dir() else entry.name
                    for entry in entries
                    if entry.is_dir() or entry.is_file()
                )
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise StoreError(f"{folder}: cannot be listed: {error.strerror}") from None

    def open(self, uri: str) -> BinaryIO:
        try:
            return file_path(uri).open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise ObjectNotFound(f"{uri}: no such object") from None
        except OSError as error:
            raise StoreError(f"{uri}: cannot be read: {error.strerror}") from None

    def read_range(self, uri: str, start: int, length: int) -> bytes:
        with self.open(uri) as stream:
            stream.seek(start)
            return stream.read(length)

    def write(self, uri: str, data: bytes) -> ObjectInfo:
        with self._staged(uri, data) as (temporary, path):
            temporary.replace(path)
        return self._info(path, path.stat())

    def create(self, uri: str, data: bytes) -> ObjectInfo | None:
        with self._staged(uri, data) as (temporary, path):
            try:
                os.link(temporary, path)
            except FileExistsError:
                return None
        return self._info(path, path.stat())

    def replace(self, uri: str, data: bytes, etag: str) -> ObjectInfo | None:
        path = file_path(uri)
        lock_file = path.with_name(LOCK)
        with self._staged(uri, data) as (temporary, _), lock_file.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            current = self.head(uri)
            if current is None or current.etag != etag:
                return None
            # Clocks tick slower than files are written: no two versions share a time of change.
            after = max(temporary.stat().st_mtime_ns, path.stat().st_mtime_ns + 1)
            os.utime(temporary, ns=(after, after))
            temporary.replace(path)
            return self._info(path, path.stat())

    def upload(self, uri: str, path: Path, *, sha256: str | None = None) -> ObjectInfo:
        target = file_path(uri)
        # What is there already stays, with its time of change: so a second attempt at a shard
        # changes nothing for what was made of the first.
        if not self.holds(uri, path):
            with self._staged(uri, path) as (temporary, target):
                if not filecmp.cmp(path, temporary, shallow=False):
                    raise StoreUnavailable(f"{uri}: the disk holds other bytes than were written")
                temporary.replace(target)
        return self._info(target, target.stat())

    def holds(self, uri: str, path: Path) -> bool:
        target = file_path(uri)
        with _reading(uri):
            return target.is_file() and filecmp.cmp(path, target, shallow=False)

    def sha256(self, uri: str) -> str:
        with self.open(uri) as stream, _reading(uri):
            return hashlib.file_digest(cast(BufferedReader, stream), "sha256").hexdigest()

    def download(
        self,
        uri: str,
        path: Path,
        *,
        sha256: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        digest = hashlib.sha256()
        with (
            self.open(uri) as stream,
            disk_errors(path),
            _temporary(path) as (temporary, written),
        ):
            while chunk := stream.read(CHUNK):
                written.write(chunk)
                digest.update(chunk)
                if progress:
                    progress(len(chunk))
            written.flush()
            if sha256 not in (None, digest.hexdigest()):
                raise StoreUnavailable(f"{uri}: has SHA-256 {digest.hexdigest()}, not {sha256}")
            temporary.replace(path)

    def copy(self, source: str, uri: str) -> ObjectInfo:
        path = file_path(source)
        if not path.is_file():
            raise ObjectNotFound(f"{source}: no such object")
        return self.upload(uri, path)

    def delete(self, uri: str) -> None:
        try:
            file_path(uri).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{uri}: cannot be deleted: {error.strerror}") from None

    def changed(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        for info in self.list(prefix):
            with suppress(FileNotFoundError):  # removed since
                yield info.uri, _time_of_change(file_path(info.uri))

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        for path in _files_below(prefix):
            if path.name.startswith(TEMPORARY) and path.name != LOCK:
                with suppress(FileNotFoundError):  # finished since
                    yield Unfinished(path.as_uri(), _time_of_change(path), "")

    def discard(self, unfinished: Unfinished) -> None:
        self.delete(unfinished.uri)

    @staticmethod
    @contextmanager
    def _staged(uri: str, content: bytes | Path) -> Iterator[tuple[Path, Path]]:
        """Write `content` under a temporary name beside its place; remove what is left of it."""
        target = file_path(uri)
        with disk_errors(uri), _temporary(target) as (temporary, stream):
            if isinstance(content, Path):
                with content.open("rb") as source:
                    shutil.copyfileobj(source, stream, CHUNK)
            else:
                stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            yield temporary, target

    @staticmethod
    def _info(path: Path, status: os.stat_result) -> ObjectInfo:
        etag = f"{status.st_size}-{status.st_mtime_ns}"
        return ObjectInfo(path.as_uri(), etag, status.st_size)


def _files_below(prefix: str) -> Iterator[Path]:
    """Yield what is below a folder and is none itself, in order.

    Raises StoreError where a folder cannot be listed: what it holds would pass for gone.
    """

    def failed(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):  # removed since
            raise StoreError(f"{error.filename}: cannot be listed: {error.strerror}")

    for folder, folders, names in os.walk(file_path(prefix), onerror=failed):
        folders.sort()
        for name in sorted(names):
            yield Path(folder, name)


def _time_of_change(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


@contextmanager
def disk_errors(what: str | Path) -> Iterator[None]:
    """Turn an error of a write to the disk into ours, naming what was to be written."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = "the disk is full; free space on it, then run it again"
        else:
            message = f"cannot be written: {error.strerror}"
        raise StoreError(f"{what}: {message}") from None


@contextmanager
def _reading(uri: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{uri}: cannot be read: {error.strerror}") from None


@contextmanager
def _temporary(target: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Give a new file beside the target, to be renamed to it; otherwise it is removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            temporary.chmod(0o644)
            yield temporary, stream
    finally:
        temporary.unlink(missing_ok=True)
