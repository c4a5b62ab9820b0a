"""Bombs are given up, counted and named; honest data that repeats itself is not."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from c2c_tasks.sources.expansion import FREE_BYTES, MAX_RATIO, Bomb, Expansion

Read = Callable[..., Any]

PIECE = bytes(1 << 24)
PIECES = 40
"""A bomb of 640 MiB: enough to be told from none by the time it takes."""


def gzip_bomb(start: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    parts = [packer.compress(start), *(packer.compress(PIECE) for _ in range(PIECES))]
    return b"".join([*parts, packer.flush()])


def zstd_bomb(start: bytes) -> bytes:
    packer = zstandard.ZstdCompressor().compressobj()
    parts = [packer.compress(start), *(packer.compress(PIECE) for _ in range(PIECES))]
    return b"".join([*parts, packer.flush()])


BOMBS = {".gz": gzip_bomb, ".zst": zstd_bomb}
LINE = b'{"path": "a.py", "content": "x = 1"}\n'


@pytest.mark.parametrize("compression", BOMBS)
@pytest.mark.parametrize("kind", [".jsonl", ".tar"])
def test_a_compressed_bomb(tmp_path: Path, read_dump: Read, kind: str, compression: str) -> None:
    dump = tmp_path / f"bomb{kind}{compression}"
    start = LINE if kind == ".jsonl" else _tar_start()
    dump.write_bytes(BOMBS[compression](start))
    began = time.process_time()
    reading = read_dump(dump)
    assert time.process_time() - began < 5
    assert [file.content.strip() for file in reading.files] == ["x = 1"]
    assert reading.dropped["decompression_bomb"] == 1
    assert "expand to" in reading.problems[-1]


def _tar_start() -> bytes:
    """An archive with one file, and then one of 10 GB that nobody wants, of which all is zeros."""
    file, bomb = tarfile.TarInfo("a.py"), tarfile.TarInfo("zeros.bin")
    file.size, bomb.size = 6, 10**10
    return file.tobuf() + b"x = 1\n".ljust(512, b"\0") + bomb.tobuf()


def test_members_of_a_zip_that_share_their_data(tmp_path: Path, read_dump: Read) -> None:
    dump = tmp_path / "bomb.zip"
    dump.write_bytes(overlapping_zip(b"x = 1\n" + b"#" * 999_000, 400))
    reading = read_dump(dump)
    assert reading.dropped == {"decompression_bomb": 1}
    assert len(reading.files) * 999_006 <= FREE_BYTES + MAX_RATIO * dump.stat().st_size


def overlapping_zip(data: bytes, count: int) -> bytes:
    """A zip archive of which all members but their names are the same bytes."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0000.py", data)
    whole = sink.getvalue()
    start = whole.index(b"PK\x01\x02")
    end = whole.index(b"PK\x05\x06")
    local, central = whole[:start], whole[start:end]
    header = local[: local.index(b"0000.py")]
    packed = local[len(header) + len(b"0000.py") :]
    locals_, entries = b"", b""
    # Each header calls the headers between it and the data its extra field.
    size = len(header) + 7
    for number in range(count):
        name = b"%04d.py" % number
        extra = (count - 1 - number) * size
        if extra > 0xFFFF:
            continue
        offset = len(locals_)
        locals_ += header[:28] + struct.pack("<H", extra) + name
        entries += central[:42] + struct.pack("<I", offset) + name
    total = entries.count(b"PK\x01\x02")
    directory = struct.pack(
        "<4s4H2IH", b"PK\x05\x06", 0, 0, total, total, len(entries), len(locals_ + packed), 0
    )
    return locals_ + packed + entries + directory


def test_a_parquet_file_of_one_value(tmp_path: Path, read_dump: Read) -> None:
    dump = tmp_path / "bomb.parquet"
    value = "x = 1\n" + "#" * 90_000
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 10_000, pa.int32()), pa.array([value]))
    pq.write_table(pa.table({"content": column}), dump, store_schema=False)
    reading = read_dump(dump)
    assert reading.dropped == {"decompression_bomb": 1}
    assert 0 < len(reading.files) < 10_000


def test_records_that_repeat_each_other_are_no_bomb(tmp_path: Path, read_dump: Read) -> None:
    dump = tmp_path / "same.jsonl.gz"
    dump.write_bytes(gzip.compress(LINE * 100_000))
    assert len(read_dump(dump).files) == 100_000


def test_the_bound_counts_what_was_read_so_far() -> None:
    def grow(expansion: Expansion, stored: int, plain: int) -> Iterator[int]:
        while True:
            expansion.stored += stored
            expansion.add(plain)
            yield expansion.plain

    honest = grow(Expansion(), 1_000, 100_000)
    assert [next(honest) for _ in range(5_000)][-1] > FREE_BYTES
    bomb = grow(Expansion(), 1_000, 1_000_000)
    with pytest.raises(Bomb, match="bytes expand to"):
        list(bomb)


def test_an_archive_in_an_archive_is_not_opened(tmp_path: Path, read_dump: Read) -> None:
    inner = gzip.compress(gzip.compress(LINE))
    dump = tmp_path / "outer.zip"
    with zipfile.ZipFile(dump, "w") as archive:
        archive.writestr("inner.jsonl.gz", inner)
        archive.writestr("a.py", "x = 1\n")
    assert [file.path for file in read_dump(dump).files] == ["a.py"]
    twice = tmp_path / "twice.jsonl.gz"
    twice.write_bytes(inner)
    assert read_dump(twice).files == []


def test_a_file_of_50_megabytes_in_one_line(tmp_path: Path, read_dump: Read) -> None:
    (tmp_path / "a.py").write_bytes(b"x = [" + b"1," * 25_000_000 + b"]")
    assert read_dump(tmp_path).dropped == {"too_large": 1}
