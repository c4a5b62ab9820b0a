"""JSON Lines: what is wrong with a line stays with that line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.sources import SourceError

Read = Callable[..., Any]


@pytest.fixture
def read_lines(tmp_path: Path, read_dump: Read) -> Read:
    def read(*lines: bytes, **options: Any) -> Any:
        (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
        return read_dump(tmp_path, **options)

    return read


def record(content: object, **columns: object) -> bytes:
    return json.dumps({"content": content} | columns).encode()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "corrupt_record"),
        (b'"text"', "corrupt_record"),
        (b"[" * 100_000, "corrupt_record"),
        (b"1" * 5_000, "corrupt_record"),
        (b"\x00\x00", "corrupt_record"),
        (b'{"content": "\xff"}', "not_utf8"),
        (b'{"content": "\\ud800"}', "not_utf8"),
        (b'{"content": "\xed\xa0\x80"}', "not_utf8"),
        (b'{"text": "x = 1"}', "corrupt_record"),
        (record(12), "corrupt_record"),
        (record(None), "empty"),
        (record(" \n"), "empty"),
        (record("#" * 1_001), "too_large"),
        (record("é" * 501), "too_large"),
        (b'{"content": "' + b"#" * 2_000_000 + b'"}', "too_large"),
        (record("x = 1", path="a.js"), "not_python"),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else value,
)
def test_one_bad_line(read_lines: Read, line: bytes, reason: str) -> None:
    reading = read_lines(record("a = 1"), line, record("b = 2"), max_file_bytes=1_000)
    assert [file.content for file in reading.files] == ["a = 1", "b = 2"]
    assert reading.dropped == {reason: 1}
    named = ("line 2", "record 2", "#2")
    assert all(any(name in text for name in named) for text in reading.problems)
    assert bool(reading.problems) == (reason in ("corrupt_record", "not_utf8"))


def test_bad_lines_before_the_first_good_one(read_lines: Read) -> None:
    reading = read_lines(b"no json", b"", b"\xff", record("a = 1"))
    assert [file.content for file in reading.files] == ["a = 1"]
    assert reading.dropped == {"corrupt_record": 1, "not_utf8": 1}


def test_no_good_line(read_lines: Read) -> None:
    assert read_lines(b"no json", b"nor this").dropped == {"corrupt_record": 2}


def test_byte_order_marks_carriage_returns_and_blank_lines(read_lines: Read) -> None:
    reading = read_lines(b"\xef\xbb\xbf" + record("\ufeffa = 1"), b"\r", record("b = 2") + b"\r")
    assert [file.content for file in reading.files] == ["a = 1", "b = 2"]
    assert reading.dropped == {}


def test_records_without_a_path_are_named_by_their_line(read_lines: Read) -> None:
    reading = read_lines(record("a = 1"), b"", record("b = 2", path=""))
    assert [file.path for file in reading.files] == ["a.jsonl#1", "a.jsonl#3"]


def test_columns_that_the_first_record_leaves_out(read_lines: Read) -> None:
    columns = {"path": "b.py", "repo_name": "o/r", "license": "mit"}
    late = read_lines(record("a = 1"), record("b = 2", **columns)).files[1]
    assert (late.path, late.repository, late.licence) == ("b.py", "o/r", "MIT")


@pytest.mark.parametrize("start", [b"[", b'[{"content": "x"}]', b"\xef\xbb\xbf[", b"{", b" {\r"])
def test_one_json_value_over_several_lines(read_lines: Read, start: bytes) -> None:
    with pytest.raises(SourceError, match=r"a\.jsonl: holds one JSON value.*object a line"):
        read_lines(start, b' "content": "x = 1"', b"}")
