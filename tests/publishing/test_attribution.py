"""Every repository, licence and file of a release is named, and strangers' names stay names."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from c2c_tasks.publishing.attribution import ATTRIBUTION, write_attribution
from c2c_tasks.publishing.origins import SCHEMA, origins_of

Row = tuple[str, str | None, str]

ROWS: list[Row] = [
    ("b/two", "MIT", "z.py"),
    ("a/one", "Apache-2.0 OR MIT", "src/a.py"),
    ("b/two", "MIT", "a.py"),
    ("b/two", "MIT", "z.py"),
    ("b/two", None, "c.py"),
]


def attribution(folder: Path, *files: list[Row]) -> Path:
    """Write the attribution of files of programs with these rows."""
    names = ("repository", "licence", "path")
    with pq.ParquetWriter(folder / "origins.parquet", SCHEMA) as origins:
        for number, rows in enumerate(files):
            columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
            pq.write_table(pa.table({"other": [1] * len(rows)} | columns), folder / "programs")
            origins.write_table(origins_of(folder / "programs", str(number)))
    return write_attribution(folder, folder / "origins.parquet")


def test_the_file_names_what_was_used(tmp_path: Path) -> None:
    file = attribution(tmp_path, ROWS)
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
    one = attribution(tmp_path, rows).read_bytes()
    assert attribution(tmp_path, *(rows[i::3][::-1] for i in range(3))).read_bytes() == one


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("a\n## b.py", "- `a\\n## b.py`\n"),
        ("a`b``.py", "- ``` a`b``.py ```\n"),
        ("a|b.py", "- `a|b.py`\n"),
        ("é.py", "- `é.py`\n"),
    ],
)
def test_names_do_not_mark_up_the_page(tmp_path: Path, path: str, shown: str) -> None:
    rows: list[Row] = [("o/r", "MIT", path)]
    told = attribution(tmp_path, rows).read_text()
    assert told.endswith(shown)


def test_no_programs(tmp_path: Path) -> None:
    assert "## " not in attribution(tmp_path).read_text()
