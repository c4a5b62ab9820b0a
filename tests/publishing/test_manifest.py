from __future__ import annotations

import pytest

from c2c_tasks.publishing.manifest import FileEntry, read_manifest
from c2c_tasks.store import ObjectNotFound, StoreError, store_for


def entry(path: str) -> FileEntry:
    return FileEntry(path=path, bytes=1, rows=1, sha256="0" * 64)


@pytest.mark.parametrize(
    ("path", "config", "split"),
    [
        ("sft/train-00000-of-00001.parquet", "sft", "train"),
        ("programs/test-00001-of-00002.parquet", "programs", "test"),
        ("dump_objects.parquet", None, None),
        ("report/train-funnel.png", None, None),
        ("sft/README.md", None, None),
    ],
)
def test_config_and_split_are_told_by_the_path(path: str, config: object, split: object) -> None:
    assert (entry(path).config, entry(path).split) == (config, split)


def test_what_is_no_manifest_is_named(target: str) -> None:
    with pytest.raises(ObjectNotFound, match=r"manifest\.json"):
        read_manifest(target)
    store_for(target).write(f"{target}/manifest.json", b'{"schema_version": 2}')
    with pytest.raises(StoreError, match=r"manifest\.json: not a manifest of schema version 1"):
        read_manifest(target)
