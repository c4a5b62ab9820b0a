"""Programs that differ between two releases, and why, in DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow.parquet as pq

from c2c_tasks.consuming.caching import local_file
from c2c_tasks.consuming.copies import check_held, part_of
from c2c_tasks.consuming.finding import FoundRelease
from c2c_tasks.consuming.parallel import NoMeter, Tick, in_parallel
from c2c_tasks.curation.relations import Relations
from c2c_tasks.publishing.manifest import DUMP_OBJECTS, FileEntry
from c2c_tasks.records import PLACE, LedgerEntry, Program, arrow_schema
from c2c_tasks.store import ObjectInfo

Change = Literal["added", "removed", "changed"]
CHANGES: tuple[Change, ...] = ("added", "removed", "changed")
MEMORY_MEGABYTES = 1_000

_GROUPS = {
    "program": ("program", "entry_point", "parameters"),
    "place": tuple(name for name in PLACE if name != "licence"),
}
"""Columns that change together; every other one is what it is called."""
_STANDINGS = (
    *("kept", "pending", "behavioural_duplicate", "test_split_overlap", "benchmark_overlap"),
    *("near_duplicate", "exact_duplicate"),
)
"""Of a function that the ledger has in several places, the first of these says what became of it:
an ``exact_duplicate`` is a place that another one stands for."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One program that was added, removed or changed."""

    function_id: str
    change: Change
    why: list[str]
    """One reason; of a changed program, all that has changed."""
    leader: str | None
    """What it gives way to, or gave way to before: a function, or a benchmark's problem."""
    entry_point: str
    origin: str
    """Repository and path."""


