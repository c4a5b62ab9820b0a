"""`c2c_tasks.load`, from both stores."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import c2c_tasks
from c2c_tasks.consuming.finding import find_release
from c2c_tasks.consuming.pulling import pull
from c2c_tasks.publishing.citation import PAPER, citation
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.publishing.release import PublishError
from c2c_tasks.records import FORMATS, Program
from c2c_tasks.store import StoreError, read, store_for

datasets = pytest.importorskip("datasets")

FILE = "sft/train-00000-of-00001.parquet"


@pytest.fixture
def sent(target: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are downloaded."""
    kind = type(store_for(target))
    download = kind.download
    names: list[str] = []

    def spy(self: Any, uri: str, path: Path, **options: Any) -> None:
        names.append(uri.rpartition("/")[2])
        download(self, uri, path, **options)

    monkeypatch.setattr(kind, "download", spy)
    return names


@pytest.mark.parametrize("config", ["programs", *FORMATS])
def test_every_config_plain_and_streaming(
    release: str, target: str, config: str, sent: list[str]
) -> None:
    for split, rows in {"train": 18, "validation": 6, "test": 6}.items():
        plain = c2c_tasks.load("latest", config, split, target=target)
        assert isinstance(plain, datasets.Dataset) and plain.num_rows == rows
        stream = c2c_tasks.load("latest", config, split, target=target, streaming=True)
        assert isinstance(stream, datasets.IterableDataset)
        assert stream.features == plain.features
        assert list(stream) == list(plain)
    if target.startswith("s3:"):
        assert len(sent) == 3  # the stream takes them of the cache
    else:
        assert sent == []  # they are here


def test_it_tells_what_it_is(release: str, target: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "c2c_tasks.consuming")
    for streaming in (False, True):
        dataset = c2c_tasks.load(release, streaming=streaming)
        assert str(dataset.info.version) == "2026.11.24"
        assert "release 2026.11.24-1" in dataset.info.description
        digest = hashlib.sha256(read(f"{release}/manifest.json")).hexdigest()
        manifest = read_manifest(release)
        assert citation(manifest, digest) in dataset.info.citation
        assert digest in dataset.info.citation
    # The card cites the release in the same way, but for the digest, which it cannot know.
    card = read(f"{release}/README.md").decode()
    assert citation(manifest) in card and PAPER in card and PAPER in dataset.info.citation
    assert "loading sft/train of release 2026.11.24-1, 18 rows" in caplog.text


def test_what_it_tells_is_kept(release: str, tmp_path: Path) -> None:
    dataset = c2c_tasks.load(release)
    dataset.map(lambda row: {"length": len(row["messages"])}).save_to_disk(str(tmp_path / "saved"))
    loaded = datasets.load_from_disk(str(tmp_path / "saved"))
    assert "2026.11.24-1" in loaded.info.description
    assert "case2code_2026_11_24_1" in loaded.info.citation


def test_files_that_releases_have_in_common_are_fetched_once(
    target: str, publish: Any, make_program: Callable[..., Program], sent: list[str], cache: Path
) -> None:
    first = [make_program(n, split="train") for n in range(4)]
    parent = publish(target, first, date="2026-11-23", build_id="earlier")
    publish(target, [make_program(n, split="train") for n in range(4, 6)], parent=parent)
    sent.clear()
    assert c2c_tasks.load("2026.11.23-1", target=target).num_rows == 4
    assert c2c_tasks.load("2026.11.24-1", target=target).num_rows == 6
    assert len(sent) == (2 if target.startswith("s3:") else 0)
    again = c2c_tasks.load(target=target)
    assert again.num_rows == 6 and len(sent) == (2 if target.startswith("s3:") else 0)


def test_a_stream_keeps_no_file_and_has_a_shard_for_each(
    target: str, publish: Any, make_program: Callable[..., Program], cache: Path, sent: list[str]
) -> None:
    from datasets.distributed import split_dataset_by_node

    parent: str | None = None
    for day in (21, 22, 23):
        programs = [make_program(n, split="train") for n in range(day * 10, day * 10 + 3)]
        parent = publish(target, programs, date=f"2026-11-{day}", build_id=str(day), parent=parent)
    sent.clear()
    stream = c2c_tasks.load(target=target, streaming=True)
    assert stream.num_shards == 3
    first = next(iter(stream))
    if target.startswith("s3:"):
        assert len(sent) == 2  # one that told the columns, and the first one
    whole = list(stream)
    assert len(whole) == 9 and whole[0] == first
    assert not list(cache.rglob("*.parquet"))
    parts = [split_dataset_by_node(stream, rank=rank, world_size=3) for rank in range(3)]
    assert sorted(row["sample_id"] for part in parts for row in part) == sorted(
        row["sample_id"] for row in whole
    )
    copied = pickle.loads(pickle.dumps(stream))  # as a worker of a DataLoader gets it
    assert list(copied) == whole


@pytest.mark.parametrize("target", ["s3"], indirect=True)
def test_damaged_files_of_the_cache_are_fetched_again(
    release: str, cache: Path, sent: list[str]
) -> None:
    rows = list(c2c_tasks.load(release))
    (kept,) = cache.glob("files/*.parquet")
    for streaming in (False, True):
        content = bytearray(kept.read_bytes())
        content[len(content) // 2] ^= 1
        kept.write_bytes(content)
        assert list(c2c_tasks.load(release, streaming=streaming)) == rows
    assert len(sent) >= 3


@pytest.mark.parametrize("streaming", [False, True])
def test_damaged_files_are_not_loaded(release: str, streaming: bool) -> None:
    content = bytearray(read(f"{release}/{FILE}"))
    content[len(content) // 2] ^= 1
    store_for(release).write(f"{release}/{FILE}", bytes(content))
    with pytest.raises(StoreError, match=FILE):
        list(c2c_tasks.load(release, streaming=streaming))


def test_what_is_not_there_is_named(release: str, target: str, tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="no config 'chat'; it has programs, sft"):
        c2c_tasks.load(release, "chat")
    with pytest.raises(PublishError, match="no split 'dev'; it has train, validation, test"):
        c2c_tasks.load(release, "sft", "dev")
    with pytest.raises(PublishError, match=r"has no release 2020.01.01-1; it has 2026.11.24-1"):
        c2c_tasks.load("2020.01.01-1", target=target)
    pull(find_release(release), tmp_path / "part", configs=["sft"])
    assert c2c_tasks.load(str(tmp_path / "part")).num_rows == 18
    with pytest.raises(PublishError, match="a partial copy, which lacks programs/test"):
        c2c_tasks.load(str(tmp_path / "part"), "programs", "test")


def test_a_cache_that_cannot_be_written_is_named(
    target: str,
    publish: Any,
    make_program: Callable[[int], Program],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("C2C_CACHE", str(tmp_path / "file"))
    publish(target, [make_program(n) for n in range(6)])
    with pytest.raises(StoreError, match="C2C_CACHE names another folder"):
        c2c_tasks.load(target=target)


def test_importing_the_package_imports_nothing_else() -> None:
    code = (
        "import sys, c2c_tasks\n"
        "print({'datasets', 'pyarrow', 'boto3', 'pydantic', 'rich'} & set(sys.modules))\n"
        "from c2c_tasks import load\n"
        "print(load.__doc__[:30], 'datasets' in sys.modules)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert process.stdout.splitlines()[0] == "set()"
    assert process.stdout.splitlines()[1] == "Load one split of one config o False"
