"""Objects of S3 to files: in ranges, in parallel, taken up where another attempt stopped."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from c2c_tasks.store.checksums import Part, parts_of
from c2c_tasks.store.files import disk_errors
from c2c_tasks.store.objects import ObjectInfo, StoreUnavailable
from c2c_tasks.store.ranges import CHUNK, ObjectStream
from c2c_tasks.store.s3_connection import S3Connection

Progress = Callable[[int], None]


def download(
    s3: S3Connection,
    info: ObjectInfo,
    path: Path,
    *,
    sha256: str | None = None,
    progress: Progress | None = None,
) -> None:
    """Write a file from this version of an object; it is there when it is whole.

    Until then what has come is in ``NAME.part`` beside it, and is not fetched again by another
    attempt. Two attempts at one file follow each other.
    """
    partial = path.with_name(f"{path.name}.part")
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(partial) as handle:
            digest = _RunningDigest(handle, parts_of(info.size, s3.range_size))
            arrived = digest.arrived if sha256 else lambda _: None
            _fetch(s3, info, handle, progress or (lambda _: None), arrived)
            found = digest.hexdigest() if sha256 else None
            os.ftruncate(handle, info.size)
            if found == sha256:
                partial.replace(path)
                return
            partial.unlink()
    raise StoreUnavailable(
        f"{info.uri}: came with SHA-256 {found}, not {sha256}; fetch it again, and if it is the "
        "same again, the store holds other bytes"
    )


def _fetch(
    s3: S3Connection,
    info: ObjectInfo,
    handle: int,
    progress: Progress,
    arrived: Callable[[Part], None],
) -> None:
    """Fetch what the file does not have yet.

    Behind the content the file says of which version it is, and with one byte for each part
    whether that is there.
    """
    parts = parts_of(info.size, s3.range_size) if info.size else []
    head = json.dumps([info.uri, info.etag, info.size, s3.range_size]).encode()
    kept = os.pread(handle, len(head) + len(parts) + 1, info.size)
    if not (kept.startswith(head) and len(kept) == len(head) + len(parts)):
        os.ftruncate(handle, 0)
        kept = head + b"-" * len(parts)
        _write(handle, kept, info.size)
    flags = kept[len(head) :]

    def fetch(part: Part) -> None:
        position, stop = part.offset, part.offset + part.size
        with ObjectStream(s3, info.uri, position, stop, info.etag) as stream:
            while chunk := stream.read(CHUNK):
                _write(handle, chunk, position)
                position += len(chunk)
                progress(len(chunk))
        _write(handle, b"+", info.size + len(head) + part.number - 1)
        arrived(part)

    missing = []
    for part, flag in zip(parts, flags, strict=True):
        if flag == ord("+"):
            arrived(part)
        else:
            missing.append(part)
    progress(info.size - sum(part.size for part in missing))
    s3.in_parallel(fetch, missing)


def _write(handle: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written


class _RunningDigest:
    """The SHA-256 of a file that comes in parts: made of the first ones while others come."""

    def __init__(self, handle: int, parts: list[Part]) -> None:
        self._handle = handle
        self._parts = parts
        self._arrived: set[int] = set()
        self._digested = 0
        self._digest = hashlib.sha256()
        self._lock = threading.Lock()

    def arrived(self, part: Part) -> None:
        """Take up a part; digest what follows on what is digested, unless another thread does."""
        self._arrived.add(part.number)
        if self._lock.acquire(blocking=False):
            try:
                self._go_on()
            finally:
                self._lock.release()

    def hexdigest(self) -> str:
        """Return the digest, when all parts have arrived."""
        with self._lock:
            self._go_on()
        return self._digest.hexdigest()

    def _go_on(self) -> None:
        buffer = memoryview(bytearray(CHUNK))
        while self._digested + 1 in self._arrived:
            part = self._parts[self._digested]
            for offset in range(part.offset, part.offset + part.size, CHUNK):
                piece = buffer[: part.offset + part.size - offset]
                self._digest.update(piece[: os.preadv(self._handle, [piece], offset)])
            self._digested += 1


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Give a file, made if need be, to one at a time; the next may find it moved away."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                is_there = os.path.samestat(os.fstat(handle), path.stat())
            except FileNotFoundError:
                is_there = False
            if is_there:
                yield handle
                return
        finally:
            os.close(handle)
