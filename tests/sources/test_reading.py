"""Every format tells the same; damage is counted, named, and never a traceback."""

from __future__ import annotations

import gzip
import hashlib
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c2c_tasks.config import SourceOptions
from c2c_tasks.shards import StepReport
from c2c_tasks.sources import SourceError, read_object
from c2c_tasks.sources.formats import FORMATS
from c2c_tasks.store import ObjectNotFound, StoreError, store_for

Read = Callable[..., Any]
Makers = dict[str, Callable[..., bytes]]

FILES = {"src/a.py": "a = 'naïve'\n", "src/b.py": "\tb = 2\r\n", "c.PY": "c = '\x00'"}
SUFFIXES = [item.suffix for item in FORMATS if item.kind != "python"]
COMPRESSED = [suffix for suffix in SUFFIXES if suffix.endswith(("gz", "zst"))]
WHOLE = [*COMPRESSED, ".parquet", ".tar", ".zip"]
"""Suffixes of objects that tell by themselves when something is missing from them."""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_formats_hold_the_same_files(
    tmp_path: Path, makers: Makers, read_dump: Read, suffix: str
) -> None:
    dump = tmp_path / f"some-repository{suffix.upper()}"
    dump.write_bytes(makers[suffix](FILES | {"README.md": "no code"}))
    reading = read_dump(dump)
    assert reading.contents == FILES
    assert reading.problems == []
    for file in reading.files:
        assert (file.dump, file.repository) == (dump.as_uri(), "some-repository")
        assert file.sha256 == hashlib.sha256(file.content.encode()).hexdigest()
        assert file.licence is None


@pytest.mark.parametrize(
    "suffix", [".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet", ".tar", ".tgz", ".zip"]
)
def test_s3_tells_what_a_file_does(
    s3_bucket: str, makers: Makers, read_dump: Read, suffix: str
) -> None:
    uri = f"{s3_bucket}/a dump/naïve #1{suffix}"
    store_for(uri).write(uri, makers[suffix](FILES))
    for dump in (uri, f"{s3_bucket}/a dump/", s3_bucket):
        reading = read_dump(dump)
        assert reading.contents == FILES
        assert {file.dump for file in reading.files} == {uri}


@pytest.mark.parametrize("suffix", WHOLE)
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_truncated_object_is_counted_and_named(
    tmp_path: Path, makers: Makers, read_dump: Read, suffix: str, share: float
) -> None:
    files = {f"{n}.py": hashlib.sha512(b"%d" % n).hexdigest() * 9 for n in range(2_000)}
    data = makers[suffix](files)
    dump = tmp_path / f"cut{suffix}"
    dump.write_bytes(data[: int(len(data) * share)])
    reading = read_dump(dump)
    assert reading.dropped == {"unreadable_object": 1}
    assert [problem.split(": ")[0] for problem in reading.problems] == [dump.as_uri()]
    assert reading.contents.items() <= files.items()
    if suffix not in (".parquet", ".zip"):  # their index is at the end
        assert 0 < len(reading.files) < len(files)


def test_a_truncated_object_of_s3(s3_bucket: str, makers: Makers, read_dump: Read) -> None:
    uri = f"{s3_bucket}/cut.jsonl.gz"
    store_for(uri).write(uri, makers[".jsonl.gz"](FILES)[:-12])
    assert read_dump(s3_bucket).dropped == {"unreadable_object": 1}


def test_the_report_names_five_records_and_counts_all(tmp_path: Path, read_dump: Read) -> None:
    dump = tmp_path / "a.jsonl"
    dump.write_text('{"content": "x = 1"}\n' + "no json\n" * 30)
    reading = read_dump(dump)
    assert reading.dropped == {"corrupt_record": 30}
    assert len(reading.problems) == 6
    assert reading.problems[5] == f"{dump.as_uri()}: 25 more of such records"
    assert reading.problems[0].startswith(f"{dump.as_uri()}: line 2: not JSON")


def test_the_end_of_an_object_is_named_after_all_else(
    tmp_path: Path, makers: Makers, read_dump: Read
) -> None:
    lines = b'{"content": "x = 1"}\n' + b"no json\n" * 30
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines)[:-4])
    assert "cannot be read after line 31" in read_dump(tmp_path).problems[-2]


def test_an_object_with_other_columns_than_the_first_is_a_counted_skip(
    tmp_path: Path, read_dump: Read
) -> None:
    (tmp_path / "a.jsonl").write_text('{"content": "x = 1"}\n')
    (tmp_path / "b.jsonl").write_text('{"body": "x = 2"}\n')
    reading = read_dump(tmp_path)
    assert [file.content for file in reading.files] == ["x = 1"]
    assert reading.dropped == {"wrong_columns": 1}
    assert "b.jsonl: no column of file contents is recognised" in reading.problems[0]


