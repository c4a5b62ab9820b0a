"""What a stored file really holds, read once from its beginning to its end."""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from c2c_tasks.consuming.parallel import Tick
from c2c_tasks.store import local_copy, store_for

PIECE = 1 << 20
TAIL = 8
"""Pieces that are kept of a file's end. There a Parquet file has its footer, which tells the rows;
one with a longer footer is read a second time."""
_MAGIC = b"PAR1"


@dataclass(frozen=True, slots=True)
class Content:
    """What there is to compare of a file."""

    bytes: int
    sha256: str
    rows: int | None
    """None where it is no whole Parquet file."""


def read_content(uri: str, tick: Tick) -> Content:
    """Read an object. Raises ObjectNotFound."""
    digest = hashlib.sha256()
    size = 0
    tail: deque[bytes] = deque(maxlen=TAIL)
    with store_for(uri).open(uri) as stream:
        while piece := stream.read(PIECE):
            digest.update(piece)
            size += len(piece)
            tail.append(piece)
            tick(len(piece))
    return Content(size, digest.hexdigest(), _rows(uri, b"".join(tail), size))


def _rows(uri: str, end: bytes, size: int) -> int | None:
    if not end.endswith(_MAGIC):
        return None
    footer = int.from_bytes(end[-8:-4], "little") + 8
    try:
        if len(end) < footer <= size:
            with local_copy(uri) as path:
                return int(pq.read_metadata(path).num_rows)
        return int(pq.read_metadata(pa.BufferReader(end[-footer:])).num_rows)
    except (pa.ArrowException, OSError):
        return None
