"""Objects as files, for one machine or a shared file system."""

from __future__ import annotations

import fcntl
import filecmp
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote_to_bytes, urlsplit

from c2c_tasks.store.objects import ObjectInfo, ObjectNotFound, StoreError


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
        return self._info(path, status) if path.is_file() else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        for folder, folders, names in os.walk(file_path(prefix)):
            folders.sort()
            for name in sorted(names):
                path = Path(folder, name)
                if name.startswith(".c2c-") or not path.is_file():
                    continue
                yield self._info(path, path.stat())

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
        lock_file = path.with_name(".c2c-lock")
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

    def upload(self, uri: str, path: Path) -> ObjectInfo:
        target = file_path(uri)
        # What is there already stays, with its time of change: so a second attempt at a shard
        # changes nothing for what was made of the first.
        if not (target.is_file() and filecmp.cmp(path, target, shallow=False)):
            with self._staged(uri, path) as (temporary, target):
                temporary.replace(target)
        return self._info(target, target.stat())

    def copy(self, source: str, uri: str) -> ObjectInfo:
        path = file_path(source)
        if not path.is_file():
            raise ObjectNotFound(f"{source}: no such object")
        return self.upload(uri, path)

    def delete(self, uri: str) -> None:
        file_path(uri).unlink(missing_ok=True)

    @staticmethod
    @contextmanager
    def _staged(uri: str, content: bytes | Path) -> Iterator[tuple[Path, Path]]:
        """Write `content` under a temporary name beside its place; remove what is left of it."""
        target = file_path(uri)
        temporary: Path | None = None
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".c2c-", dir=target.parent)
            temporary = Path(name)
            with os.fdopen(handle, "wb") as stream:
                if isinstance(content, Path):
                    with content.open("rb") as source:
                        shutil.copyfileobj(source, stream, 1 << 20)
                else:
                    stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(0o644)
            yield temporary, target
        except OSError as error:
            raise StoreError(f"{uri}: cannot be written: {error.strerror}") from None
        finally:
            if temporary is not None:
                temporary.unlink(missing_ok=True)

    @staticmethod
    def _info(path: Path, status: os.stat_result) -> ObjectInfo:
        etag = f"{status.st_size}-{status.st_mtime_ns}"
        return ObjectInfo(path.as_uri(), etag, status.st_size)
