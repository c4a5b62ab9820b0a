"""An index that finds what is nearly the same: MinHash LSH proposes, exact Jaccard decides."""

from __future__ import annotations

from array import array
from collections.abc import Set

from rensa import RMinHash, RMinHashLSH

PERMUTATIONS = 128
MISSED = 1e-3
"""Probability, at most, that the index misses a pair that lies exactly at the threshold."""
_SEED = 1


def jaccard(one: Set[object], other: Set[object]) -> float:
    """Return the share of the members of either set that both have; 1.0 for two empty sets."""
    common = len(one & other)
    union = len(one) + len(other) - common
    return common / union if union else 1.0


class NearDuplicateIndex:
    """Sets of shingles under integer keys, searched by Jaccard similarity.

    A set is held as eight bytes a shingle, beside its signature in the bands.
    """

    def __init__(self, threshold: float) -> None:
        """Make an empty index for pairs with a similarity of `threshold` (0 to 1) and more."""
        self.threshold = threshold
        self._bands = RMinHashLSH(
            threshold=threshold, num_perm=PERMUTATIONS, num_bands=_bands(threshold)
        )
        self._members: list[array[int]] = []

    def __len__(self) -> int:
        return len(self._members)

    def add(self, shingles: Set[str]) -> int:
        """Add a set; return its key, counted from 0."""
        return self._add(_signature(shingles), _hashes(shingles))

    def find(self, shingles: Set[str]) -> int | None:
        """Return the least key of a set that is near to `shingles`, or None."""
        return self._find(_signature(shingles), _hashes(shingles))

    def add_unless_near(self, shingles: Set[str]) -> int | None:
        """Add a set unless one near to it is there; return the key of that one, or None."""
        signature, hashes = _signature(shingles), _hashes(shingles)
        near = self._find(signature, hashes)
        if near is None:
            self._add(signature, hashes)
        return near

    def _add(self, signature: RMinHash, hashes: Set[int]) -> int:
        key = len(self._members)
        self._bands.insert(key, signature)
        self._members.append(array("Q", sorted(hashes)))
        return key

    def _find(self, signature: RMinHash, hashes: Set[int]) -> int | None:
        for key in sorted(self._bands.query(signature)):
            if jaccard(hashes, set(self._members[key])) >= self.threshold:
                return int(key)
        return None


def _signature(shingles: Set[str]) -> RMinHash:
    signature = RMinHash(num_perm=PERMUTATIONS, seed=_SEED)
    signature.update(shingles)
    return signature


def _hashes(shingles: Set[str]) -> Set[int]:
    (hashes,) = RMinHash.hash_token_sets([shingles])
    return frozenset(hashes)


def _bands(threshold: float) -> int:
    """Return the fewest bands, so the fewest false candidates, that miss `MISSED` at most."""
    for bands in (4, 8, 16, 32, 64):
        if (1 - threshold ** (PERMUTATIONS // bands)) ** bands <= MISSED:
            return bands
    return PERMUTATIONS
