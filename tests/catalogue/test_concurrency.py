"""Several processes that write to one catalogue at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from c2c_tasks.catalogue import Catalogue
from c2c_tasks.store import ObjectInfo

if TYPE_CHECKING:
    from tests.catalogue.conftest import MakeRelease

ROOT = Path(__file__).resolve().parents[2]
WRITERS, ROUNDS = 4, 15

# Every process opens the catalogue, so some make its tables; then it writes to a target of its
# own and to one that all share, all the while reading.
WRITER = """
import sys
from c2c_tasks.catalogue import Catalogue, Release
from c2c_tasks.shards import StepReport
from c2c_tasks.store import ObjectInfo

url, name, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])

def release(target, number):
    version = f"2026.11.24-{number}"
    return Release(uri=f"{target}/releases/{name}-{version}", target=target, version=version,
                   number=number, build_id=name, date="2026-11-24", config_digest="", programs=1,
                   samples=1, config={}, funnel=[])

for number in range(1, rounds + 1):
    for target in (f"file:///{name}", "file:///shared"):
        catalogue = Catalogue(url)
        entry = release(target, number)
        catalogue.record_build(target, f"{name}-{number}", "running", date="2026-11-24",
                               mode="full", config={}, code_version="1")
        objects = [ObjectInfo(f"{name}/{i}", str(number), i) for i in range(300)]
        assert catalogue.record_latest(entry, objects, over=None)
        catalogue.add_ingested("file:///shared", "other", objects[:5])
        catalogue.ingested(target, entry.uri)
        reports = [StepReport("extract", f"part-{i}") for i in range(5)]
        catalogue.record_reports(target, f"{name}-{number}", reports)
        catalogue.record_build(target, f"{name}-{number}", "published", date="2026-11-24",
                               mode="full", config={}, code_version="1", release_uri=entry.uri)
"""


def test_no_row_is_lost_and_nobody_is_turned_away(url: str, make_release: MakeRelease) -> None:
    names = [f"writer-{number}" for number in range(WRITERS)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, url, name, str(ROUNDS)],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    errors = [process.communicate(timeout=240)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * WRITERS, errors

    catalogue = Catalogue(url)
    for name in names:
        target = f"file:///{name}"
        assert len(catalogue.releases(target)) == ROUNDS
        builds = catalogue.builds(target)
        assert len(builds) == ROUNDS and {build.state for build in builds} == {"published"}
        assert all(len(catalogue.reports(target, build.build_id)) == 5 for build in builds)
        last = f"{target}/releases/{name}-2026.11.24-{ROUNDS}"
        objects = catalogue.ingested(target, last)
        assert objects == {f"{name}/{i}": (str(ROUNDS), i) for i in range(300)}
    assert len(catalogue.releases("file:///shared")) == WRITERS * ROUNDS
    assert len(catalogue.builds("file:///shared")) == WRITERS * ROUNDS
    # The objects of the shared target are all of one release: that of the last writer.
    shared = catalogue.target("file:///shared")
    assert shared is not None and shared.release_uri is not None
    objects = catalogue.ingested("file:///shared", shared.release_uri)
    assert objects is not None and len(objects) == 300
    assert {uri.partition("/")[0] for uri in objects} <= set(names)
    assert len({etag for etag, _ in objects.values()}) == 1


def test_a_reader_is_not_held_up_by_a_writer(url: str, make_release: MakeRelease) -> None:
    catalogue = Catalogue(url)
    release = make_release("2026.11.24-1")
    catalogue.record_latest(release, [ObjectInfo("a", "1", 1)], over=None)
    seen = []

    def objects():  # type: ignore[no-untyped-def]
        yield ObjectInfo("b", "1", 1)
        seen.append(Catalogue(url).ingested(release.target, release.uri))

    catalogue.record_latest(make_release("2026.11.24-1"), objects(), over=None)
    assert seen == [{"a": ("1", 1)}]
    assert catalogue.ingested(release.target, release.uri) == {"b": ("1", 1)}
