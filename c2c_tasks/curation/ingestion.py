"""What a build's candidates change in what its target has seen before.

A target's ledger holds every candidate of its dump objects: one row for each place where a
function was found, of which one, the *chosen* one, stands for the function. A build reads the
objects that are new or changed, so their rows take the place of what the ledger had of them:

- a function *stays* while its text is found anywhere, with its place in the order of ingestion;
- one whose text is found nowhere *leaves*, with its programs;
- one that was not there, or gave way to one that leaves, is *judged*: it counts from this build.

So nothing that was kept is ever lost to a newcomer, and a build that reads everything again, in
the order that the ledger recorded, comes to what the builds before it came to, day by day.

Rows are DuckDB's, in a database on disk: memory stays within its bound, whatever the ledger has.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from c2c_tasks.curation.relations import Relations
from c2c_tasks.records import (
    LEDGER_KEY,
    PLACE,
    Candidate,
    Function,
    LedgerEntry,
    Standing,
    arrow_schema,
)
from c2c_tasks.shards import Stage

_KEY = ", ".join(LEDGER_KEY)
_FUNCTION = ", ".join(field.name for field in dataclasses.fields(Function))
_CANDIDATE = ", ".join(field.name for field in dataclasses.fields(Candidate))
_VERDICT = "standing, leader, measure, overlap"
_ORIGIN = "repository, path, first_line, dump"
"""What the places of a function are ordered by. Sorting whole rows would take most of the time."""
_REST = "program, last_line, licence, source_sha256"
_LEADS = "('kept', 'pending', 'test_split_overlap', 'behavioural_duplicate')"
"""Standings of functions that near duplicates give way to. The rules that come after that one do
not change it: else what leaves by them would bring back what gave way, in another order."""
_GAVE_WAY = "('near_duplicate', 'test_split_overlap')"
_IS_JUDGED = "judged AND standing IS NULL"
_IS_RUN = "standing = 'kept' AND (judged OR again)"


class Verdict(NamedTuple):
    """What becomes of a function, and because of what."""

    function_id: str
    standing: Standing
    leader: str | None = None
    """Function id, or name of a benchmark's problem."""
    measure: str | None = None
    overlap: float | None = None


