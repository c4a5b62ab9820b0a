"""Which split a cluster of programs belongs to."""

from __future__ import annotations

import hashlib

from c2c_tasks.config import CaseOptions
from c2c_tasks.records import Split


def split_of(cluster: str, options: CaseOptions) -> Split:
    """Return the split of a cluster, which depends on its id and the shares alone.

    The id's digest is a point between 0 and 1. Test lies at one end and validation at the
    other: a share that is changed moves programs into or out of train only, never between
    validation and test.
    """
    digest = hashlib.sha256(f"split:{cluster}".encode()).digest()
    point = int.from_bytes(digest[:8], "big") / 2**64
    if point < options.test_share:
        return "test"
    if point >= 1 - options.validation_share:
        return "validation"
    return "train"
