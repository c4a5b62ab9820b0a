from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from c2c_tasks.browsing.row_groups import open_data_file, rows_with
from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.store import StoreError, store_for


@pytest.fixture(params=["file", "s3"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return tmp_path.as_uri() if request.param == "file" else request.getfixturevalue("s3_bucket")


def write(folder: str, tmp_path: Path, *, statistics: bool = True) -> FileEntry:
    """Write ten rows in five row groups; return the file's entry."""
    items = [{"name": "x" * 1_000, "kind": "k"}]
    rows: list[dict[str, Any]] = [
        {"key": f"k{number // 3}", "licence": None if number < 4 else "MIT", "items": items}
        for number in range(10)
    ]
    path = tmp_path / "local.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=2, write_statistics=statistics)
    data = path.read_bytes()
    store_for(folder).write(f"{folder}/a.parquet", data)
    digest = hashlib.sha256(data).hexdigest()
    return FileEntry(path="a.parquet", bytes=len(data), rows=10, sha256=digest)


@pytest.mark.parametrize("statistics", [True, False])
def test_rows_are_found_by_a_value(folder: str, tmp_path: Path, statistics: bool) -> None:
    entry = write(folder, tmp_path, statistics=statistics)
    for number, count in enumerate((3, 3, 3, 1, 0)):
        found = rows_with(folder, entry, "key", f"k{number}", None)
        assert [row["key"] for row in found] == [f"k{number}"] * count
    assert rows_with(folder, entry, "key", "k3", ["licence"]) == [{"licence": "MIT"}]
    assert rows_with(folder, entry, "key", "", None) == []


def test_statistics_tell_what_a_row_group_cannot_hold(folder: str, tmp_path: Path) -> None:
    with open_data_file(folder, write(folder, tmp_path)) as file:
        assert (file.groups, file.rows(0)) == (5, 2)
        assert [file.may_hold(group, "licence", None) for group in range(5)] == [
            *(True, True, False, False, False),
        ]
        assert [file.may_hold(group, "licence", "MIT") for group in range(5)] == [
            *(False, False, True, True, True),
        ]
        assert not file.may_hold(4, "licence", "Zlib")
        assert file.may_hold(0, "no such column", "x")


def test_without_statistics_anything_may_be_there(folder: str, tmp_path: Path) -> None:
    with open_data_file(folder, write(folder, tmp_path, statistics=False)) as file:
        assert file.may_hold(0, "licence", "MIT")
        assert file.may_hold(4, "licence", None)


def test_a_member_of_a_nested_column_is_read_alone(folder: str, tmp_path: Path) -> None:
    with open_data_file(folder, write(folder, tmp_path)) as file:
        kinds = file.leaf("items", "kind")
        assert file.read(0, [kinds]).to_pylist() == [{"items": [{"kind": "k"}]}] * 2
        assert file.bytes(0, [kinds]) < file.bytes(0, ["items"])
        assert file.bytes(0, ["key", "items"]) == file.bytes(0, ["key"]) + file.bytes(0, ["items"])


def test_what_is_gone_or_damaged_is_named(folder: str, tmp_path: Path) -> None:
    entry = write(folder, tmp_path)
    store_for(folder).write(f"{folder}/a.parquet", b"x" * entry.bytes)
    with (
        pytest.raises(StoreError, match=r"a\.parquet: damaged"),
        open_data_file(folder, entry) as file,
    ):
        file.read(0, ["key"])
    store_for(folder).delete(f"{folder}/a.parquet")
    with pytest.raises(StoreError, match=r"a\.parquet: no such object"):
        rows_with(folder, entry, "key", "k1", None)
