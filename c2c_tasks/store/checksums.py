"""SHA-256 of files, whole and in the parts that they are uploaded in."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from c2c_tasks.store.objects import StoreError

PART_SIZE = 8 << 20
"""Bytes that are sent, or fetched, in one request."""
MAX_PARTS = 10_000
"""S3's limit."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a file or of an object."""

    number: int
    """From 1."""
    offset: int
    size: int


def parts_of(size: int, part_size: int) -> list[Part]:
    """Return the parts of so many bytes: all of one size but the last; one if there are none."""
    least = -(-size // MAX_PARTS)
    part_size = -(-max(part_size, least) // part_size) * part_size
    return [
        Part(number, offset, min(part_size, size - offset))
        for number, offset in enumerate(range(0, max(size, 1), part_size), 1)
    ]


def read_part(path: Path, part: Part) -> bytearray:
    """Return a part of a file. Raises StoreError where the file has become shorter."""
    data = bytearray(part.size)
    with path.open("rb") as stream:
        read = os.preadv(stream.fileno(), [data], part.offset)
    if read != part.size:
        raise StoreError(f"{path}: changed while it was read")
    return data


def base64_sha256(data: bytes | bytearray) -> str:
    """Return the SHA-256 as S3's headers have it."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def composite(checksums: Sequence[str]) -> str:
    """Return S3's checksum of an object that was sent in parts: that of the parts' checksums."""
    return base64_sha256(b"".join(map(base64.b64decode, checksums)))


@dataclass(frozen=True, slots=True)
class StoredChecksum:
    """The SHA-256 that a server has stored with an object, in base64."""

    value: str
    parts: int
    """Of how many parts' checksums it is one; 0: it is of the content."""


def stored_checksum(answer: dict[str, Any]) -> StoredChecksum | None:
    """Return the SHA-256 in the answer to a request, if there is one."""
    value, _, suffix = str(answer.get("ChecksumSHA256", "")).partition("-")
    # The checksum's own count of parts is not told by all; the ETag's is.
    parts = suffix or answer["ETag"].strip('"').partition("-")[2]
    if not value or not (parts or "0").isdecimal():
        return None
    return StoredChecksum(value, int(parts or 0))
