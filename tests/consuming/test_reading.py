"""A release is read with what people have: `datasets`, `pyarrow.dataset`, DuckDB, pandas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.dataset
import pytest

from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.records import FORMATS, Program
from c2c_tasks.store import file_path

datasets = pytest.importorskip("datasets")
ROWS = {"train": 18, "validation": 6, "test": 6}


@pytest.fixture
def release(target: str, publish: Any, make_program: Callable[[int], Program]) -> str:
    return str(publish(target, [make_program(n) for n in range(30)]))


@pytest.fixture
def cache(tmp_path: Path) -> str:
    return str(tmp_path / "cache")


def readable(uri: str) -> str:
    """A path, or a signed HTTP address: what is read without a client of S3."""
    if uri.startswith("file:"):
        return str(file_path(uri))
    import boto3

    bucket, key = uri.removeprefix("s3://").split("/", 1)
    request = {"Bucket": bucket, "Key": key}
    return str(boto3.client("s3").generate_presigned_url("get_object", Params=request))


@pytest.mark.parametrize("config", ["programs", *FORMATS])
def test_datasets_reads_the_files(release: str, config: str, cache: str) -> None:
    data_files: dict[str, list[str]] = {}
    for entry in read_manifest(release).files:
        if entry.config == config and entry.split:
            data_files.setdefault(entry.split, []).append(readable(f"{release}/{entry.path}"))
    loaded = datasets.load_dataset("parquet", data_files=data_files, cache_dir=cache)
    assert {split: loaded[split].num_rows for split in loaded} == ROWS
    streamed = datasets.load_dataset("parquet", data_files=data_files, streaming=True)
    assert list(streamed["test"]) == list(loaded["test"])


def test_pyarrow_reads_a_config_as_a_folder(release: str) -> None:
    place = str(file_path(release)) if release.startswith("file:") else release
    for config in ("programs", *FORMATS):
        table = pyarrow.dataset.dataset(f"{place}/{config}").to_table()
        assert table.num_rows == 30
        assert len(set(table["function_id"].to_pylist())) == 30


@pytest.mark.parametrize("target", ["file"], indirect=True)
def test_datasets_reads_the_folder_by_its_card(release: str, cache: str) -> None:
    folder = str(file_path(release))
    for config in ("programs", *FORMATS):
        loaded = datasets.load_dataset(folder, config, cache_dir=cache)
        assert {split: loaded[split].num_rows for split in loaded} == ROWS
    assert datasets.get_dataset_default_config_name(folder) == "sft"
    first = datasets.load_dataset(folder, split="train", cache_dir=cache)[0]
    assert [message["role"] for message in first["messages"]] == ["user", "assistant"]


@pytest.mark.parametrize("target", ["file"], indirect=True)
def test_duckdb_and_pandas(release: str) -> None:
    import duckdb

    folder = file_path(release)
    count = duckdb.sql(f"SELECT count(*) FROM '{folder}/sft/*.parquet'").fetchall()
    assert count == [(30,)]
    pandas = pytest.importorskip("pandas")
    assert len(pandas.read_parquet(folder / "sft")) == 30
