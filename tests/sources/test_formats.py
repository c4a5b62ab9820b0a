"""A suffix tells the format."""

from __future__ import annotations

import pytest

from c2c_tasks.sources.formats import format_of


@pytest.mark.parametrize(
    ("name", "suffix", "kind"),
    [
        ("s3://b/data/a.JSONL.GZ", ".jsonl.gz", "records"),
        ("file-000000000040.json.gz", ".json.gz", "records"),
        ("train-00000-of-00206.parquet", ".parquet", "records"),
        ("pkg-1.0.tar.gz", ".tar.gz", "archive"),
        ("pkg.tgz", ".tgz", "archive"),
        ("a.jsonl.py", ".py", "python"),
    ],
)
def test_known_suffixes(name: str, suffix: str, kind: str) -> None:
    format_ = format_of(name)
    assert format_ is not None
    assert (format_.suffix, format_.kind) == (suffix, kind)


@pytest.mark.parametrize("name", ["a", "a.csv", "a.gz", "a.tar.bz2", "a.pyc", "py", "a.jsonl.xz"])
def test_unknown_suffixes(name: str) -> None:
    assert format_of(name) is None
