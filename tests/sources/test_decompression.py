"""Compressed streams are whole, or say where they stop."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard

from c2c_tasks.sources.decompression import DAMAGED, open_plain

PARTS = [bytes([n]) * 300_000 for n in range(3)]
SKIPPABLE = b"\x50\x2a\x4d\x18\x05\x00\x00\x00notes"
"""A frame without data, as `pzstd` and seekable files have them."""
COMPRESS = {".gz": gzip.compress, ".zst": zstandard.compress}
BOTH = pytest.mark.parametrize("suffix", COMPRESS)


@BOTH
def test_members_and_frames_follow_each_other(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"".join(map(COMPRESS[suffix], PARTS)))
    with open_plain(path.as_uri()) as stream:
        assert stream.read() == b"".join(PARTS)


@BOTH
@pytest.mark.parametrize("tail", [b"garbage", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd\x04"])
def test_all_before_the_damage_is_read(tmp_path: Path, suffix: str, tail: bytes) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(COMPRESS[suffix](b"line\n" * 99) + tail)
    with open_plain(path.as_uri()) as stream:
        assert [stream.readline() for _ in range(99)] == [b"line\n"] * 99
        with pytest.raises(DAMAGED):
            stream.readline()


def test_frames_that_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.zst"
    path.write_bytes(SKIPPABLE + zstandard.compress(b"data") + SKIPPABLE)
    with open_plain(path.as_uri()) as stream:
        assert stream.read() == b"data"


def test_other_suffixes_are_left_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(gzip.compress(b"data"))
    with open_plain(path.as_uri()) as stream:
        assert stream.read() == path.read_bytes()
