"""Every repository, licence and file of a release is named, and strangers' names stay names."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from c2c_tasks.publishing.attribution import ATTRIBUTION, write_attribution

Row = tuple[str, str | None, str]

ROWS: list[Row] = [
    ("b/two", "MIT", "z.py"),
    ("a/one", "Apache-2.0 OR MIT", "src/a.py"),
    ("b/two", "MIT", "a.py"),
    ("b/two", "MIT", "z.py"),
    ("b/two", None, "c.py"),
]


def parquet(path: Path, rows: list[Row]) -> str:
    names = ("repository", "licence", "path")
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    pq.write_table(pa.table({"other": [1] * len(rows)} | columns), path)
    return path.as_uri()


def test_the_file_names_what_was_used(tmp_path: Path) -> None:
    file = write_attribution(tmp_path, [parquet(tmp_path / "a.parquet", ROWS)])
    assert file == tmp_path / ATTRIBUTION
    _, _, told = file.read_text().partition("spdx.org/licenses).\n\n")
    assert (
        told
        == """\
| licence | repositories | programs |
| --- | ---: | ---: |
| `MIT` | 1 | 3 |
| `Apache-2.0 OR MIT` | 1 | 1 |
| `not stated` | 1 | 1 |

## `a/one`

`Apache-2.0 OR MIT`, 1 program:

- `src/a.py`

## `b/two`

`MIT`, 3 programs:

- `a.py`
- `z.py`

`not stated`, 1 program:

- `c.py`
"""
    )


def test_the_bytes_do_not_depend_on_the_files(tmp_path: Path) -> None:
    rows = [(f"o/r{i % 7}", "MIT", f"p{i}.py") for i in range(500)]
    one = write_attribution(tmp_path, [parquet(tmp_path / "a.parquet", rows)]).read_bytes()
    parts = [parquet(tmp_path / f"{i}.parquet", rows[i::3][::-1]) for i in range(3)]
    assert write_attribution(tmp_path, parts).read_bytes() == one


@pytest.mark.s3
def test_files_in_s3_are_read(tmp_path: Path, s3_bucket: str) -> None:
    from c2c_tasks.store import store_for

    uri = f"{s3_bucket}/programs/train.parquet"
    parquet(tmp_path / "a.parquet", ROWS)
    store_for(uri).upload(uri, tmp_path / "a.parquet")
    assert "## `b/two`" in write_attribution(tmp_path, [uri]).read_text()


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("a\n## b.py", "- `a\\n## b.py`\n"),
        ("a`b``.py", "- ``` a`b``.py ```\n"),
        ("é.py", "- `é.py`\n"),
    ],
)
def test_names_do_not_mark_up_the_page(tmp_path: Path, path: str, shown: str) -> None:
    rows: list[Row] = [("o/r", "MIT", path)]
    told = write_attribution(tmp_path, [parquet(tmp_path / "a.parquet", rows)]).read_text()
    assert told.endswith(shown)


def test_no_programs(tmp_path: Path) -> None:
    assert "## " not in write_attribution(tmp_path, []).read_text()
