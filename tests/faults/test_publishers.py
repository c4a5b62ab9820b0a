"""Publishers at once: each gets its own version, and readers see the pointer go forward only."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from c2c_tasks.publishing.release import version_order
from tests.faults.small_release import SmallRelease
from tests.faults.trials import Reader

ROUNDS = 50


@contextmanager
def watching(reader: Reader) -> Iterator[list[tuple[int, str]]]:
    """Read the latest release all the while, whole; give generation and version of each look."""
    seen: list[tuple[int, str]] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            pointer = reader.look()
            seen.append((pointer.generation, pointer.version))

    with ThreadPoolExecutor(1) as pool:
        watcher = pool.submit(watch)
        try:
            yield seen
        finally:
            over.set()
        watcher.result()


@pytest.mark.parametrize("publishers", [2, 8])
def test_publishers_at_once(
    s3_bucket: str, s3_endpoint: str, tmp_path: Path, publishers: int
) -> None:
    target = f"{s3_bucket}/target"
    reader = Reader(s3_endpoint, target)
    first = SmallRelease("first", "2026-01-01", tmp_path / "first", with_ledger=False).write()
    first.publish(target)
    versions: dict[str, str] = {}
    with watching(reader) as seen, ThreadPoolExecutor(publishers) as pool:
        for number in range(ROUNDS):
            day = date(2026, 2, 1) + timedelta(number)
            builds = [
                SmallRelease(
                    f"{number}-{n}", str(day), tmp_path / f"{number}-{n}", with_ledger=False
                )
                for n in range(publishers)
            ]
            for build in builds:
                build.write()
            published = list(pool.map(lambda build: build.publish(target), builds))
            assert sorted(published, key=version_order) == [
                f"{day:%Y.%m.%d}-{n + 1}" for n in range(publishers)
            ]
            versions |= zip(published, (build.build_id for build in builds), strict=True)
    assert len(versions) == publishers * ROUNDS
    for version, build_id in versions.items():
        manifest = reader.check(version)
        assert (manifest.version, manifest.build_id) == (version, build_id)
    assert reader.look().version == max(versions, key=version_order)
    assert seen == sorted(seen, key=lambda look: (look[0], version_order(look[1])))
    assert len({generation for generation, _ in seen}) > ROUNDS // 2
