"""The formats of dump objects: a suffix decides which one an object has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from c2c_tasks.config import SourceOptions
from c2c_tasks.records import SourceFile
from c2c_tasks.sources.archives import read_tar, read_zip
from c2c_tasks.sources.files import Origin, Skipped
from c2c_tasks.sources.jsonl import check_json_lines, read_json_lines
from c2c_tasks.sources.parquet import check_parquet, read_parquet
from c2c_tasks.sources.python_files import read_python_file

Kind = Literal["records", "archive", "python"]
Reader = Callable[[Origin, SourceOptions], Iterator[SourceFile | Skipped]]
Check = Callable[[str, SourceOptions], bool]


@dataclass(frozen=True, slots=True)
class Format:
    """How objects of one suffix are read."""

    suffix: str
    kind: Kind
    read: Reader
    check: Check | None = None
    """Raises SourceError where an object's columns are not as needed, and returns whether there
    may be records in it; of records alone."""


FORMATS: tuple[Format, ...] = (
    *(
        Format(name + compression, "records", read_json_lines, check_json_lines)
        for name in (".jsonl", ".ndjson", ".json")
        for compression in ("", ".gz", ".zst")
    ),
    Format(".parquet", "records", read_parquet, check_parquet),
    *(Format(suffix, "archive", read_tar) for suffix in (".tar", ".tar.gz", ".tgz", ".tar.zst")),
    Format(".zip", "archive", read_zip),
    Format(".py", "python", read_python_file),
)


def format_of(name: str) -> Format | None:
    """Return the format of the object that a URI or path names, or None."""
    lowered = name.lower()
    return next((item for item in FORMATS if lowered.endswith(item.suffix)), None)
