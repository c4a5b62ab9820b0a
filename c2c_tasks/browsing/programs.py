"""The programs of a release: searched by the row group, so much for each request.

A request stops at a full page or at its budget, whichever comes first, and its cursor goes on
from there. A release is never read whole unless somebody asks on until its end.
"""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from c2c_tasks.browsing.caching import Recent
from c2c_tasks.browsing.cursors import Position, read_cursor, write_cursor
from c2c_tasks.browsing.refusals import MAX_PAGE, InvalidRequest
from c2c_tasks.browsing.releases import open_kept_release
from c2c_tasks.browsing.row_groups import DataFile, open_data_file
from c2c_tasks.consuming.finding import FoundRelease
from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.publishing.origins import ORIGINS, UNKNOWN_LICENCE
from c2c_tasks.records import SPLITS

MAX_ROWS = 100_000
MAX_BYTES = 64 << 20
MAX_SECONDS = 2.0
"""What one request looks at: whichever comes first, at the end of a row group."""
MAX_ORIGINS = 2_000_000
"""Source files up to which the licences of a release are gathered."""

_ITEM = ("function_id", "entry_point", "repository", "path", "licence", "split", "coverage")
_TEXTS = ("entry_point", "repository", "path", "program")
_LICENCES: Recent[str, list[str]] = Recent(64)


@dataclass(frozen=True, slots=True)
class Search:
    """Which programs are asked for; empty: any."""

    text: str = ""
    """Part of the name, the repository, the path or the program, in whatever case."""
    split: str = ""
    licence: str = ""
    """As `facets` names it."""
    repository: str = ""
    """Whole name."""


def search_programs(
    target: str | None, version: str, search: Search, *, cursor: str | None = None, limit: int = 20
) -> dict[str, Any]:
    """Return a page of the programs that a search finds, in the order of the files.

    Raises InvalidRequest where split or cursor are none, NothingThere where the release or its
    files are not there, StoreError where they cannot be read.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidRequest(f"limit: from 1 to {MAX_PAGE}")
    if search.split and search.split not in SPLITS:
        raise InvalidRequest(f"split: one of {', '.join(SPLITS)}")
    release = open_kept_release(target, version)
    files = _files(release, search.split)
    asked = (release.uri, release.manifest.build_id, *astuple(search))
    work = _Page(release.uri, files, search, limit, read_cursor(cursor, asked))
    work.fill()
    return {
        "items": work.items,
        "next_cursor": write_cursor(work.position, asked) if work.position else None,
        "scanned": work.scanned,
        "rows": sum(entry.rows or 0 for entry in files),
        "facets": {
            "licences": _licences(release),
            "splits": list(release.manifest.splits.get("programs", {})),
        },
    }


class _Page:
    """One request's work, and how far it came."""

    def __init__(
        self,
        release: str,
        files: list[FileEntry],
        search: Search,
        limit: int,
        position: Position,
    ) -> None:
        self._release, self._files, self._search, self._limit = release, files, search, limit
        self._deadline = time.monotonic() + MAX_SECONDS
        self._bytes = 0
        self.items: list[dict[str, Any]] = []
        self.scanned = 0
        self.position: Position | None = position
        """Of the next row; None at the end."""

    def fill(self) -> None:
        """Go on until the page is full, the budget is spent or the files end."""
        while self.position and self.position.file < len(self._files):
            number = self.position.file
            with open_data_file(self._release, self._files[number]) as file:
                while self.position.group < file.groups:
                    if self._is_done():
                        return
                    self.position = self._read(file, self.position)
            self.position = Position(number + 1)
        self.position = None

    def _is_done(self) -> bool:
        if len(self.items) >= self._limit:
            return True
        # Each request gets on by one row group at least, however slow the store is.
        return self.scanned > 0 and (
            self.scanned >= MAX_ROWS
            or self._bytes >= MAX_BYTES
            or time.monotonic() > self._deadline
        )

    def _read(self, file: DataFile, position: Position) -> Position:
        """Take what is found in a row group; return the next position."""
        rows = file.rows(position.group)
        found = [row for row in self._matching(file, position.group) if row >= position.row]
        taken = found[: self._limit - len(self.items)]
        if taken:
            self.items += self._described(file, position.group, taken)
        if len(taken) < len(found):
            self.scanned += taken[-1] + 1 - position.row
            return position._replace(row=taken[-1] + 1)
        self.scanned += max(0, rows - position.row)
        return Position(position.file, position.group + 1)

    def _matching(self, file: DataFile, group: int) -> list[int]:
        """Return the rows of a row group that are asked for."""
        search = self._search
        rows = file.rows(group)
        mask: Any = None
        exact = {"licence": search.licence, "repository": search.repository}
        for column, value in ((name, value) for name, value in exact.items() if value):
            wanted = None if (column, value) == ("licence", UNKNOWN_LICENCE) else value
            if not file.may_hold(group, column, wanted):
                return []
            here = _equal(self._columns(file, group, column).column(0), wanted)
            mask = here if mask is None else pc.and_(mask, here)
        if mask is not None and not pc.any(mask).as_py():
            return []
        if search.text:
            here = self._holding_text(file, group)
            mask = here if mask is None else pc.and_(mask, here)
        if mask is None:
            return list(range(rows))
        return [int(row) for row in pc.indices_nonzero(mask).to_pylist()]

    def _holding_text(self, file: DataFile, group: int) -> Any:
        found: Any = None
        for texts in self._columns(file, group, *_TEXTS).columns:
            here = pc.match_substring(texts, self._search.text, ignore_case=True)
            found = here if found is None else pc.or_(found, here)
        return found

    def _columns(self, file: DataFile, group: int, *columns: str) -> pa.Table:
        self._bytes += file.bytes(group, columns)
        return file.read(group, columns)

    def _described(self, file: DataFile, group: int, rows: list[int]) -> list[dict[str, Any]]:
        outcomes = file.leaf("cases", "outcome")  # the smallest one that tells how many there are
        table = self._columns(file, group, *_ITEM, outcomes).take(rows)
        return [{**row, "cases": len(row["cases"])} for row in table.to_pylist()]


def _equal(texts: Any, wanted: str | None) -> Any:
    """Return in which rows a text is the one that is wanted (None: there is none)."""
    if wanted is None:
        return pc.is_null(texts)
    return pc.fill_null(pc.equal(texts, pa.scalar(wanted)), False)


def _files(release: FoundRelease, split: str) -> list[FileEntry]:
    """Return the files of programs, training first."""
    entries = [entry for entry in release.manifest.files if entry.config == "programs"]
    order = [split] if split else SPLITS
    return [entry for name in order for entry in entries if entry.split == name]


def _licences(release: FoundRelease) -> list[str] | None:
    """Return the licences of a release; None where that would take long to find out."""
    entry = next((e for e in release.manifest.files if e.path == ORIGINS), None)
    if entry is None or (entry.rows or 0) > MAX_ORIGINS:
        return None
    return _LICENCES.get(entry.sha256, lambda: _read_licences(release.uri, entry))


def _read_licences(release: str, entry: FileEntry) -> list[str]:
    found: set[str | None] = set()
    with open_data_file(release, entry) as file:
        for group in range(file.groups):
            found.update(file.read(group, ["licence"]).column(0).unique().to_pylist())
    return sorted(name for name in found if name) + [UNKNOWN_LICENCE] * (None in found)
