"""Answers on their way to the host, some at a time, in memory that no child gets a copy of.

On the way from a container to the host, every piece costs an engine more than its bytes do.
This module is the sandbox's: it imports the standard library, and of ours what the image holds.
"""

import mmap
import os
import time

from c2c_tasks.sandbox.frames import header, write_all

MAX_ANSWER_BYTES = 8 * 1024 * 1024
"""Most bytes that a child may answer, however many cases it has."""
READ_BYTES = 1 << 16
HELD_BYTES = 1 << 16
HELD_SECONDS = 0.02
"""How much is held back, and how long, while there are functions to be run."""


class Outbox:
    """Holds answers until they are sent."""

    def __init__(self, descriptor: int) -> None:
        memory = mmap.mmap(-1, HELD_BYTES + MAX_ANSWER_BYTES + READ_BYTES)
        memory.madvise(mmap.MADV_DONTFORK)
        self._view = memoryview(memory)
        self._descriptor = descriptor
        self._pieces: list[bytes | memoryview] = []
        self._end = 0
        self._since = 0.0

    def read(self, descriptor: int, position: int) -> int:
        """Read what comes next of an answer, at its position; return the number of bytes."""
        start = self._end + position
        return os.readv(descriptor, [self._view[start : start + READ_BYTES]])

    def add(self, head: bytes, size: int) -> None:
        """Take the answer whose bytes have been read, and `head` before them, for a payload."""
        answer = self._view[self._end : self._end + size]
        if not self._pieces:
            self._since = time.monotonic()
        self._pieces += [header(head, answer), head, answer]
        self._end += size

    def is_due(self) -> bool:
        """Return True when what is held should wait for no other answer."""
        late = self._pieces and time.monotonic() - self._since > HELD_SECONDS
        return bool(late) or self._end > HELD_BYTES

    def send(self) -> None:
        """Send all that is held."""
        if not self._pieces:
            return
        written = os.writev(self._descriptor, self._pieces)
        for piece in self._pieces:
            if written < len(piece):
                write_all(self._descriptor, memoryview(piece)[written:])
            written = max(0, written - len(piece))
        self._pieces.clear()
        self._end = 0