def test_a_wrong_mapping_is_seen_beside_objects_that_hold_nothing(
    tmp_path: Path, read_dump: Read
) -> None:
    (tmp_path / "a.jsonl").write_text('{"content": "x = 1"}\n')
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "m.py").write_text("x = 1\n")
    with pytest.raises(SourceError, match=r"a\.jsonl: no column 'contnt'"):
        read_dump(tmp_path, content_field="contnt")


def test_an_object_of_no_format(tmp_path: Path) -> None:
    uri = (tmp_path / "a.csv").as_uri()
    with pytest.raises(SourceError, match=r"a\.csv: not an object of a dump.*\.parquet"):
        next(read_object(uri, SourceOptions(dump=str(tmp_path)), StepReport("extract", "")))


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".py"])
def test_an_object_that_is_gone(
    s3_bucket: str, tmp_path: Path, read_one: Read, suffix: str
) -> None:
    for place in (tmp_path.as_uri(), s3_bucket):
        with pytest.raises(ObjectNotFound, match=f"gone{suffix}"):
            read_one(f"{place}/gone{suffix}")


def test_a_store_that_does_not_answer_is_no_skip(s3_bucket: str, read_one: Read) -> None:
    with pytest.raises(StoreError, match="no such bucket"):
        read_one(f"{s3_bucket}-missing/a.jsonl")


def test_a_file_that_cannot_be_read_is_a_skip(tmp_path: Path, read_one: Read) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    reading = read_one((tmp_path / "folder.jsonl").as_uri())
    assert reading.dropped == {"unreadable_object": 1}
    assert "folder.jsonl: cannot be read" in reading.problems[0]


@pytest.mark.parametrize(
    "suffix", [".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet", ".tar", ".zip"]
)
def test_memory_does_not_grow_with_the_object(tmp_path: Path, makers: Makers, suffix: str) -> None:
    random = Random(0)
    files = {f"{n}.py": random.randbytes(25_000).hex() for n in range(350)}
    peaks = []
    for count in (120, 350):
        path = tmp_path / f"{count}{suffix}"
        path.write_bytes(makers[suffix](dict(list(files.items())[:count])))
        options = SourceOptions(dump=str(path))
        tracemalloc.start()
        read = sum(1 for _ in read_object(path.as_uri(), options, StepReport("extract", "")))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert read == count
    # 11 MB more to read
    assert peaks[1] - peaks[0] < 1_000_000


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """What is left of `data` after some bytes of it were changed and some cut off."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(0, 4))):
        changed[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    start = draw(st.integers(0, 3))
    end = draw(st.integers(start, len(data)) | st.just(len(data)))
    return bytes(changed[start:end])


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".py"])
@settings(max_examples=30)
@given(data=st.data())
def test_no_bytes_make_a_reader_fail(
    tmp_path_factory: pytest.TempPathFactory,
    makers: Makers,
    read_one: Read,
    suffix: str,
    data: st.DataObject,
) -> None:
    whole = makers[suffix](FILES) if suffix in makers else FILES["src/a.py"].encode()
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(data.draw(damaged(whole) | st.binary(max_size=600)))
    try:
        reading = read_one(path.as_uri())
    except SourceError as error:  # columns may be damaged so that there are none
        assert str(error).startswith(path.as_uri())
        assert suffix.startswith((".json", ".ndjson", ".parquet"))
        return
    for file in reading.files:
        assert file.content.strip()
        file.path.encode()


texts = st.text(max_size=200).filter(lambda text: not text.startswith("\ufeff"))


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet"])
@settings(max_examples=30)
@given(contents=st.lists(texts, max_size=8))
def test_records_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory,
    makers: Makers,
    read_one: Read,
    suffix: str,
    contents: list[str],
) -> None:
    files = {f"{n}.py": text for n, text in enumerate(contents)}
    path = tmp_path_factory.getbasetemp() / f"round{suffix}"
    path.write_bytes(makers[suffix](files))
    reading = read_one(path.as_uri())
    assert reading.contents == {name: text for name, text in files.items() if text.strip()}
    blank = len(files) - len(reading.files)
    assert reading.dropped == ({"empty": blank} if blank else {})


names = st.lists(
    st.text("abc_é 日", min_size=1, max_size=40).map(str.strip).filter(bool), min_size=1, max_size=4
).map(lambda parts: "/".join(parts) + ".py")
sources = st.text(max_size=200).map(lambda text: f"# -*- coding: utf-8 -*-\n{text}")


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.zst", ".zip"])
@settings(max_examples=30)
@given(files=st.dictionaries(names, sources, max_size=8))
def test_archives_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory,
    makers: Makers,
    read_one: Read,
    suffix: str,
    files: dict[str, str],
) -> None:
    path = tmp_path_factory.getbasetemp() / f"round{suffix}"
    path.write_bytes(makers[suffix](files))
    reading = read_one(path.as_uri())
    assert reading.contents == files
    assert reading.dropped == {}
