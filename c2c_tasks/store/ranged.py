"""Objects as files that can be sought in: of Parquet files, columns are read alone."""

from __future__ import annotations

import io
from typing import BinaryIO, cast
from urllib.parse import urlsplit

from c2c_tasks.store import ObjectNotFound, store_for


def open_ranged(uri: str, size: int | None = None) -> BinaryIO:
    """Return an object as a file; each read of it is a request. Raises ObjectNotFound.

    `size` is the object's, in bytes: given, the store is not asked, and a read finds out
    whether the object is there.
    """
    if urlsplit(uri).scheme == "file":
        return store_for(uri).open(uri)
    if size is not None:
        return cast(BinaryIO, _RangedFile(uri, size))
    info = store_for(uri).head(uri)
    if info is None:
        raise ObjectNotFound(f"{uri}: no such object")
    return cast(BinaryIO, _RangedFile(uri, info.size))


class _RangedFile(io.RawIOBase):
    def __init__(self, uri: str, size: int) -> None:
        self._uri, self._size, self._place = uri, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readall(self) -> bytes:
        return self.read(max(0, self._size - self._place)) or b""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            return self.readall()
        size = min(size, self._size - self._place)
        if size <= 0:
            return b""
        data = store_for(self._uri).read_range(self._uri, self._place, size)
        self._place += len(data)
        return data
