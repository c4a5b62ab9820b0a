"""The ledger: files that releases share, rows that take the place of others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from c2c_tasks.pipeline.merging import KEY_SCHEMA
from c2c_tasks.publishing import ledger
from c2c_tasks.publishing.ledger import write_ledger
from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.records import LedgerEntry, Standing, arrow_schema, to_row
from c2c_tasks.shards import ROW_GROUP, read_columns, write_parquet
from c2c_tasks.store import store_for


def entry(name: str, standing: Standing = "kept", *, dump: str = "d", line: int = 1) -> LedgerEntry:
    return LedgerEntry(
        function_id=name,
        program="",
        entry_point="f",
        parameters=[],
        repository="r",
        path="a.py",
        first_line=line,
        last_line=line,
        licence=None,
        dump=dump,
        source_sha256="",
        signature=b"",
        shingles=b"",
        ingested=1,
        standing=standing,
    )


class Ledger:
    """The ledger of a target, release by release."""

    def __init__(self, target: str, folder: Path) -> None:
        self.target, self.folder = target, folder
        self.files: list[FileEntry] = []

    def write(
        self,
        entries: Iterable[LedgerEntry],
        replaced: Iterable[LedgerEntry] = (),
        gave_way: dict[str, str] | None = None,
        pending: Iterable[str] = (),
    ) -> None:
        new, old = self.folder / "entries.parquet", self.folder / "replaced.parquet"
        _write(new, arrow_schema(LedgerEntry), entries)
        _write(old, KEY_SCHEMA, replaced)
        self.files = write_ledger(
            self.target,
            self.files,
            self.folder,
            replaced=old,
            entries=new,
            gave_way=gave_way or {},
            pending=set(pending),
        )

    def rows(self) -> list[tuple[str, str, str | None]]:
        columns = ("function_id", "standing", "leader")
        return sorted(
            row for e in self.files for row in read_columns(f"{self.target}/{e.path}", columns)
        )


def _write(path: Path, schema: pa.Schema, rows: Iterable[Any]) -> None:
    columns = [{name: to_row(row)[name] for name in schema.names} for row in rows]
    write_parquet(path, schema, columns)


@pytest.fixture
def written(target: str, tmp_path: Path) -> Ledger:
    return Ledger(target, tmp_path)


def test_a_release_takes_over_the_files_that_are_still_true(written: Ledger) -> None:
    written.write([entry("a"), entry("b")])
    (first,) = written.files
    written.write([entry("c")])
    assert first in written.files and len(written.files) == 2
    written.write([entry("b", "near_duplicate")], replaced=[entry("b")])
    assert first not in written.files
    assert [row[:2] for row in written.rows()] == [
        ("a", "kept"),
        ("b", "near_duplicate"),
        ("c", "kept"),
    ]
    # The release before still has its ledger.
    assert store_for(written.target).head(f"{written.target}/{first.path}") is not None


def test_one_place_of_a_function_goes_and_the_others_stay(written: Ledger) -> None:
    places = [entry("a"), entry("a", "exact_duplicate", line=9), entry("a", dump="e")]
    written.write(places)
    written.write([], replaced=[places[1]])
    assert len(written.rows()) == 2


def test_what_gave_way_and_what_failed_is_entered_as_such(written: Ledger) -> None:
    entries = [entry("a"), entry("b"), entry("c", "near_duplicate"), entry("d")]
    written.write(entries, gave_way={"b": "a", "c": "a"}, pending=["d"])
    assert written.rows() == [
        ("a", "kept", None),
        ("b", "behavioural_duplicate", "a"),
        ("c", "near_duplicate", None),
        ("d", "pending", None),
    ]


def test_the_same_rows_are_the_same_file(written: Ledger) -> None:
    written.write([entry("a")])
    first = written.files
    written.files = []
    written.write([entry("a")])
    assert written.files == first


def test_many_small_files_are_joined(written: Ledger) -> None:
    for night in range(ledger.MAX_SMALL_FILES + 5):
        written.write([entry(f"{night:02d}")])
        assert len(written.files) <= ledger.MAX_SMALL_FILES + 2
    assert len(written.rows()) == ledger.MAX_SMALL_FILES + 5


def test_files_do_not_grow_for_ever(written: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "ROWS_PER_FILE", ROW_GROUP)
    written.write([entry(f"{number:05d}") for number in range(2 * ROW_GROUP + 5)])
    assert sorted(e.rows or 0 for e in written.files) == [5, ROW_GROUP, ROW_GROUP]
