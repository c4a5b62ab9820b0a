"""Rounds of publishers that publish to one target at once, and somebody who reads it meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from c2c_tasks.publishing.conditions import STORE, Conditions
from c2c_tasks.publishing.release import version_order
from tests.faults.small_release import SmallRelease
from tests.faults.trials import Reader


def publish_in_rounds(
    reader: Reader,
    target: str,
    folder: Path,
    *,
    publishers: int,
    rounds: int,
    conditions: Conditions = STORE,
    watched: bool = True,
) -> None:
    """Check that each gets its own version, whole, and that the pointer goes forward only.

    Not `watched` where the store shows readers a half-written pointer.
    """
    versions: dict[str, str] = {}
    first = _build(folder, "first", date(2026, 1, 1), conditions)
    first.publish(target)
    with _watching(reader, watched) as seen, ThreadPoolExecutor(publishers) as pool:
        for number in range(rounds):
            day = date(2026, 2, 1) + timedelta(number)
            builds = [_build(folder, f"{number}-{n}", day, conditions) for n in range(publishers)]
            published = list(pool.map(lambda build: build.publish(target), builds))
            assert sorted(published, key=version_order) == [
                f"{day:%Y.%m.%d}-{n + 1}" for n in range(publishers)
            ]
            versions |= zip(published, (build.build_id for build in builds), strict=True)
    for version, build_id in versions.items():
        manifest = reader.check(version)
        assert (manifest.version, manifest.build_id) == (version, build_id)
    assert reader.look().version == max(versions, key=version_order)
    assert seen == sorted(seen, key=lambda look: (look[0], version_order(look[1])))
    assert not watched or len(dict(seen)) > rounds // 4


def _build(folder: Path, name: str, day: date, conditions: Conditions) -> SmallRelease:
    build = SmallRelease(name, str(day), folder / name, conditions=conditions, with_ledger=False)
    return build.write()


@contextmanager
def _watching(reader: Reader, watched: bool) -> Iterator[list[tuple[int, str]]]:
    """Read the latest release all the while, whole; give generation and version of each look."""
    seen: list[tuple[int, str]] = []
    over = threading.Event()

    def watch() -> None:
        while watched and not over.wait(0.05):
            pointer = reader.look()
            seen.append((pointer.generation, pointer.version))

    with ThreadPoolExecutor(1) as pool:
        watcher = pool.submit(watch)
        try:
            yield seen
        finally:
            over.set()
        watcher.result()
