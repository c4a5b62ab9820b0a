"""What a function's near duplicates are found by: hashes of its shingles, and their MinHash.

Both are stored and compared with those of later years, so they are made of BLAKE2 and of
integer arithmetic alone: no interpreter, library or machine gives others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Set

import numpy as np
import numpy.typing as npt

from c2c_tasks.curation.tokens import shingles
from c2c_tasks.records import Candidate, Function, extend

PERMUTATIONS = 128

Hashes = npt.NDArray[np.uint64]
"""Hashes of shingles, each once, in ascending order."""


def sign(function: Function) -> Candidate:
    """Return a function with its signature and the hashes of its shingles.

    Raises SyntaxError where the program cannot be parsed.
    """
    hashes = shingle_hashes(shingles(function.program, function.entry_point))
    return extend(
        Candidate,
        function,
        signature=minhash(hashes).astype("<u4").tobytes(),
        shingles=hashes.astype("<u8").tobytes(),
    )


def shingle_hashes(found: Set[str]) -> Hashes:
    """Return 64 bits of the BLAKE2b of each shingle, sorted."""
    digests = b"".join(
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for text in found
    )
    return np.unique(np.frombuffer(digests, "<u8").astype(np.uint64, copy=False))


def minhash(hashes: Hashes) -> npt.NDArray[np.uint32]:
    """Return the least value of the hashes under each of `PERMUTATIONS` permutations.

    Two sets agree in a place with the probability of their Jaccard similarity (Broder 1997).
    A permutation is multiply-add-shift (Dietzfelbinger 1996): the upper half of `a * x + b`
    modulo 2**64. Raises ValueError for no hashes, which have no least.
    """
    values = _FACTORS[:, np.newaxis] * hashes
    values += _TERMS[:, np.newaxis]
    least: Hashes = values.min(axis=1)
    return (least >> np.uint64(32)).astype(np.uint32)


def number_in_common(one: Hashes, other: Hashes) -> int:
    """Return how many hashes both have."""
    both = np.concatenate((one, other))
    both.sort()
    return int(np.count_nonzero(both[1:] == both[:-1]))


def read_shingles(stored: bytes) -> Hashes:
    """Return the hashes of a candidate's `shingles`."""
    return np.frombuffer(stored, "<u8").astype(np.uint64, copy=False)


def read_signatures(stored: bytes) -> npt.NDArray[np.uint32]:
    """Return `signature`s that lie one behind the other, as rows of a matrix."""
    values = np.frombuffer(stored, "<u4").astype(np.uint32, copy=False)
    return values.reshape(-1, PERMUTATIONS)


def _constants(purpose: str) -> Hashes:
    """Return numbers that look random and are the same for ever."""
    digests = b"".join(
        hashlib.blake2b(f"{purpose} {number}".encode(), digest_size=8).digest()
        for number in range(PERMUTATIONS)
    )
    return np.frombuffer(digests, "<u8").astype(np.uint64)


_FACTORS = _constants("factor") | np.uint64(1)
_TERMS = _constants("term")
