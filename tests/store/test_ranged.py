from __future__ import annotations

import io
from pathlib import Path

import pytest

from c2c_tasks.store import ObjectNotFound, store_for
from c2c_tasks.store.ranged import open_ranged

DATA = bytes(range(256)) * 10


@pytest.fixture(params=["file", "s3"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return tmp_path.as_uri() if request.param == "file" else request.getfixturevalue("s3_bucket")


def test_any_part_can_be_read(folder: str) -> None:
    uri = f"{folder}/a?b.parquet"
    store_for(uri).write(uri, DATA)
    assert store_for(uri).read_range(uri, 300, 7) == DATA[300:307]
    with open_ranged(uri) as file:
        assert file.seek(-10, io.SEEK_END) == len(DATA) - 10
        assert file.read() == DATA[-10:]
        assert file.read(5) == b""
        file.seek(100)
        assert file.read(20) == DATA[100:120]
        file.seek(5, io.SEEK_CUR)
        assert (file.tell(), file.read(3)) == (125, DATA[125:128])
        file.seek(len(DATA) - 2)
        assert file.read(100) == DATA[-2:]
        file.seek(0)
        assert file.read(-1) == DATA


def test_what_is_not_there_is_named(folder: str) -> None:
    with pytest.raises(ObjectNotFound, match=r"nothing\.parquet: no such object"):
        open_ranged(f"{folder}/nothing.parquet")


def test_an_object_of_known_size_is_not_asked_for(folder: str) -> None:
    uri = f"{folder}/known.parquet"
    store_for(uri).write(uri, DATA)
    with open_ranged(uri, len(DATA)) as file:
        assert file.seek(-5, io.SEEK_END) == len(DATA) - 5
        assert file.read() == DATA[-5:]
    with pytest.raises(ObjectNotFound, match=r"nothing\.parquet: no such object"):
        open_ranged(f"{folder}/nothing.parquet", 10).read(5)
