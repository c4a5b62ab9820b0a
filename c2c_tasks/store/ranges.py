"""The bytes of an object, or of a part of it, over connections that may break."""

from __future__ import annotations

import io
import time
from typing import Any

from c2c_tasks.store.objects import StoreUnavailable
from c2c_tasks.store.s3_connection import S3Connection
from c2c_tasks.store.s3_errors import ConditionFailed, store_errors

TRIES = 6
"""Connections, one after the other, for what is read as one stream."""
CHUNK = 1 << 20


class ObjectStream(io.RawIOBase):
    """The bytes of one version of an object; a connection that breaks is followed by another.

    `stop` is where to end, in bytes from the object's start; `etag` is the version. Without
    them the whole of what is there is read. Raises ObjectNotFound, and StoreUnavailable where
    the object is another version than was meant or than the first bytes were of.
    """

    def __init__(
        self,
        s3: S3Connection,
        uri: str,
        start: int = 0,
        stop: int | None = None,
        etag: str | None = None,
    ) -> None:
        super().__init__()
        self._s3 = s3
        self._uri = uri
        self._position = start
        self._stop = stop
        self._etag = etag
        self._tries = TRIES
        self._body: Any = None  # which `close` finds where there is no object
        self._body = self._connect()

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read up to as many bytes as the buffer has; return how many, 0 at the end."""
        chunk = self.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def read(self, size: int = -1) -> bytes:
        """Return up to so many bytes, none at the end; all that is left where none is given."""
        if size < 0:
            return self.readall()
        while self._stop is None or self._position < self._stop:
            try:
                with store_errors(self._uri):
                    chunk: bytes = self._body.read(size)
                if not chunk and self._stop is not None:
                    raise StoreUnavailable(f"{self._uri}: ended before its end")
            except StoreUnavailable:
                self._tries -= 1
                if not self._tries:
                    raise
                self._body.close()
                time.sleep(0.1 * 2 ** (TRIES - self._tries - 1))
                self._body = self._connect()
                continue
            self._position += len(chunk)
            return chunk
        return b""

    def readall(self) -> bytes:
        """Return what is left."""
        chunks = []
        while chunk := self.read(CHUNK):
            chunks.append(chunk)
        return b"".join(chunks)

    def close(self) -> None:
        """Give the connection back."""
        if not self.closed and self._body is not None:
            self._body.close()
        super().close()

    def _connect(self) -> Any:
        """Ask for what is left, of the version that was begun."""
        asked: dict[str, str] = {}
        if self._position or self._stop is not None:
            last = "" if self._stop is None else self._stop - 1
            asked["Range"] = f"bytes={self._position}-{last}"
        if self._etag is not None:
            asked["IfMatch"] = self._etag
        try:
            answer = self._s3.call(self._uri, "get_object", **asked)
        except ConditionFailed:
            raise self._changed() from None
        etag = answer["ETag"].strip('"')
        # Not every server heeds If-Match.
        if self._etag not in (None, etag):
            raise self._changed()
        self._etag = etag
        if self._stop is None:
            self._stop = self._position + answer["ContentLength"]
        elif answer["ContentLength"] != self._stop - self._position:
            raise StoreUnavailable(f"{self._uri}: the store sent other bytes than were asked for")
        return answer["Body"]

    def _changed(self) -> StoreUnavailable:
        return StoreUnavailable(f"{self._uri}: changed while it was read; read it again")