class Ingestion(Relations):
    """One build's candidates against the ledger.

    Call `read`, then `settle` or `replay`; give verdicts on what is judged; then `conclude`, and
    take the results.
    """

    def __init__(self, folder: Path, memory_megabytes: int, build_number: int) -> None:
        """Work in an empty folder. `build_number` is that of the build under way."""
        super().__init__(folder, memory_megabytes)
        self._build_number = build_number
        self.replays = False
        """Whether nothing is taken of the ledger but the order of ingestion."""

    def read(self, candidates: Sequence[Path], ledger: Sequence[Path]) -> None:
        """Take the candidates of the objects that were read, and the ledger before."""
        self.view("read_candidates", candidates, arrow_schema(Candidate))
        self.view("old", ledger, arrow_schema(LedgerEntry))
        # A dump may hold the same record twice. Few do: whole rows are sorted of those alone.
        self.run(
            f"CREATE TABLE repeated AS SELECT {_KEY} FROM read_candidates "
            "GROUP BY ALL HAVING count(*) > 1"
        )
        self.run(
            f"CREATE VIEW new AS SELECT * FROM read_candidates ANTI JOIN repeated USING ({_KEY}) "
            f"UNION ALL SELECT * FROM read_candidates SEMI JOIN repeated USING ({_KEY}) "
            f"QUALIFY row_number() OVER (PARTITION BY {_KEY} ORDER BY {_REST}) = 1"
        )
        self.run("CREATE TABLE superseded (dump VARCHAR, reason VARCHAR)")
        self.run(f"CREATE TABLE refused AS SELECT {_KEY}, '' AS reason FROM old WHERE false")

    def old_rows(self) -> Iterator[dict[str, Any]]:
        """Yield what a rule may refuse a row of the ledger for: its key, licence and digest."""
        yield from self.rows(f"SELECT {_KEY}, licence, source_sha256 FROM old")

    def supersede(self, reasons: Mapping[str, str]) -> None:
        """Say which dump objects are gone or were read again, and the reason, by URI."""
        self.insert("superseded", ("dump", "reason"), reasons.items())

    def refuse(self, rows: Iterable[tuple[dict[str, Any], str]]) -> int:
        """Say which rows of the ledger may not be used any more, each with the reason.

        Returns their number.
        """
        keys = ((*(row[name] for name in LEDGER_KEY), reason) for row, reason in rows)
        self.insert("refused", (*LEDGER_KEY, "reason"), keys)
        return self.count("SELECT count(*) FROM refused")

    def settle(self) -> None:
        """Find out which functions stay, leave and come, each by the standing that it has.

        Those to be judged have none. What an earlier build could not run is to be run.
        """
        self.run(
            f"CREATE TABLE lost AS SELECT {_KEY}, min(reason) AS reason FROM ("
            f"SELECT {_KEY}, reason FROM old JOIN superseded USING (dump) "
            f"UNION ALL SELECT {_KEY}, reason FROM refused) GROUP BY ALL"
        )
        self._find_functions()
        self.run("UPDATE functions SET standing = 'kept', again = true WHERE standing = 'pending'")

    def replay(self) -> None:
        """Take of the ledger nothing but the order of ingestion: every function is judged."""
        self.replays = True
        self.run(f"CREATE TABLE lost AS SELECT {_KEY}, 'rebuilt' AS reason FROM old")
        self._find_functions()
        self.run(
            "UPDATE functions SET standing = NULL, leader = NULL, measure = NULL, "
            "overlap = NULL, judged = true"
        )

    def _find_functions(self) -> None:
        self.run(
            f"CREATE TABLE chosen AS SELECT {_KEY}, ingested, {_VERDICT}, "
            "lost.reason IS NOT NULL AS shaken "
            f"FROM old LEFT JOIN lost USING ({_KEY}) WHERE standing <> 'exact_duplicate'"
        )
        self.run(
            f"CREATE TABLE occurrences AS SELECT {_CANDIDATE} FROM new "
            f"UNION ALL SELECT {_CANDIDATE} FROM old ANTI JOIN lost USING ({_KEY}) "
            "WHERE function_id IN (SELECT function_id FROM chosen WHERE shaken)"
        )
        # The place that was chosen, or else another one in its file, or else the first one.
        self.run(
            f"CREATE TABLE continuing AS SELECT {_of('o', LEDGER_KEY)}, "
            f"c.ingested, {_of('c', _VERDICT.split(', '))} "
            "FROM occurrences o JOIN chosen c USING (function_id) "
            f"JOIN old t ON {' AND '.join(f't.{name} = c.{name}' for name in LEDGER_KEY)} "
            "WHERE c.shaken AND o.program = t.program "
            "QUALIFY row_number() OVER (PARTITION BY o.function_id ORDER BY "
            "o.dump = t.dump AND o.repository = t.repository AND o.path = t.path DESC, "
            f"o.first_line = t.first_line DESC, {_of('o', _ORIGIN.split(', '))}) = 1"
        )
        self.run(
            f"CREATE TABLE newcomers AS SELECT {_KEY} FROM occurrences "
            "ANTI JOIN continuing USING (function_id) "
            "ANTI JOIN (SELECT function_id FROM chosen WHERE NOT shaken) USING (function_id) "
            f"QUALIFY row_number() OVER (PARTITION BY function_id ORDER BY {_ORIGIN}) = 1"
        )
        self.run(
            f"CREATE TABLE functions AS SELECT {_KEY}, ingested, {_VERDICT}, "
            "false AS judged, false AS again FROM chosen WHERE NOT shaken "
            f"UNION ALL SELECT {_KEY}, ingested, {_VERDICT}, false, false FROM continuing "
            f"UNION ALL SELECT {_KEY}, {self._build_number}, NULL, NULL, NULL, NULL, true, false "
            "FROM newcomers"
        )

    def set_standing(self, verdicts: Iterable[Verdict]) -> None:
        """Give functions their standing."""
        self.run(
            "CREATE OR REPLACE TABLE verdicts "
            "(function_id VARCHAR, s VARCHAR, l VARCHAR, m VARCHAR, o DOUBLE)"
        )
        self.insert("verdicts", ("function_id", "s", "l", "m", "o"), verdicts)
        self.run(
            "UPDATE functions SET standing = s, leader = l, measure = m, overlap = o "
            "FROM verdicts WHERE functions.function_id = verdicts.function_id"
        )

    def judge_orphans(self) -> None:
        """Have functions judged that gave way to one which leads no more.

        They count from this build: what was kept since they gave way keeps its place before them.
        So do those that gave way to them, and so on. In a replay the ledger says who gave way;
        what leads no more is what is not there, or has a standing already.
        """
        gone = f"leader NOT IN (SELECT function_id FROM functions WHERE standing IN {_LEADS})"
        now = f"ingested = {self._build_number}"
        if self.replays:
            leads = (
                "SELECT function_id FROM continuing JOIN functions f USING (function_id) "
                f"WHERE continuing.standing IN {_LEADS} AND f.standing IS NULL "
                f"AND f.ingested < {self._build_number}"
            )
            orphans = (
                f"UPDATE functions SET {now} WHERE ingested < {self._build_number} "
                "AND function_id IN (SELECT function_id FROM continuing "
                f"WHERE standing IN {_GAVE_WAY} AND leader NOT IN ({leads}))"
            )
        else:
            orphans = (
                "UPDATE functions SET standing = NULL, leader = NULL, measure = NULL, "
                f"overlap = NULL, judged = true, {now} WHERE standing IN {_GAVE_WAY} AND {gone}"
            )
        while self.count(orphans):
            pass

    def judged(self) -> Iterator[dict[str, Any]]:
        """Yield key, shingles and `ingested` of the functions to be judged, in that order."""
        yield from self.rows(self._candidates(f"{_KEY}, shingles, ingested", _IS_JUDGED))

    def ids_judged(self) -> list[str]:
        """Return the ids of the functions to be judged, in order of ingestion."""
        return self._ids(_IS_JUDGED)

    def leading(self) -> Iterator[dict[str, Any]]:
        """Yield key, shingles and `ingested` of the functions that lead, in order of ingestion."""
        columns = f"{_KEY}, shingles, ingested"
        yield from self.rows(self._candidates(columns, f"standing IN {_LEADS}"))

    def just_kept(self) -> list[str]:
        """Return the ids of the functions that were judged, and kept, in order of ingestion."""
        return self._ids("judged AND standing = 'kept'")

    def write_judged(self, path: Path) -> Path:
        """Write ids, signatures and shingles of the functions to be judged, in order."""
        return self.write(self._candidates(_SIGNED, _IS_JUDGED), path)

    def write_leading(self, path: Path) -> Path:
        """Write ids, signatures and shingles of the functions that lead, in order."""
        return self.write(self._candidates(_SIGNED, f"standing IN {_LEADS}"), path)

    def conclude(self, withdrawn: Mapping[str, str]) -> None:
        """Draw the consequences of the verdicts.

        `withdrawn` are programs of the release before that it may not carry over, by function id
        with the reason. What behaved like a program that leaves is run again, to take its place.
        """
        self.run("CREATE TABLE withdrawn (function_id VARCHAR, reason VARCHAR)")
        self.insert("withdrawn", ("function_id", "reason"), withdrawn.items())
        self.run(
            "CREATE TABLE removed AS SELECT function_id, min(reason) AS reason FROM ("
            f"SELECT function_id, lost.reason FROM chosen JOIN lost USING ({_KEY}) "
            "ANTI JOIN continuing USING (function_id) WHERE standing = 'kept' "
            "UNION ALL SELECT function_id, functions.standing FROM functions "
            "JOIN chosen USING (function_id) WHERE chosen.standing = 'kept' "
            f"AND functions.standing NOT IN {_LEADS} "
            "UNION ALL SELECT function_id, reason FROM withdrawn) GROUP BY function_id"
        )
        self.run(
            "UPDATE functions SET standing = 'kept', leader = NULL, again = true "
            "WHERE standing = 'behavioural_duplicate' AND leader NOT IN "
            "(SELECT function_id FROM functions ANTI JOIN removed USING (function_id) "
            "WHERE standing = 'kept')"
        )
        verdict = (
            "coalesce(f.standing, 'exact_duplicate') AS standing, "
            "CASE WHEN f.standing IS NULL THEN function_id ELSE f.leader END AS leader, "
            "f.measure AS measure, f.overlap AS overlap"
        )
        was = "struct_pack(i := o.ingested, s := o.standing, l := o.leader, m := o.measure)"
        self.run(
            f"CREATE VIEW entries AS SELECT {_of('n', _CANDIDATE.split(', '))}, "
            f"coalesce(f.ingested, o.ingested, {self._build_number}) AS ingested, {verdict}, "
            f"{was} AS was, o.program IS NOT DISTINCT FROM n.program "
            f"AND ({_of('o', PLACE)}) IS NOT DISTINCT FROM ({_of('n', PLACE)}) AS is_same, "
            "true AS is_new "
            f"FROM new n LEFT JOIN functions f USING ({_KEY}) LEFT JOIN old o USING ({_KEY}) "
            f"UNION ALL SELECT {_of('o', _CANDIDATE.split(', '))}, "
            f"coalesce(f.ingested, o.ingested) AS ingested, {verdict}, {was}, true, false "
            f"FROM old o ANTI JOIN lost USING ({_KEY}) LEFT JOIN functions f USING ({_KEY})"
        )
        # A ledger that is written anew takes nothing over.
        self.run(
            f"CREATE TABLE unchanged AS SELECT {_KEY} FROM entries WHERE {not self.replays} "
            "AND is_same AND was = "
            "struct_pack(i := ingested, s := standing, l := leader, m := measure)"
        )

    def number_to_run(self) -> int:
        """Return the number of functions that are to be run."""
        return self.count(f"SELECT count(*) FROM functions WHERE {_IS_RUN}")

    def number_to_run_again(self) -> int:
        """Return the number of those that are to be run without having been judged."""
        return self.count("SELECT count(*) FROM functions WHERE standing = 'kept' AND again")

    def count_duplicates(self, stage: Stage) -> None:
        """Count the candidates that were read: those to be judged, and the copies.

        Orphans are counted as if they had been read again.
        """
        judged = "(SELECT function_id FROM functions WHERE judged)"
        read = self.count("SELECT count(*) FROM read_candidates")
        known = self.count(
            f"SELECT count(*) FROM read_candidates WHERE function_id NOT IN {judged}"
        )
        found = self.count(
            f"SELECT count(DISTINCT function_id) FROM read_candidates WHERE function_id IN {judged}"
        )
        stage.keep(self.count("SELECT count(*) FROM functions WHERE judged"))
        for reason, rows in (
            ("exact_duplicate", read - known - found),
            ("exact_duplicate_of_earlier_release", known),
        ):
            if rows:
                stage.drop(reason, rows)

    def to_run(self) -> Iterator[pa.RecordBatch]:
        """Yield the functions to be run, in order of function id."""
        yield from self.batches(
            f"SELECT * FROM ({self._candidates(_FUNCTION, _IS_RUN)}) ORDER BY function_id"
        )

    def moved(self) -> Iterator[pa.RecordBatch]:
        """Yield id and place of kept functions that are found in another place than before."""
        yield from self.batches(
            f"SELECT o.function_id, {_of('o', PLACE)} "
            f"FROM occurrences o JOIN continuing USING ({_KEY}) "
            "JOIN functions f USING (function_id) "
            "JOIN (SELECT old.* FROM old "
            f"SEMI JOIN chosen USING ({_KEY}, standing)) t USING (function_id) "
            f"WHERE f.standing = 'kept' AND NOT f.judged AND NOT f.again "
            f"AND ({_of('o', PLACE)}) IS DISTINCT FROM ({_of('t', PLACE)}) ORDER BY function_id"
        )

    def removed(self) -> dict[str, str]:
        """Return the reasons for which functions, and with them their programs, leave, by id."""
        rows = self.run("SELECT function_id, reason FROM removed ORDER BY ALL").fetchall()
        return dict(rows)

    def overlaps(self) -> Iterator[pa.RecordBatch]:
        """Yield what is left out for an overlap, and with what, in order of function id."""
        yield from self.batches(
            "SELECT function_id, repository, path, first_line, leader AS protected, measure, "
            "overlap AS value FROM functions "
            "WHERE standing IN ('benchmark_overlap', 'test_split_overlap') ORDER BY function_id"
        )

    def entries(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the ledger that are new, or not what they were.

        Those of a dump object lie together, so that few files have to be written anew for one.
        """
        yield from self.batches(
            f"SELECT {_CANDIDATE}, ingested, {_VERDICT} FROM entries "
            f"ANTI JOIN unchanged USING ({_KEY}) "
            "ORDER BY dump, repository, path, first_line, function_id"
        )

    def replaced(self) -> Iterator[pa.RecordBatch]:
        """Yield the keys of the rows that the ledger before has and the next one has not."""
        yield from self.batches(
            f"SELECT {_KEY} FROM lost ANTI JOIN unchanged USING ({_KEY}) "
            f"UNION ALL SELECT {_KEY} FROM entries ANTI JOIN unchanged USING ({_KEY}) "
            f"WHERE NOT is_new ORDER BY {_KEY}"
        )

    def _ids(self, where: str) -> list[str]:
        rows = self.run(
            f"SELECT function_id FROM functions WHERE {where} ORDER BY ingested, function_id"
        )
        return [function_id for (function_id,) in rows.fetchall()]

    def _candidates(self, columns: str, where: str) -> str:
        """Return the query of the chosen candidates of some functions, in order of ingestion."""
        functions = f"(SELECT {_KEY}, ingested FROM functions WHERE {where})"
        candidates = f"SELECT {_CANDIDATE} FROM occurrences"
        if not self.replays:  # of the ledger nothing is left then, which the join would find late
            candidates += (
                f" UNION ALL SELECT {_CANDIDATE} FROM old ANTI JOIN lost USING ({_KEY}) "
                "WHERE function_id NOT IN (SELECT function_id FROM chosen WHERE shaken)"
            )
        return (
            f"SELECT {columns} FROM ({candidates}) JOIN {functions} USING ({_KEY}) "
            "ORDER BY ingested, function_id"
        )


_SIGNED = "function_id, signature, shingles, ingested"


def _of(relation: str, columns: Iterable[str]) -> str:
    """Return a list of columns, each of one relation."""
    return ", ".join(f"{relation}.{name}" for name in columns)
