"""What every store promises: objects by URI, read whole or not at all, and its errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
        """Write the object where there is none; return None where there is one."""

    def replace(self, uri: str, data: bytes, etag: str) -> ObjectInfo | None:
        """Write the object over the version `etag`; return None where that is gone."""

    def upload(self, uri: str, path: Path) -> ObjectInfo:
        """Write the object from a local file, whatever was there."""

    def copy(self, source: str, uri: str) -> ObjectInfo:
        """Write the object as a copy of another one of this store, which does the copying."""

    def delete(self, uri: str) -> None:
        """Remove the object, if it is there."""
