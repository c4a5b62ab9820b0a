"""What every store promises: objects by URI, read whole or not at all, and its errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol


class StoreError(Exception):
    """An object cannot be read or written; the message names it and says what to do."""


class ObjectNotFound(StoreError):
    """There is no object at the URI."""


class StoreUnavailable(StoreError):
    """The store does not answer, or is too busy: trying again later may help."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a listing tells of an object."""

    uri: str
    etag: str
    """Changes when the content does: S3's ETag; of a file its size and time of change."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A write that was begun and is not done: of a running process, or left by a dead one."""

    uri: str
    """The object that was to be written; of a file its temporary name."""
    started: datetime
    """When it was begun, or last got data, in UTC by the store's clock."""
    token: str
    """Tells it from other writes of the object: S3's upload id."""


class Store(Protocol):
    """One kind of object store. URIs are whole: scheme, place and path."""

    def head(self, uri: str) -> ObjectInfo | None:
        """Return what is known of the object, or None where there is none."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield every object below the prefix (a folder), in order of URI."""

    def names(self, folder: str) -> Iterator[str]:
        """Yield the names right below a folder, in order; those of folders end with a slash."""

    def open(self, uri: str) -> BinaryIO:
        """Return the object's bytes as a stream. Raises ObjectNotFound."""

    def read_range(self, uri: str, start: int, length: int) -> bytes:
        """Return so many of the object's bytes, all of which it has. Raises ObjectNotFound."""

    def write(self, uri: str, data: bytes) -> ObjectInfo:
        """Write the object, whatever was there."""

    def create(self, uri: str, data: bytes) -> ObjectInfo | None:
        """Write the object where there is none; return None where there is one.

        That one may be one's own: written by a request whose answer was lost, and which was
        sent again. Who must know reads it.
        """

    def replace(self, uri: str, data: bytes, etag: str) -> ObjectInfo | None:
        """Write the object over the version `etag`; return None where that is gone.

        As of `create`, what took its place may be one's own write.
        """

    def upload(self, uri: str, path: Path, *, sha256: str | None = None) -> ObjectInfo:
        """Write the object from a local file, whatever was there.

        `sha256` is the file's, in hexadecimal: given, a store need not make it once more.
        Nothing is sent where it is that file already. Afterwards it is: the stored checksum is
        compared where the store verifies what it is given, otherwise the stored bytes. Raises
        StoreUnavailable where they are others.
        """

    def holds(self, uri: str, path: Path) -> bool:
        """Tell whether the object is the local file, byte for byte, as `upload` does."""

    def sha256(self, uri: str) -> str:
        """Return the object's SHA-256, in hexadecimal. Raises ObjectNotFound.

        The stored one where the store has verified it, otherwise that of the stored bytes.
        """

    def download(
        self,
        uri: str,
        path: Path,
        *,
        sha256: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Write a local file from the object; the file is there when it is whole.

        What an attempt that was cut has fetched is not fetched again. `progress` is told how
        many bytes have come, piece by piece and from several threads. Raises ObjectNotFound,
        and StoreUnavailable where the file has not the SHA-256 that was given.
        """

    def copy(self, source: str, uri: str) -> ObjectInfo:
        """Write the object as a copy of another one of this store, which does the copying.

        Raises ObjectNotFound. That the copy has the same bytes is for `sha256` to tell.
        """

    def delete(self, uri: str) -> None:
        """Remove the object, if it is there."""

    def changed(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """Yield every object below the prefix with its time of change, in UTC by its clock."""

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        """Yield the writes below the prefix that are not done."""

    def discard(self, unfinished: Unfinished) -> None:
        """Give up a write that is not done, if it still is not, and free what it holds."""
