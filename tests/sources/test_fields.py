"""Columns of the dumps that people have, and of those that they map."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from c2c_tasks.sources import SourceError

Read = Callable[..., Any]

KNOWN = {
    "The Stack v1": {
        "hexsha": "00",
        "ext": "py",
        "lang": "Python",
        "max_stars_repo_path": "p/a.py",
        "max_stars_repo_name": "o/r",
        "max_stars_repo_licenses": ["MIT"],
        "content": "x = 1",
    },
    "The Stack v2": {
        "blob_id": "00",
        "path": "p/a.py",
        "repo_name": "o/r",
        "detected_licenses": ["MIT"],
        "license_type": "permissive",
        "language": "Python",
        "content": "x = 1",
    },
    "CodeParrot": {
        "repo_name": "o/r",
        "path": "p/a.py",
        "copies": "1",
        "content": "x = 1",
        "license": "MIT",
    },
    "GitHub Code": {
        "code": "x = 1",
        "repo_name": "o/r",
        "path": "p/a.py",
        "language": "Python",
        "license": "MIT",
    },
}


@pytest.fixture(params=["jsonl", "parquet"])
def read_rows(request: pytest.FixtureRequest, tmp_path: Path, read_dump: Read) -> Read:
    """Reads a dump of some rows in each format that has columns."""

    def read(*rows: dict[str, Any], **options: Any) -> Any:
        dump = tmp_path / f"a.{request.param}"
        if request.param == "jsonl":
            dump.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        else:
            pq.write_table(pa.Table.from_pylist(list(rows)), dump)
        return read_dump(dump, **options)

    return read


@pytest.mark.parametrize("dump", KNOWN)
def test_known_dumps_are_recognised(read_rows: Read, dump: str) -> None:
    (file,) = read_rows(KNOWN[dump]).files
    assert (file.content, file.path, file.repository) == ("x = 1", "p/a.py", "o/r")
    assert file.licence == "MIT"


def test_columns_are_mapped_by_options(read_rows: Read) -> None:
    row = {"body": "x = 1", "at": "p/a.py", "of": "o/r", "terms": "MIT", "content": "other"}
    (file,) = read_rows(
        row, content_field="body", path_field="at", repository_field="of", licence_field="terms"
    ).files
    assert (file.content, file.path, file.repository) == ("x = 1", "p/a.py", "o/r")
    assert file.licence == "MIT"


@pytest.mark.parametrize(
    "option", ["content_field", "path_field", "repository_field", "licence_field"]
)
def test_a_column_that_is_not_there(read_rows: Read, option: str) -> None:
    with pytest.raises(SourceError, match=rf"no column 'nope' \(option {option}\).*content"):
        read_rows(KNOWN["CodeParrot"], **{option: "nope"})


def test_no_column_of_contents(read_rows: Read) -> None:
    with pytest.raises(SourceError, match=r"a\.\w+: no column.*content_field; its columns: body"):
        read_rows({"body": "x = 1"})


def test_identifiers_in_place_of_contents(read_rows: Read) -> None:
    with pytest.raises(SourceError, match=r"'blob_id'.*download the contents first"):
        read_rows({"blob_id": "00", "path": "a.py"})


@pytest.mark.parametrize(
    ("row", "read"),
    [
        ({"lang": "Python", "path": "a"}, True),
        ({"lang": "Python3", "path": "a.txt"}, True),
        ({"language": "Java", "path": "a.py"}, False),
        ({"path": "a.PY"}, True),
        ({"path": "a.pyc"}, False),
        ({"size": 3}, True),
    ],
)
def test_the_language_goes_before_the_suffix(
    read_rows: Read, row: dict[str, Any], read: bool
) -> None:
    reading = read_rows(row | {"content": "x = 1"})
    assert len(reading.files) == read
    assert reading.dropped == ({} if read else {"not_python": 1})


@pytest.mark.parametrize(
    ("licences", "joined"),
    [
        (["mit", "Apache-2.0", "MIT", ""], "MIT AND Apache-2.0"),
        (["MIT OR GPL-3.0", "ISC"], "(MIT OR GPL-3.0-only) AND ISC"),
        ([""], None),
        ("", None),
        (3, None),
        ("other", "LicenseRef-other"),
        ("bsd-3-clause", "BSD-3-Clause"),
    ],
)
def test_licences(read_rows: Read, licences: object, joined: str | None) -> None:
    (file,) = read_rows({"content": "x = 1", "license": licences}).files
    assert file.licence == joined


@pytest.mark.parametrize(
    ("column", "licence"),
    [("mit", "MIT AND ISC"), ("isc", "ISC"), (None, "ISC")],
)
def test_the_own_tag_of_a_file_is_asked_for_too(
    read_rows: Read, column: str | None, licence: str
) -> None:
    row = {"content": "# SPDX-License-Identifier: ISC\nx = 1", "license": column}
    (file,) = read_rows(row, {"content": "y = 1", "license": "mit"}).files[:1]
    assert file.licence == licence
