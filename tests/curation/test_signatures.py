from __future__ import annotations

import hashlib

import numpy as np
import pytest

from c2c_tasks.curation.signatures import (
    PERMUTATIONS,
    minhash,
    read_shingles,
    read_signatures,
    shingle_hashes,
    sign,
)
from c2c_tasks.curation.tokens import shingles
from c2c_tasks.records import Function, extend

FUNCTION = Function(
    function_id="ab",
    program="def f(x):\n    return x + 1\n",
    entry_point="f",
    parameters=[],
    repository="owner/name",
    path="a.py",
    first_line=1,
    last_line=2,
    licence=None,
    dump="file:///dump",
    source_sha256="",
)


def test_a_signed_function_is_read_back_as_it_was_signed() -> None:
    candidate = sign(FUNCTION)
    hashes = shingle_hashes(shingles(FUNCTION.program, "f"))
    assert extend(Function, candidate) == FUNCTION
    assert read_shingles(candidate.shingles).tolist() == hashes.tolist() == sorted(set(hashes))
    assert read_signatures(candidate.signature * 2).tolist() == [minhash(hashes).tolist()] * 2
    assert len(candidate.signature) == 4 * PERMUTATIONS


def test_stored_signatures_stay_comparable() -> None:
    """A change of these figures would part new functions from all that are stored."""
    hashes = shingle_hashes({"a b c", "surrogate \udc80", "é"})
    assert hashes.tolist() == sorted(
        int.from_bytes(
            hashlib.blake2b(s.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
        )
        for s in ("a b c", "surrogate \udc80", "é")
    )
    signature = minhash(np.arange(1, 100, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    assert hashlib.sha256(signature.astype("<u4").tobytes()).hexdigest()[:16] == "1b5218516d93c5b1"


def test_what_has_no_shingles_has_no_signature() -> None:
    with pytest.raises(ValueError, match="minimum"):
        minhash(np.empty(0, dtype=np.uint64))