class ProgramChanges(Relations):
    """The programs that differ. Call `find`, then `explain`, and take the results."""

    def __init__(
        self, folder: Path, before: FoundRelease, after: FoundRelease, *, keep: bool = True
    ) -> None:
        """Compare `after` with `before`, in an empty folder.

        What is fetched goes into the cache, or, without `keep`, into that folder.
        """
        super().__init__(folder, MEMORY_MEGABYTES)
        self._before, self._after = before, after
        self._cache = None if keep else folder

    def find(self) -> None:
        """Find the programs that only one of the releases has, or that differ between them."""
        before, after = _programs(self._before), _programs(self._after)
        shared = {entry.sha256 for entry in before} & {entry.sha256 for entry in after}
        columns: list[set[str]] = []
        for name, release, entries in (
            ("before", self._before, before),
            ("after", self._after, after),
        ):
            paths = self._local(release.uri, [e for e in entries if e.sha256 not in shared])
            self.view(f"programs_{name}", paths, arrow_schema(Program))
            if paths:
                columns.append(set(pq.read_schema(paths[0]).names))
        groups = _groups(set.intersection(*columns) if columns else set())
        for name in ("before", "after"):
            # Digests, so that no text has to be held for the other side.
            digests = [f"hash({', '.join(of)}) AS is_{group}" for group, of in groups.items()]
            self.run(
                f"CREATE VIEW {name} AS SELECT function_id, entry_point, dump, "
                f"repository || '/' || path AS origin{''.join(f', {d}' for d in digests)} "
                f"FROM programs_{name}"
            )
        differing = ", ".join(
            f"CASE WHEN before.is_{g} IS DISTINCT FROM after.is_{g} THEN '{g}' END" for g in groups
        )
        self.run(
            "CREATE TABLE changes AS SELECT * FROM ("
            "SELECT function_id, coalesce(after.entry_point, before.entry_point) AS entry_point, "
            "coalesce(after.origin, before.origin) AS origin, "
            "coalesce(after.dump, before.dump) AS dump, "
            "CASE WHEN before.function_id IS NULL THEN 'added' "
            "WHEN after.function_id IS NULL THEN 'removed' ELSE 'changed' END AS change, "
            f"list_filter([{differing}]::VARCHAR[], lambda what: what IS NOT NULL) AS why, "
            "NULL::VARCHAR AS leader "
            "FROM before FULL JOIN after USING (function_id)) "
            "WHERE change <> 'changed' OR len(why) > 0"
        )

    def explain(self, *, ledgers: bool) -> None:
        """Find out why programs came and went: from dump objects and, where asked, ledgers."""
        for name, release in (("before", self._before), ("after", self._after)):
            lists = [entry for entry in release.manifest.files if entry.path == DUMP_OBJECTS]
            self.view(f"objects_{name}", self._local(release.uri, lists), arrow_schema(ObjectInfo))
        self.run(
            "CREATE TABLE objects AS SELECT uri, CASE WHEN before.uri IS NULL THEN 'added' "
            "WHEN after.uri IS NULL THEN 'removed' "
            "WHEN (before.etag, before.size) = (after.etag, after.size) THEN 'same' "
            "ELSE 'changed' END AS change "
            "FROM objects_before AS before FULL JOIN objects_after AS after USING (uri)"
        )
        self._explain("added", self._before, ledgers, _WHY_ADDED, "was_")
        self._explain("removed", self._after, ledgers, _WHY_REMOVED, "")

    def _explain(
        self, change: Change, other: FoundRelease, ledgers: bool, by_object: str, prefix: str
    ) -> None:
        """Say of programs that one release lacks what became of them there."""
        known = ledgers and other.target is not None and bool(other.manifest.ledger)
        paths = self._local(str(other.target), other.manifest.ledger) if known else []
        table = f"ledger_of_{change}"
        self.view(table, paths, arrow_schema(LedgerEntry))
        rank = f"list_position({list(_STANDINGS)}, standing)"
        self.run(
            f"CREATE TABLE standing_of_{change} AS SELECT function_id, "
            f"arg_min(standing, {rank}) AS standing, arg_min(leader, {rank}) AS leader "
            f"FROM {table} SEMI JOIN (FROM changes WHERE change = '{change}') "
            "USING (function_id) GROUP BY function_id"
        )
        self.run(
            f"UPDATE changes SET leader = found.leader, why = [CASE "
            f"WHEN NOT {known} THEN 'not_told' "
            f"WHEN found.standing IN ('kept', 'exact_duplicate') THEN '{prefix}unfit' "
            f"WHEN found.standing IS NOT NULL THEN '{prefix}' || found.standing {by_object} END] "
            "FROM (SELECT function_id, standing, known.leader, objects.change AS object "
            f"FROM changes LEFT JOIN standing_of_{change} AS known USING (function_id) "
            "LEFT JOIN objects ON objects.uri = changes.dump) AS found "
            f"WHERE changes.change = '{change}' AND changes.function_id = found.function_id"
        )

    def counts(self) -> dict[str, int]:
        """Return the programs of each kind of change."""
        of = dict(self.run("SELECT change, count(*) FROM changes GROUP BY 1").fetchall())
        return {change: of.get(change, 0) for change in CHANGES}

    def reasons(self, change: Change) -> dict[str, int]:
        """Return the programs of a kind of change by reason, the most frequent one first."""
        query = (
            "SELECT reason, count(*) FROM (SELECT unnest(why) AS reason FROM changes "
            f"WHERE change = '{change}') GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        return dict(self.run(query).fetchall())

    def dump_objects(self) -> dict[str, int]:
        """Return how many dump objects were added, removed and changed."""
        of = dict(self.run("SELECT change, count(*) FROM objects GROUP BY 1").fetchall())
        return {change: of.get(change, 0) for change in CHANGES}

    def details(self, change: Change, limit: int) -> list[Detail]:
        """Return the first programs of a kind of change, in order of reason and function id."""
        columns = "function_id, change, why, leader, entry_point, origin"
        query = (
            f"SELECT {columns} FROM changes WHERE change = '{change}' "
            f"ORDER BY why, function_id LIMIT {limit}"
        )
        return [Detail(**row) for row in self.rows(query)]

    def _local(self, folder: str, entries: Sequence[FileEntry]) -> list[Path]:
        """Return local paths of files, fetched where they are not."""

        def work(entry: FileEntry, tick: Tick) -> Path:
            return local_file(folder, entry, tick, trusted=True, cache=self._cache)

        return sorted(in_parallel(work, entries, NoMeter()))


_WHY_ADDED = (
    "WHEN found.object = 'added' THEN 'source_new' "
    "WHEN found.object = 'changed' THEN 'source_changed' ELSE 'taken_now'"
)
_WHY_REMOVED = (
    "WHEN found.object = 'removed' THEN 'source_gone' "
    "WHEN found.object = 'changed' THEN 'source_changed' ELSE 'not_taken'"
)
"""Reasons of functions that the ledger of the other release does not have."""


def _programs(release: FoundRelease) -> list[FileEntry]:
    entries = [entry for entry in release.manifest.files if entry.config == "programs"]
    check_held(release.uri, release.manifest, set(filter(None, map(part_of, entries))))
    return entries


def _groups(columns: set[str]) -> dict[str, list[str]]:
    """Return what is compared: columns that both releases have, by what a change in them is."""
    groups = {name: [column for column in of if column in columns] for name, of in _GROUPS.items()}
    grouped = {"function_id", *(column for of in _GROUPS.values() for column in of)}
    groups |= {column: [column] for column in sorted(columns - grouped)}
    return {name: of for name, of in groups.items() if of}
