"""What packing rows into sequences of one length comes to.

Best-fit decreasing, as TRL's strategy `bfd` (Ding et al., "Fewer Truncations Improve Language
Modeling", arXiv 2404.10830): the longest row first, each into the fullest sequence that has room.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Packing:
    """Sequences of one length that rows were packed into."""

    sequence_tokens: int
    """Length of a sequence."""
    sequences: int
    truncated_rows: int
    """Rows longer than a sequence: what is over is cut off."""
    truncated_tokens: int
    packed_share: float
    """Share of the sequences' tokens that are of rows."""
    padded_share: float
    """The same where each row is padded to a sequence of its own."""


def pack(lengths: Iterable[int], sequence_tokens: int) -> Packing:
    """Return what packing rows of these lengths comes to."""
    rows: Counter[int] = Counter()
    truncated = lost = 0
    for length in lengths:
        if length > sequence_tokens:
            truncated += 1
            lost += length - sequence_tokens
        rows[min(length, sequence_tokens)] += 1
    rooms: Counter[int] = Counter()
    sizes: list[int] = []  # of the rooms, in order
    sequences = 0
    for length in sorted(rows, reverse=True):
        for _ in range(rows[length]):
            position = bisect_left(sizes, length)
            if position < len(sizes):
                room = sizes[position]
                rooms[room] -= 1
                if not rooms[room]:
                    del sizes[position]
            else:
                room = sequence_tokens
                sequences += 1
            if left := room - length:
                if not rooms[left]:
                    insort(sizes, left)
                rooms[left] += 1
    kept = sum(length * count for length, count in rows.items())
    held = sequence_tokens * sequences
    padded = sequence_tokens * rows.total()
    return Packing(
        sequence_tokens,
        sequences,
        truncated,
        lost,
        round(kept / held, 4) if held else 0.0,
        round(kept / padded, 4) if padded else 0.0,
    )
