"""Dumps of every format, and reading them as the pipeline does."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from c2c_tasks.config import SourceOptions
from c2c_tasks.records import SourceFile
from c2c_tasks.shards import StepReport
from c2c_tasks.sources import list_dump, read_object

Files = Mapping[str, str]
Make = Callable[[Files], bytes]


@dataclass(frozen=True)
class Reading:
    """What came of a dump or of an object of it."""

    files: list[SourceFile]
    dropped: dict[str, int]
    problems: list[str]

    @property
    def contents(self) -> dict[str, str]:
        return {file.path: file.content for file in self.files}


@pytest.fixture(scope="session")
def read_dump() -> Callable[..., Reading]:
    """Lists a dump and reads all of it."""

    def read(dump: object, **options: Any) -> Reading:
        given = SourceOptions(dump=str(dump), **options)
        return _read([item.uri for item in list_dump(given)], given)

    return read


@pytest.fixture(scope="session")
def read_one() -> Callable[..., Reading]:
    """Reads one object, as a task does long after the dump was listed."""

    def read(uri: str, **options: Any) -> Reading:
        return _read([uri], SourceOptions(dump=uri, **options))

    return read


@pytest.fixture(scope="session")
def makers() -> dict[str, Make]:
    """By suffix, what makes an object that holds the same files as those of the others."""
    made: dict[str, Make] = {".parquet": _parquet, ".zip": _zip, ".tar": _tar}
    for name in (".jsonl", ".ndjson", ".json"):
        made |= {name: _json_lines, f"{name}.gz": _gzip(_json_lines)}
        made[f"{name}.zst"] = _zstd(_json_lines)
    return made | {".tar.gz": _gzip(_tar), ".tgz": _gzip(_tar), ".tar.zst": _zstd(_tar)}


def _read(uris: list[str], options: SourceOptions) -> Reading:
    report = StepReport("extract", "shard")
    files = [file for uri in uris for file in read_object(uri, options, report)]
    (stage,) = report.stages
    stage.check()
    assert (stage.name, stage.unit, stage.rows_out) == ("source files", "files", len(files))
    return Reading(files, stage.dropped, report.problems)


def _json_lines(files: Files) -> bytes:
    rows = [json.dumps({"path": path, "content": text}) for path, text in files.items()]
    return "".join(f"{row}\n" for row in rows).encode()


def _parquet(files: Files) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"path": list(files), "content": list(files.values())}), sink)
    return sink.getvalue()


def _tar(files: Files) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return sink.getvalue()


def _zip(files: Files) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, text.encode())
    return sink.getvalue()


def _gzip(make: Make) -> Make:
    return lambda files: gzip.compress(make(files), compresslevel=1)


def _zstd(make: Make) -> Make:
    return lambda files: zstandard.compress(make(files))
