"""What a build reads, and what it refuses before any work is done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from c2c_tasks.catalogue import CatalogueError
from c2c_tasks.config import MAX_SHARDS
from c2c_tasks.pipeline import plan
from c2c_tasks.pipeline.planning import Plan, plan_objects
from c2c_tasks.publishing.release import PublishError
from c2c_tasks.sources import SourceError
from c2c_tasks.store import read

if TYPE_CHECKING:
    from tests.pipeline.conftest import MakeBuild


def test_a_dump_is_cut_by_bytes_and_every_object_is_in_one_shard(
    make_build: MakeBuild, small_dump: Path
) -> None:
    build = make_build(dump_shard_bytes=30_000)
    shards = plan(build)
    listed = [uri for shard in shards for uri, _ in json.loads(read(shard["uri"]))]
    assert listed == sorted(path.as_uri() for path in small_dump.iterdir())
    assert len(shards) > 3
    assert [shard["shard"] for shard in shards[:1]] == [f"1 of {len(shards)}"]
    assert sum(shard["rows"] for shard in shards) == len(listed)
    planned = Plan.of(build)
    assert planned.shards == len(shards) and planned.parent is None
    assert [item.uri for item in plan_objects(build)] == listed


def test_shards_grow_rather_than_be_too_many(make_build: MakeBuild, workspace: Path) -> None:
    dump = workspace / "many"
    dump.mkdir()
    for number in range(MAX_SHARDS + 50):
        (dump / f"{number}.py").write_text(f"X = '{'x' * 11_000}'\n")
    shards = plan(make_build(dump=str(dump), dump_shard_bytes=10_000))
    assert MAX_SHARDS // 4 < len(shards) <= MAX_SHARDS


def test_a_missing_or_empty_dump_is_named(make_build: MakeBuild, workspace: Path) -> None:
    with pytest.raises(SourceError, match=r"/no/such/dump: no such file or folder"):
        plan(make_build(dump="/no/such/dump"))
    (workspace / "empty").mkdir()
    with pytest.raises(SourceError, match="empty: holds no file"):
        plan(make_build(dump=str(workspace / "empty")))


def test_a_wrong_field_mapping_is_named(make_build: MakeBuild, workspace: Path) -> None:
    dump = workspace / "dump.jsonl"
    dump.write_text('{"content": "x = 1", "path": "a.py"}\n')
    with pytest.raises(SourceError, match=r"no column 'body' \(option content_field\)"):
        plan(make_build(dump=str(dump), content_field="body"))


def test_a_target_that_cannot_be_written_is_named(make_build: MakeBuild) -> None:
    with pytest.raises(PublishError, match=r"target file:///proc/target: not writable"):
        plan(make_build(target="file:///proc/target"))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "catalogue 'nonsense': not an SQLAlchemy URL"),
        ("sqlite:////proc/none/c.sqlite", "catalogue sqlite:////proc/none/c.sqlite: "),
        ("postgresql://host/x", "catalogue postgresql://host/x: "),
    ],
)
def test_a_catalogue_that_cannot_be_used_is_named(
    make_build: MakeBuild, monkeypatch: pytest.MonkeyPatch, url: str, message: str
) -> None:
    build = make_build()
    monkeypatch.setenv("C2C_CATALOGUE", url)
    with pytest.raises(CatalogueError, match=message):
        plan(build)


def test_benchmarks_that_cannot_be_read_are_named(make_build: MakeBuild) -> None:
    from c2c_tasks.curation.benchmarks import BenchmarkError

    with pytest.raises(BenchmarkError, match="/no/such/benchmarks"):
        plan(make_build(benchmarks=["/no/such/benchmarks"]))
