"""A release is read with what people have: `datasets`, `pyarrow.dataset`, DuckDB, pandas."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.dataset
import pytest
from pyarrow.fs import S3FileSystem

from c2c_tasks.consuming.finding import find_release
from c2c_tasks.consuming.pulling import pull
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.records import FORMATS
from c2c_tasks.store import file_path

datasets = pytest.importorskip("datasets")
CONFIGS = ("programs", *FORMATS)
ROWS = {"train": 18, "validation": 6, "test": 6}


@pytest.fixture
def folder(release: str, tmp_path: Path) -> Path:
    """The release as a local folder: itself, or pulled from S3."""
    if release.startswith("file:"):
        return file_path(release)
    pull(find_release(release), tmp_path / "pulled")
    return tmp_path / "pulled"


@pytest.fixture
def cache_dir(cache: Path) -> str:
    return str(cache / "datasets")


def readable(uri: str) -> str:
    """A path, or a signed HTTP address: what is read without a client of S3."""
    if uri.startswith("file:"):
        return str(file_path(uri))
    import boto3

    bucket, key = uri.removeprefix("s3://").split("/", 1)
    request = {"Bucket": bucket, "Key": key}
    return str(boto3.client("s3").generate_presigned_url("get_object", Params=request))


@pytest.mark.parametrize("config", CONFIGS)
def test_datasets_reads_the_files(release: str, config: str, cache_dir: str) -> None:
    data_files: dict[str, list[str]] = {}
    for entry in read_manifest(release).files:
        if entry.config == config and entry.split:
            data_files.setdefault(entry.split, []).append(readable(f"{release}/{entry.path}"))
    loaded = datasets.load_dataset("parquet", data_files=data_files, cache_dir=cache_dir)
    assert {split: loaded[split].num_rows for split in loaded} == ROWS
    streamed = datasets.load_dataset("parquet", data_files=data_files, streaming=True)
    assert list(streamed["test"]) == list(loaded["test"])


def test_datasets_reads_the_folder_by_its_card(folder: Path, cache_dir: str) -> None:
    for config in CONFIGS:
        loaded = datasets.load_dataset(str(folder), config, cache_dir=cache_dir)
        assert {split: loaded[split].num_rows for split in loaded} == ROWS
        streamed = datasets.load_dataset(str(folder), config, streaming=True)
        assert list(streamed["test"]) == list(loaded["test"])
    assert datasets.get_dataset_default_config_name(str(folder)) == "sft"
    first = datasets.load_dataset(str(folder), split="train", cache_dir=cache_dir)[0]
    assert [message["role"] for message in first["messages"]] == ["user", "assistant"]


def test_pyarrow_reads_a_config_as_a_folder(release: str) -> None:
    for config in CONFIGS:
        if release.startswith("file:"):
            data = pyarrow.dataset.dataset(str(file_path(release) / config))
        else:
            s3 = S3FileSystem(endpoint_override=os.environ["AWS_ENDPOINT_URL"])
            place = release.removeprefix("s3://")
            data = pyarrow.dataset.dataset(f"{place}/{config}", filesystem=s3)
            assert pyarrow.dataset.dataset(f"{release}/{config}").schema == data.schema
        table = data.to_table()
        assert table.num_rows == 30
        assert len(set(table["function_id"].to_pylist())) == 30


def test_duckdb_and_pandas(folder: Path) -> None:
    import duckdb

    pandas = pytest.importorskip("pandas")
    for config in CONFIGS:
        count = duckdb.sql(f"SELECT count(*) FROM '{folder}/{config}/*.parquet'").fetchall()
        assert count == [(30,)]
        assert len(pandas.read_parquet(folder / config)) == 30
