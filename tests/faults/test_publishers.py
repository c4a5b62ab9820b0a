"""Publishers at once: each gets its own version, and readers see the pointer go forward only."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.rounds import publish_in_rounds
from tests.faults.trials import STEP, Reader

ROUNDS = 50 // STEP


@pytest.mark.slow
@pytest.mark.parametrize("publishers", [2, 8])
def test_publishers_at_once(
    s3_bucket: str, s3_endpoint: str, tmp_path: Path, publishers: int
) -> None:
    target = f"{s3_bucket}/target"
    reader = Reader(s3_endpoint, target)
    publish_in_rounds(reader, target, tmp_path, publishers=publishers, rounds=ROUNDS)
