"""Objects as streams of plain bytes, decompressed on the way."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import zstandard

from c2c_tasks.sources.expansion import Expansion
from c2c_tasks.store import store_for

DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError)
"""What reading raises where the compressed data is truncated or wrong."""

_BUFFER = 1 << 18


@contextmanager
def open_plain(uri: str) -> Iterator[io.BufferedReader]:
    """Open an object for reading, decompressing ``.gz``, ``.tgz`` and ``.zst``.

    Reading raises one of `DAMAGED` at the place where the data is truncated or wrong, and Bomb
    where it expands to too much.
    """
    name = uri.lower()
    with store_for(uri).open(uri) as stored:
        raw: Any
        if name.endswith((".gz", ".tgz")):
            raw = _Bounded(lambda source: _GzipMembers(fileobj=source, mode="rb"), stored)
        elif name.endswith(".zst"):
            raw = _Bounded(ZstdFrames, stored)
        else:
            raw = _Stored(stored)
        with io.BufferedReader(raw, _BUFFER) as plain:
            yield plain


class _Stored(io.RawIOBase):
    """The content as it is stored.

    A response of S3 calls itself closed once it was read to its end, and a buffer then refuses
    to say that there is no more.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._source.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Counted:
    """A source of which is counted what was read."""

    def __init__(self, source: BinaryIO, expansion: Expansion) -> None:
        self._source = source
        self._expansion = expansion

    def read(self, size: int) -> bytes:
        data = self._source.read(size)
        self._expansion.stored += len(data)
        return data


class _Bounded(io.RawIOBase):
    """Decompressed content that ends with Bomb where it expands to too much."""

    def __init__(self, decompress: Callable[[Any], Any], source: BinaryIO) -> None:
        self._expansion = Expansion()
        self._plain = decompress(_Counted(source, self._expansion))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count: int = self._plain.readinto(buffer)
        self._expansion.add(count)
        return count


class _GzipMembers(gzip.GzipFile):
    """A gzip file that gives what it has decompressed before it raises.

    By itself it fills the buffer first, and damage takes along what is in there.
    """

    def readinto(self, buffer: Any) -> int:
        return self.readinto1(buffer)


class ZstdFrames(io.RawIOBase):
    """The content of a sequence of Zstandard frames.

    zstandard's own reader takes the end of a truncated frame for the end of the data; this
    one raises EOFError.
    """

    # A block of 4 bytes can stand for 128 KiB: this many bytes decompress to 32 MiB at most.
    _CHUNK = 1 << 10

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._unread = b""
        self._output = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, or a part of it; return the number of bytes, 0 at the end."""
        while not self._output:
            chunk = self._unread or self._source.read(self._CHUNK)
            self._unread = b""
            if not chunk:
                if self._frame is not None:
                    raise EOFError("the last Zstandard frame ends too early")
                return 0
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._output = memoryview(self._frame.decompress(chunk))
            if self._frame.eof:
                self._unread = self._frame.unused_data
                self._frame = None
        size = min(len(buffer), len(self._output))
        buffer[:size] = self._output[:size]
        self._output = self._output[size:]
        return size
