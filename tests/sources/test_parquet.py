"""Parquet as others write it: other types of text, and values that are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

Read = Callable[..., Any]

BAD = pa.array([b"x = 1", b"\xff"]).view(pa.string())
"""Text of which one value is not UTF-8."""


@pytest.fixture
def read_table(tmp_path: Path, read_dump: Read) -> Read:
    def read(**columns: Any) -> Any:
        pq.write_table(pa.table(columns), tmp_path / "a.parquet", row_group_size=150)
        return read_dump(tmp_path)

    return read


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.dictionary(pa.int8(), pa.string()),
    ],
    ids=str,
)
def test_types_of_text(read_table: Read, kind: pa.DataType) -> None:
    reading = read_table(content=pa.array(["é = 1", None, "é = 1"]).cast(kind))
    assert [file.content for file in reading.files] == ["é = 1"] * 2
    assert [file.path for file in reading.files] == ["a.parquet#1", "a.parquet#3"]
    assert reading.dropped == {"empty": 1}


@pytest.mark.parametrize(
    "column",
    [
        BAD,
        BAD.cast(pa.large_binary()).view(pa.large_string()),
        pa.array([b"x = 1", b"\xff"], pa.binary_view()).view(pa.string_view()),
        BAD.dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_text_that_is_not_utf8_spoils_its_row_alone(read_table: Read, column: Any) -> None:
    reading = read_table(content=column)
    assert [file.content for file in reading.files] == ["x = 1"]
    assert reading.dropped == {"not_utf8": 1}


def test_names_that_are_not_utf8_spoil_nothing(read_table: Read) -> None:
    licences = pa.ListArray.from_arrays([0, 1, 2], BAD)
    reading = read_table(content=["a = 1", "b = 2"], repo_name=BAD, license=licences)
    assert [file.repository for file in reading.files] == ["x = 1", "?"]
    assert [file.licence for file in reading.files] == [
        "LicenseRef-x-1",
        "LicenseRef-unrecognised",
    ]


@pytest.mark.parametrize(
    "column",
    [
        pa.FixedSizeListArray.from_arrays(BAD, 1),
        pa.array([0, 2**62], pa.timestamp("ms")),
    ],
    ids=lambda column: str(column.type),
)
def test_values_that_python_cannot_hold(read_table: Read, column: Any) -> None:
    reading = read_table(content=["a = 1", "b = 2"], license=column)
    assert reading.dropped == {"unreadable_object": 1}
    assert "cannot be read after row 0" in reading.problems[0]


def test_a_column_name_that_is_not_utf8(tmp_path: Path, read_dump: Read) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"content": ["x"], "another": ["y"]}), path)
    path.write_bytes(path.read_bytes().replace(b"another", b"\xff\xffother"))
    assert read_dump(tmp_path).dropped == {"unreadable_object": 1}


def test_rows_keep_their_order_over_batches(read_table: Read) -> None:
    reading = read_table(content=[f"x = {n}" for n in range(1_000)])
    assert [file.content for file in reading.files] == [f"x = {n}" for n in range(1_000)]
    assert reading.files[-1].path == "a.parquet#1000"


def test_contents_of_another_type(read_table: Read) -> None:
    reading = read_table(content=[1, 2])
    assert reading.dropped == {"corrupt_record": 2}
    assert "record 1: 'content' is of type int" in reading.problems[0]
