"""Frames: how messages lie in a byte stream.

A frame is the payload's length and CRC-32, four bytes each with the highest first, then
the payload. This module is the sandbox's and the host's: it imports the standard library
alone.
"""

import os
import struct
import zlib
from collections.abc import Iterator

HEADER = struct.Struct(">II")
MAX_PAYLOAD = 64 * 1024 * 1024
"""Bytes of a payload. A header that claims more is refused before anything is read."""


class FrameError(ValueError):
    """The bytes are not a frame; the message says why."""


def encode(payload: bytes) -> bytes:
    """Return the frame of a payload. Raises FrameError over `MAX_PAYLOAD`."""
    if len(payload) > MAX_PAYLOAD:
        raise FrameError(f"payload of {len(payload)} bytes is over the limit")
    return header(payload) + payload


def header(*parts: bytes | memoryview) -> bytes:
    """Return what stands before a payload that is in parts."""
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    return HEADER.pack(sum(map(len, parts)), checksum)


class Decoder:
    """Cuts a stream, given in pieces of any size, into payloads."""

    def __init__(self, max_payload: int = MAX_PAYLOAD) -> None:
        self._buffer = bytearray()
        self._max_payload = max_payload

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take more bytes and yield the payloads that they complete.

        Raises FrameError for a length over the limit and for a wrong checksum.
        """
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            length, checksum = HEADER.unpack_from(self._buffer)
            if length > self._max_payload:
                raise FrameError(f"a frame claims {length} bytes")
            end = HEADER.size + length
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[HEADER.size : end])
            del self._buffer[:end]
            _check(payload, checksum)
            yield payload


def read_frame(descriptor: int) -> bytes | None:
    """Read one payload and not a byte more; return None at the end of the stream."""
    header = _read_exactly(descriptor, HEADER.size)
    if header is None:
        return None
    length, checksum = HEADER.unpack(header)
    if length > MAX_PAYLOAD:
        raise FrameError(f"a frame claims {length} bytes")
    payload = _read_exactly(descriptor, length)
    if payload is None:
        raise FrameError("the stream ends inside a frame")
    _check(payload, checksum)
    return payload


def write_frame(descriptor: int, payload: bytes) -> None:
    """Write the frame of a payload, whole."""
    write_all(descriptor, encode(payload))


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all the bytes, in as many system calls as that takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _check(payload: bytes, checksum: int) -> None:
    if zlib.crc32(payload) != checksum:
        raise FrameError("a frame's checksum is wrong")


def _read_exactly(descriptor: int, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        piece = os.read(descriptor, min(size - len(data), 1 << 20))
        if not piece:
            if data:
                raise FrameError("the stream ends inside a frame")
            return None
        data += piece
    return bytes(data)
