"""Histograms of lengths: small enough to be kept for each data file, and added up exactly."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

BINS_PER_DECADE = 20
"""Bins from one power of ten to the next: each ends 12 % above its start."""


def bin_start(number: float) -> float:
    """Return the length at which a bin starts, and the one below it ends."""
    return float(10 ** (number / BINS_PER_DECADE))


class Histogram(BaseModel):
    """Lengths of rows: their number and sum, and how many are in each bin."""

    rows: int | float = 0
    total: int | float = 0
    """Sum of all lengths."""
    bins: dict[int, int | float] = Field(default_factory=dict)
    """Rows by number of the bin, see `bin_start`. A length of 0 counts as one of 1."""

    @classmethod
    def of(cls, lengths: NDArray[np.int64]) -> Histogram:
        """Return the histogram of lengths."""
        # Powers of ten start a bin, whatever their logarithm is rounded to.
        bins = np.floor(np.log10(np.maximum(lengths, 1)) * BINS_PER_DECADE + 1e-9)
        numbers, rows = np.unique(bins.astype(np.int64), return_counts=True)
        return cls(
            rows=len(lengths),
            total=int(lengths.sum()),
            bins=dict(zip(numbers.tolist(), rows.tolist(), strict=True)),
        )

    @classmethod
    def sum_of(cls, parts: Iterable[Histogram]) -> Histogram:
        """Return the histogram of all rows of some histograms."""
        whole = cls()
        for part in parts:
            whole.rows += part.rows
            whole.total += part.total
            for number, rows in part.bins.items():
                whole.bins[number] = whole.bins.get(number, 0) + rows
        return whole

    def scaled(self, *, rows: float, total: float) -> Histogram:
        """Return a histogram of the same shape, of so many rows with so large a sum."""
        factor = rows / self.rows if self.rows else 0
        bins = {number: count * factor for number, count in self.bins.items()}
        return Histogram(rows=rows, total=total, bins=bins)

    def quantile(self, share: float) -> float:
        """Return the length that this share of the rows is below, to within a bin; 0 of none."""
        left = share * self.rows
        for number in sorted(self.bins):
            count = self.bins[number]
            if count >= left:
                return bin_start(number + left / count)
            left -= count
        return bin_start(max(self.bins, default=-math.inf) + 1)
