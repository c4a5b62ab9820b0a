"""How far stored data may expand: beyond that it is a bomb, which is not read to its end.

Source code compresses to a fifth or a tenth of its size, and files that repeat each other to a
fiftieth. Deflate reaches 1,032 at most, Zstandard and Parquet 10,000 and more: a few megabytes
could keep a task busy for hours.
"""

from __future__ import annotations

MAX_RATIO = 100
"""Bytes that one stored byte may expand to, over all that was read of an object."""
FREE_BYTES = 64 << 20
"""Bytes that any object may expand to, however small it is."""


class Bomb(Exception):
    """An object expands to more than it may; the message says by how much."""


class Expansion:
    """What was read of an object, as it is stored and as it came out."""

    def __init__(self, stored: int = 0) -> None:
        self.stored = stored
        self.plain = 0

    def add(self, plain: int) -> None:
        """Count bytes that came out. Raises Bomb where they are too many."""
        self.plain += plain
        if self.plain > FREE_BYTES + MAX_RATIO * self.stored:
            raise Bomb(f"{self.stored:,} bytes expand to {self.plain:,} and more")
