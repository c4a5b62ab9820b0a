"""Text as Python itself would read it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Read = Callable[..., Any]


@pytest.fixture
def read_file(tmp_path: Path, read_dump: Read) -> Read:
    def read(data: bytes, **options: Any) -> Any:
        (tmp_path / "a.py").write_bytes(data)
        return read_dump(tmp_path / "a.py", **options)

    return read


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"x = '\xc3\xa9'", "x = 'é'"),
        (b"\xef\xbb\xbfx = 1", "x = 1"),
        (b"# coding: latin-1\nx = '\xe9'", "# coding: latin-1\nx = 'é'"),
        (b"#!/bin/python\n# -*- coding: CP1251 -*-\n# \xe9", None),
        (b"x = '\x00'\r\n", "x = '\x00'\r\n"),
    ],
)
def test_encodings(read_file: Read, data: bytes, text: str | None) -> None:
    (file,) = read_file(data).files
    assert file.content == (text if text is not None else data.decode("cp1251"))


@pytest.mark.parametrize(
    "data",
    [
        b"x = '\xff'",
        "x = 1".encode("utf-16"),
        b"\xef\xbb\xbf# coding: latin-1\n",
        b"# coding: no-such-encoding\n",
        b"# coding: rot13\nk = 1",
        b"# coding: base64\nAAAA",
        b"# coding: undefined\n",
        b"# coding: idna\nx = 1",
    ],
)
def test_not_text(read_file: Read, data: bytes) -> None:
    reading = read_file(data)
    assert (reading.files, reading.dropped) == ([], {"not_utf8": 1})


@pytest.mark.parametrize("codec", ["punycode", "PunyCode", "PUNYCODE", "IDNA"])
def test_slow_encodings_are_no_encodings_of_source(read_file: Read, codec: str) -> None:
    started = time.perf_counter()
    reading = read_file(f"# coding: {codec}\n".encode() + b"x" * 400_000 + b"-" + b"a" * 400_000)
    assert reading.dropped == {"not_utf8": 1}
    assert time.perf_counter() - started < 5


def test_limits(read_file: Read) -> None:
    assert read_file(b"#" * 1_000, max_file_bytes=1_000).dropped == {}
    assert read_file(b"#" * 1_001, max_file_bytes=1_000).dropped == {"too_large": 1}
    grown = b"# coding: latin-1\n" + b"\xe9" * 900
    assert read_file(grown, max_file_bytes=1_000).dropped == {"too_large": 1}
    for blank in (b"", b" \n\t", b"\xef\xbb\xbf"):
        assert read_file(blank).dropped == {"empty": 1}
