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
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from c2c_tasks.records import Candidate, Function, LedgerEntry, arrow_schema
from c2c_tasks.shards import Stage

KEY = ("function_id", "dump", "repository", "path", "first_line")
"""Columns that tell one place where a function was found from another."""
BATCH_ROWS = 1_000
_INSERTED_AT_ONCE = 20_000

_KEY = ", ".join(KEY)
_FUNCTION = ", ".join(field.name for field in dataclasses.fields(Function))
_CANDIDATE = ", ".join(field.name for field in dataclasses.fields(Candidate))
_ORIGIN = "repository, path, first_line, dump, program"
"""What the places of a function are ordered by."""
_LEADS = "('kept', 'test_split_overlap', 'behavioural_duplicate')"
"""Standings of functions that near duplicates give way to. The rules that come after that one do
not change it: else what leaves by them would bring back what gave way, in another order."""


class Ingestion:
    """One build's candidates against the ledger.

    Call `read`, then `settle` or `replay`; give verdicts on what is `judged`; then `conclude`,
    and take the results.
    """

    def __init__(self, folder: Path, memory_megabytes: int, build_number: int) -> None:
        """Open a database in an empty folder. `build_number` is that of the build under way."""
        self._database = duckdb.connect(
            str(folder / "ingestion.duckdb"),
            config={
                "memory_limit": f"{memory_megabytes}MB",
                "temp_directory": str(folder / "spill"),
                "threads": 2,
            },
        )
        self._run("SET enable_progress_bar = false")
        self._build_number = build_number

    def __enter__(self) -> Ingestion:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def read(self, candidates: Sequence[Path], ledger: Sequence[Path]) -> None:
        """Take the candidates of the objects that were read, and the ledger before."""
        self._relation("read_candidates", candidates, arrow_schema(Candidate))
        self._relation("old", ledger, arrow_schema(LedgerEntry))
        # A dump may hold the same record twice. Few do: whole rows are sorted of those alone.
        self._run(
            f"CREATE TABLE repeated AS SELECT {_KEY} FROM read_candidates "
            "GROUP BY ALL HAVING count(*) > 1"
        )
        self._run(
            f"CREATE VIEW new AS SELECT * FROM read_candidates ANTI JOIN repeated USING ({_KEY}) "
            f"UNION ALL SELECT * FROM read_candidates SEMI JOIN repeated USING ({_KEY}) "
            f"QUALIFY row_number() OVER (PARTITION BY {_KEY} ORDER BY program) = 1"
        )
        self._run("CREATE TABLE superseded (dump VARCHAR, reason VARCHAR)")
        self._run(f"CREATE TABLE refused AS SELECT {_KEY}, '' AS reason FROM old WHERE false")

    def old_rows(self) -> Iterator[dict[str, Any]]:
        """Yield what a rule may refuse a row of the ledger for: its key, licence and digest."""
        yield from self._rows(f"SELECT {_KEY}, licence, source_sha256 FROM old")

    def supersede(self, reasons: Mapping[str, str]) -> None:
        """Say which dump objects are gone or were read again, and the reason, by URI."""
        self._insert("superseded", ("dump", "reason"), reasons.items())

    def refuse(self, rows: Iterable[tuple[dict[str, Any], str]]) -> None:
        """Say which rows of the ledger may not be used any more, each with the reason."""
        self._insert(
            "refused", (*KEY, "reason"), ((*(row[name] for name in KEY), why) for row, why in rows)
        )

    def settle(self) -> None:
        """Find out which functions stay, leave and come, each by the standing that it has.

        Those to be judged have none.
        """
        self._run(
            f"CREATE TABLE lost AS SELECT {_KEY}, min(reason) AS reason FROM ("
            f"SELECT {_KEY}, reason FROM old JOIN superseded USING (dump) "
            f"UNION ALL SELECT {_KEY}, reason FROM refused) GROUP BY ALL"
        )
        self._find_functions(keeps_standing=True)

    def replay(self) -> None:
        """Take of the ledger nothing but the order of ingestion: every function is judged."""
        self._run(f"CREATE TABLE lost AS SELECT {_KEY}, 'rebuilt' AS reason FROM old")
        self._find_functions(keeps_standing=False)

    def _find_functions(self, *, keeps_standing: bool) -> None:
        self._run(
            f"CREATE TABLE chosen AS SELECT {_KEY}, ingested, standing, leader, "
            "lost.reason IS NOT NULL AS shaken "
            f"FROM old LEFT JOIN lost USING ({_KEY}) WHERE standing <> 'exact_duplicate'"
        )
        self._run(
            f"CREATE TABLE occurrences AS SELECT {_CANDIDATE} FROM new "
            f"UNION ALL SELECT {_CANDIDATE} FROM old ANTI JOIN lost USING ({_KEY}) "
            "WHERE function_id IN (SELECT function_id FROM chosen WHERE shaken)"
        )
        # The place that was chosen, or else another one in its file, or else the first one.
        self._run(
            f"CREATE TABLE continuing AS SELECT {', '.join(f'o.{name}' for name in KEY)}, "
            "c.ingested, c.standing, c.leader "
            f"FROM occurrences o JOIN chosen c USING (function_id) "
            f"JOIN old t ON {' AND '.join(f't.{name} = c.{name}' for name in KEY)} "
            "WHERE c.shaken AND o.program = t.program "
            "QUALIFY row_number() OVER (PARTITION BY o.function_id ORDER BY "
            "o.dump = t.dump AND o.repository = t.repository AND o.path = t.path DESC, "
            "o.first_line = t.first_line DESC, "
            "o.repository, o.path, o.first_line, o.dump) = 1"
        )
        self._run(
            f"CREATE TABLE newcomers AS SELECT {_KEY} FROM occurrences "
            "ANTI JOIN continuing USING (function_id) "
            "ANTI JOIN (SELECT function_id FROM chosen WHERE NOT shaken) USING (function_id) "
            f"QUALIFY row_number() OVER (PARTITION BY function_id ORDER BY {_ORIGIN}) = 1"
        )
        standing, leader = ("standing", "leader") if keeps_standing else ("NULL", "NULL")
        self._run(
            f"CREATE TABLE functions AS "
            f"SELECT {_KEY}, ingested, standing, leader, false AS judged FROM chosen "
            "WHERE NOT shaken "
            f"UNION ALL SELECT {_KEY}, ingested, {standing}, {leader}, {not keeps_standing} "
            "FROM continuing "
            f"UNION ALL SELECT {_KEY}, {self._build_number}, NULL, NULL, true FROM newcomers"
        )

    def leading(self) -> Iterator[dict[str, Any]]:
        """Yield key, shingles and `ingested` of the functions that lead, in order of ingestion."""
        yield from self._rows(
            self._candidates(f"{_KEY}, shingles, ingested", f"standing IN {_LEADS}")
        )

    def set_standing(self, verdicts: Iterable[tuple[str, str | None, str | None]]) -> None:
        """Give functions a standing and a leader, by id."""
        self._run("CREATE OR REPLACE TEMP TABLE verdicts (id VARCHAR, s VARCHAR, l VARCHAR)")
        self._insert("verdicts", ("id", "s", "l"), verdicts)
        self._run(
            "UPDATE functions SET standing = s, leader = l, judged = true "
            "FROM verdicts WHERE function_id = id"
        )

    def judge_orphans(self) -> int:
        """Have near duplicates judged whose leader leads no more; return their number.

        They count from this build: what was kept since they gave way keeps its place before them.
        """
        return self._count(
            f"UPDATE functions SET standing = NULL, leader = NULL, judged = true, "
            f"ingested = {self._build_number} WHERE standing = 'near_duplicate' "
            f"AND leader NOT IN (SELECT function_id FROM functions WHERE standing IN {_LEADS})"
        )

    def judged(self) -> Iterator[dict[str, Any]]:
        """Yield key, shingles and `ingested` of the functions to be judged, in that order."""
        yield from self._rows(
            self._candidates(f"{_KEY}, shingles, ingested", "judged AND standing IS NULL")
        )

    def ids_judged(self) -> list[str]:
        """Return the ids of the functions to be judged, in order of ingestion."""
        rows = self._run(
            "SELECT function_id FROM functions WHERE judged AND standing IS NULL "
            "ORDER BY ingested, function_id"
        )
        return [function_id for (function_id,) in rows.fetchall()]

    def just_kept(self) -> list[str]:
        """Return the functions that were judged, and kept."""
        rows = self._run(f"SELECT function_id FROM functions WHERE {_TO_RUN}")
        return [function_id for (function_id,) in rows.fetchall()]

    def overlap_orphans(self) -> list[str]:
        """Return the functions that overlapped with one of another split, which leads no more.

        They keep their place in the order: whatever overlaps with them has given way to them.
        """
        rows = self._run(
            "SELECT function_id FROM functions WHERE standing = 'test_split_overlap' "
            f"AND leader NOT IN (SELECT function_id FROM functions WHERE standing IN {_LEADS})"
        )
        return [function_id for (function_id,) in rows.fetchall()]

    def write(self, relation: str, path: Path) -> Path:
        """Write `judged` or `leading` as a Parquet file of ids, signatures and shingles."""
        where = {
            "judged": "judged AND standing IS NULL",
            "leading": f"standing IN {_LEADS}",
        }[relation]
        query = self._candidates("function_id, signature, shingles, ingested", where)
        self._run(f"COPY ({query}) TO {_quoted(path)} (FORMAT parquet, COMPRESSION zstd)")
        return path

    def conclude(self, withdrawn: Mapping[str, str]) -> None:
        """Draw the consequences of the verdicts.

        `withdrawn` are programs of the release before that it may not carry over, by function id
        with the reason. What behaved like a program that leaves is run again, to take its place.
        """
        self._run("CREATE TABLE withdrawn (function_id VARCHAR, reason VARCHAR)")
        self._insert("withdrawn", ("function_id", "reason"), withdrawn.items())
        self._run(
            "CREATE TABLE removed AS SELECT function_id, min(reason) AS reason FROM ("
            f"SELECT function_id, lost.reason FROM chosen JOIN lost USING ({_KEY}) "
            "ANTI JOIN continuing USING (function_id) WHERE standing = 'kept' "
            "UNION ALL SELECT function_id, functions.standing FROM functions "
            "JOIN chosen USING (function_id) WHERE chosen.standing = 'kept' "
            f"AND functions.standing NOT IN {_LEADS} "
            "UNION ALL SELECT function_id, reason FROM withdrawn) GROUP BY function_id"
        )
        self._run(
            "UPDATE functions SET standing = 'kept', leader = NULL, judged = true "
            "WHERE standing = 'behavioural_duplicate' "
            "AND leader IN (SELECT function_id FROM removed)"
        )
        verdict = (
            "coalesce(f.ingested, {ingested}) AS ingested, "
            "coalesce(f.standing, 'exact_duplicate') AS standing, "
            "CASE WHEN f.standing IS NULL THEN function_id ELSE f.leader END AS leader"
        )
        self._run(
            f"CREATE VIEW entries AS SELECT {_CANDIDATE}, "
            f"{verdict.format(ingested=self._build_number)}, NULL AS earlier "
            f"FROM new LEFT JOIN functions f USING ({_KEY}) "
            f"UNION ALL SELECT {_CANDIDATE}, {verdict.format(ingested='o.ingested')}, "
            "(o.ingested, o.standing, o.leader) AS earlier "
            f"FROM old o ANTI JOIN lost USING ({_KEY}) LEFT JOIN functions f USING ({_KEY})"
        )
        self._run(
            "CREATE VIEW changed AS SELECT * EXCLUDE (earlier), earlier IS NULL AS is_new "
            "FROM entries WHERE earlier IS DISTINCT FROM (ingested, standing, leader)"
        )

    def number_to_run(self) -> int:
        """Return the number of functions that are to be run."""
        return self._count(f"SELECT count(*) FROM functions WHERE {_TO_RUN}")

    def count_duplicates(self, stage: Stage) -> None:
        """Count the candidates that were read: those to be judged, and the copies.

        Orphans are counted as if they had been read again.
        """
        judged = "(SELECT function_id FROM functions WHERE judged)"
        read = self._count("SELECT count(*) FROM read_candidates")
        known = self._count(
            f"SELECT count(*) FROM read_candidates WHERE function_id NOT IN {judged}"
        )
        found = self._count(
            f"SELECT count(DISTINCT function_id) FROM read_candidates WHERE function_id IN {judged}"
        )
        stage.keep(self._count("SELECT count(*) FROM functions WHERE judged"))
        for reason, rows in (
            ("exact_duplicate", read - known - found),
            ("exact_duplicate_of_earlier_release", known),
        ):
            if rows:
                stage.drop(reason, rows)

    def to_run(self) -> Iterator[pa.RecordBatch]:
        """Yield the functions to be run, in order of function id."""
        yield from self._batches(
            f"SELECT * FROM ({self._candidates(_FUNCTION, _TO_RUN)}) ORDER BY function_id"
        )

    def moved(self) -> Iterator[pa.RecordBatch]:
        """Yield the kept functions that are found in another place than before, as they are now."""
        yield from self._batches(
            f"SELECT {', '.join(f'o.{name}' for name in _FUNCTION.split(', '))} "
            f"FROM occurrences o JOIN continuing USING ({_KEY}) "
            "JOIN functions f USING (function_id) "
            "JOIN (SELECT old.* FROM old "
            f"SEMI JOIN chosen USING ({_KEY}, standing)) t USING (function_id) "
            f"WHERE f.standing = 'kept' AND NOT f.judged AND ({_columns('o')}) "
            f"IS DISTINCT FROM ({_columns('t')}) ORDER BY function_id"
        )

    def removed(self) -> dict[str, str]:
        """Return the reasons for which functions, and with them their programs, leave, by id."""
        rows = self._run("SELECT function_id, reason FROM removed ORDER BY ALL").fetchall()
        return dict(rows)

    def entries(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the ledger that are new, or not what they were, in order of id."""
        yield from self._batches(f"SELECT * EXCLUDE (is_new) FROM changed ORDER BY {_KEY}")

    def replaced(self) -> Iterator[pa.RecordBatch]:
        """Yield the keys of the rows that the ledger before has and the next one has not."""
        yield from self._batches(
            f"SELECT {_KEY} FROM lost UNION ALL "
            f"SELECT {_KEY} FROM changed WHERE NOT is_new ORDER BY {_KEY}"
        )

    def _candidates(self, columns: str, where: str) -> str:
        """Return the query of the chosen candidates of some functions, in order of ingestion."""
        functions = f"(SELECT {_KEY}, ingested FROM functions WHERE {where})"
        candidates = (
            f"SELECT {_CANDIDATE} FROM occurrences "
            f"UNION ALL SELECT {_CANDIDATE} FROM old ANTI JOIN lost USING ({_KEY}) "
            "WHERE function_id NOT IN (SELECT function_id FROM chosen WHERE shaken)"
        )
        return (
            f"SELECT {columns} FROM ({candidates}) JOIN {functions} USING ({_KEY}) "
            "ORDER BY ingested, function_id"
        )

    def _relation(self, name: str, paths: Sequence[Path], schema: pa.Schema) -> None:
        if paths:
            files = ", ".join(_quoted(path) for path in paths)
            self._run(f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{files}])")
        else:
            empty = schema.empty_table()
            self._database.register(f"no_{name}", empty)
            self._run(f"CREATE TABLE {name} AS SELECT * FROM no_{name}")

    def _insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        remaining = iter(rows)
        while values := list(islice(remaining, _INSERTED_AT_ONCE)):
            batch = pa.table(
                [pa.array(list(column)) for column in zip(*values, strict=True)], list(columns)
            )
            self._database.register("given", batch)
            self._run(f"INSERT INTO {table} SELECT {', '.join(columns)} FROM given")
            self._database.unregister("given")

    def _run(self, query: str) -> duckdb.DuckDBPyConnection:
        return self._database.execute(query)

    def _count(self, query: str) -> int:
        return int((self._run(query).fetchone() or (0,))[0])

    def _rows(self, query: str) -> Iterator[dict[str, Any]]:
        for batch in self._batches(query):
            yield from batch.to_pylist()

    def _batches(self, query: str) -> Iterator[pa.RecordBatch]:
        # With a cursor of its own, what is yielded does not end with the next query.
        with self._database.cursor() as cursor:
            yield from cursor.sql(query).to_arrow_reader(BATCH_ROWS)


_TO_RUN = "judged AND standing = 'kept'"


def _columns(relation: str) -> str:
    """Return what a program tells of its function and where it was found."""
    names = (*KEY, "last_line", "licence", "source_sha256")
    return ", ".join(f"{relation}.{name}" for name in names)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
