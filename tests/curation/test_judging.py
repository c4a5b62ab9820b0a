"""Verdicts: what overlaps with benchmarks, is nearly another one, or stands in another split."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from c2c_tasks.config import FunctionOptions
from c2c_tasks.curation.benchmarks import Problem, protected_programs
from c2c_tasks.curation.ingestion import Ingestion
from c2c_tasks.curation.judging import count_those_run_again, judge
from c2c_tasks.curation.overlap import Contamination
from c2c_tasks.curation.signatures import sign
from c2c_tasks.curation.tokens import canonical_digest
from c2c_tasks.records import Candidate, Function, LedgerEntry, arrow_schema, from_row, to_row
from c2c_tasks.shards import StepReport

SCORE = """
def score(text, weight=3):
    total = 0
    for position, letter in enumerate(text):
        if letter.isdigit():
            total += int(letter) * weight
        elif letter.isalpha():
            total += position
        elif letter in "+-*/":
            total -= position % weight
        elif letter.isspace():
            continue
        else:
            total = abs(total) - len(text)
    if total < 0:
        return -total
    return total
"""
NEAR = SCORE.replace("% weight", "// weight")
ALIKE = SCORE.replace("% weight", "// weight").replace("isspace", "isupper").replace("< 0", "> 9")
OTHER = "def pick(pairs):\n    return {key: max(values) for key, values in pairs if values}\n"


def candidate(name: str, program: str) -> Candidate:
    entry_point = program.split("def ")[1].split("(")[0]
    return sign(
        Function(
            function_id=canonical_digest(program, entry_point),
            program=program,
            entry_point=entry_point,
            parameters=[],
            repository="r",
            path=f"{name}.py",
            first_line=1,
            last_line=9,
            licence=None,
            dump=name,
            source_sha256="",
        )
    )


class Builds:
    """Builds one after the other, each of new dump objects."""

    def __init__(self, folder: Path, **options: float) -> None:
        self.folder = folder
        self.options = FunctionOptions(**options)  # type: ignore[arg-type]
        self.ledger: list[LedgerEntry] = []
        self.number = 0

    def build(
        self,
        *candidates: Candidate,
        problems: Iterable[Problem] = (),
        in_test: Callable[[str], bool] = lambda _: False,
        gone: Iterable[Candidate] = (),
        judge_kept: bool = False,
    ) -> tuple[dict[str, str], list[Contamination], StepReport]:
        """Return the standing of each candidate by its file, what overlaps, and the report."""
        self.number += 1
        folder = self.folder / str(self.number)
        folder.mkdir()
        report = StepReport("merge", "-")
        with Ingestion(folder, 500, self.number) as ingestion:
            ingestion.read(
                [_write(folder / "new.parquet", Candidate, candidates)],
                [_write(folder / "ledger.parquet", LedgerEntry, self.ledger)],
            )
            ingestion.supersede({item.dump: "source_gone" for item in gone})
            ingestion.settle()
            judge(
                ingestion,
                self.options,
                folder,
                report,
                protected=protected_programs(problems, report),
                judge_kept=judge_kept,
                in_test=in_test,
            )
            ingestion.conclude({})
            count_those_run_again(ingestion, report)
            found = [
                Contamination(**row) for batch in ingestion.overlaps() for row in batch.to_pylist()
            ]
            replaced = [row for batch in ingestion.replaced() for row in batch.to_pylist()]
            entries = [row for batch in ingestion.entries() for row in batch.to_pylist()]
        keys = {(row["function_id"], row["dump"]) for row in replaced}
        self.ledger = [e for e in self.ledger if (e.function_id, e.dump) not in keys]
        self.ledger += [from_row(LedgerEntry, row) for row in entries]
        for stage in report.stages:
            stage.check()
        for one, following in pairwise(report.stages):
            assert one.rows_out == following.rows_in
        return {entry.dump: entry.standing for entry in self.ledger}, found, report


def _write(path: Path, cls: type, rows: Iterable[object]) -> Path:
    table = pa.Table.from_pylist([to_row(row) for row in rows], arrow_schema(cls))  # type: ignore[type-var]
    pq.write_table(table, path)
    return path


def test_rules_are_asked_in_order_and_each_drop_is_counted(tmp_path: Path) -> None:
    items = [candidate("score", SCORE), candidate("near", NEAR), candidate("other", OTHER)]
    standings, found, report = Builds(tmp_path).build(
        *items, candidate("copy", OTHER), problems=[Problem("problems:1", OTHER, None)]
    )
    first, second = sorted(items[:2], key=lambda item: item.function_id)
    assert standings == {
        first.dump: "kept",
        second.dump: "near_duplicate",
        "copy": "benchmark_overlap",  # the first by its path
        "other": "exact_duplicate",
    }
    assert [(row.path, row.protected, row.measure) for row in found] == [
        ("copy.py", "problems:1", "canonical_ast")
    ]
    assert {stage.name: stage.dropped for stage in report.stages} == {
        "exact duplicates": {"exact_duplicate": 1},
        "benchmark overlap": {"benchmark_overlap": 1},
        "near duplicates": {"near_duplicate": 1},
        "test split overlap": {},
    }


def test_a_benchmark_that_comes_later_removes_what_was_kept(tmp_path: Path) -> None:
    builds = Builds(tmp_path)
    score, near = candidate("score", SCORE), candidate("near", NEAR)
    builds.build(score)
    standings, _, _ = builds.build(near)
    assert standings["near"] == "near_duplicate"
    problem = Problem("one", SCORE, "score")
    standings, found, _ = builds.build(problems=[problem], judge_kept=True)
    # What had given way to it is judged anew, and overlaps as well.
    assert standings == {"score": "benchmark_overlap", "near": "benchmark_overlap"}
    assert {row.measure for row in found} == {"canonical_ast", "jaccard"}


def test_a_threshold_of_one_drops_copies_alone(tmp_path: Path) -> None:
    builds = Builds(tmp_path, near_duplicate_threshold=1.0)
    standings, _, _ = builds.build(candidate("score", SCORE), candidate("near", NEAR))
    assert set(standings.values()) == {"kept"}


def test_nothing_in_train_overlaps_with_the_test_split(tmp_path: Path) -> None:
    score, alike = candidate("score", SCORE), candidate("alike", ALIKE)
    for order in ((score, alike), (alike, score)):
        for tested in order:

            def in_test(name: str, tested: str = tested.function_id) -> bool:
                return name == tested

            builds = Builds(_new(tmp_path), benchmark_overlap_threshold=0.5)
            builds.build(order[0], in_test=in_test)
            standings, found, _ = builds.build(order[1], in_test=in_test)
            assert standings == {order[0].dump: "kept", order[1].dump: "test_split_overlap"}
            assert [row.protected for row in found] == [order[0].function_id]
            # In one build, the lesser function id is the first.
            standings, _, _ = Builds(_new(tmp_path), benchmark_overlap_threshold=0.5).build(
                *order, in_test=in_test
            )
            first = min(order, key=lambda item: item.function_id)
            assert standings[first.dump] == "kept"
            assert sorted(standings.values()) == ["kept", "test_split_overlap"]
            # It comes back when the other one leaves.
            standings, _, _ = builds.build(in_test=in_test, gone=[order[0]])
            assert standings == {order[1].dump: "kept"}


def test_functions_of_one_split_may_be_alike(tmp_path: Path) -> None:
    builds = Builds(tmp_path, benchmark_overlap_threshold=0.5)
    for everything in (True, False):
        standings, _, _ = builds.build(
            candidate("score", SCORE),
            candidate("alike", ALIKE),
            in_test=lambda _, everything=everything: everything,  # type: ignore[misc]
        )
        assert set(standings.values()) == {"kept"}
        builds = Builds(_new(tmp_path), benchmark_overlap_threshold=0.5)


def _new(folder: Path) -> Path:
    path = folder / f"run-{len(list(folder.iterdir()))}"
    path.mkdir()
    return path
