"""What stays, leaves and comes; and that a chain of builds can be replayed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from c2c_tasks.curation.ingestion import Ingestion, Verdict
from c2c_tasks.records import (
    Candidate,
    LedgerEntry,
    Parameter,
    arrow_schema,
    extend,
    from_row,
    to_row,
)

Found = tuple[str, int]
"""A function by its id, and which of its texts: names differ, so the id is the same."""
Dump = Mapping[str, tuple[int, Sequence[Found]]]
"""Dump objects by URI: a version, and the functions in it, in order."""
Near = frozenset[frozenset[str]]


def candidate(dump: str, line: int, found: Found) -> Candidate:
    function_id, text = found
    return Candidate(
        function_id=function_id,
        program=f"text {text} of {function_id}",
        entry_point="f",
        parameters=[Parameter("x", "positional_or_keyword")],
        repository="r",
        path=f"{dump}.py",
        first_line=line,
        last_line=line + 1,
        licence="MIT",
        dump=dump,
        source_sha256="",
        signature=b"",
        shingles=b"",
    )


def write(path: Path, cls: type, rows: Iterable[Any]) -> Path:
    pq.write_table(pa.Table.from_pylist([*map(to_row, rows)], arrow_schema(cls)), path)
    return path


def rows_of(batches: Iterable[pa.RecordBatch]) -> list[dict[str, Any]]:
    return [row for batch in batches for row in batch.to_pylist()]


class Target:
    """What a target knows after each build, with the leader rule by hand and no shortcut."""

    def __init__(self, near: Near) -> None:
        self.near = near
        self.number = 0
        self.dump: Dump = {}
        self.ledger: list[LedgerEntry] = []
        self.programs: dict[str, str] = {}
        """Text of each program that the release has, by function id."""
        self.places: dict[str, tuple[str, int]] = {}

    def build(self, dump: Dump, *, whole: bool = False) -> None:
        self.number += 1
        read = {uri: item for uri, item in dump.items() if whole or self.dump.get(uri) != item}
        superseded = dict.fromkeys(self.dump.keys() - dump.keys(), "source_gone")
        superseded |= dict.fromkeys(read, "source_changed")
        candidates = [
            candidate(uri, line, found)
            for uri, (_, functions) in read.items()
            for line, found in enumerate(functions, start=1)
        ]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            ledger = write(folder / "ledger.parquet", LedgerEntry, self.ledger)
            with Ingestion(folder, 500, self.number) as ingestion:
                ingestion.read([write(folder / "c.parquet", Candidate, candidates)], [ledger])
                ingestion.supersede(superseded)
                ingestion.replay() if whole else ingestion.settle()
                ingestion.judge_orphans()
                self._judge(ingestion)
                ingestion.conclude({})
                self._take(ingestion, whole)
        self.dump = dict(dump)

    def fixed(self, day: Dump) -> Dump:
        """Return a day's dump, in which an object of the same version as before is the same."""
        return {
            uri: self.dump[uri] if uri in self.dump and self.dump[uri][0] == item[0] else item
            for uri, item in day.items()
        }

    def state(self) -> object:
        """What the target has come to."""
        standings = [(key(e), e.ingested, e.standing, e.leader) for e in self.ledger]
        return self.programs, self.places, sorted(standings, key=str)

    def _judge(self, ingestion: Ingestion) -> None:
        kept = [row["function_id"] for row in ingestion.leading()]
        verdicts = []
        for row in ingestion.judged():
            name = row["function_id"]
            leader = next((k for k in kept if frozenset((k, name)) in self.near), None)
            if leader is None:
                kept.append(name)
            verdicts.append(Verdict(name, "near_duplicate" if leader else "kept", leader))
        ingestion.set_standing(verdicts)

    def _take(self, ingestion: Ingestion, whole: bool) -> None:
        replaced = {tuple(row.values()) for row in rows_of(ingestion.replaced())}
        entries = [from_row(LedgerEntry, row) for row in rows_of(ingestion.entries())]
        remaining = [] if whole else [e for e in self.ledger if key(e) not in replaced]
        self.ledger = [*remaining, *entries]
        assert len({key(entry) for entry in self.ledger}) == len(self.ledger)
        if whole:
            self.programs, self.places = {}, {}
        for name in () if whole else ingestion.removed():
            self.programs.pop(name), self.places.pop(name)
        for row in rows_of(ingestion.moved()):
            assert row["function_id"] in self.programs
            self.places[row["function_id"]] = (row["dump"], row["first_line"])
        run = rows_of(ingestion.to_run())
        assert len(run) == ingestion.number_to_run()
        for row in run:
            assert row["function_id"] not in self.programs
            self.programs[row["function_id"]] = row["program"]
            self.places[row["function_id"]] = (row["dump"], row["first_line"])


def key(entry: LedgerEntry) -> tuple[Any, ...]:
    return entry.function_id, entry.dump, entry.repository, entry.path, entry.first_line


IDS = "ABCDE"
functions = st.lists(st.tuples(st.sampled_from(IDS), st.integers(0, 1)), max_size=4)
dumps = st.dictionaries(
    st.sampled_from(["d1", "d2", "d3", "d4"]), st.tuples(st.integers(0, 1), functions), max_size=4
)
nearness = st.frozensets(st.frozensets(st.sampled_from(IDS), min_size=2, max_size=2), max_size=7)


def only(*found: str) -> Any:
    return 0, [(name, 0) for name in found]


an_orphan_comes_back = example(
    days=[
        {"d1": only("A")},
        {"d1": only("A"), "d2": only("B")},
        {"d1": only("A"), "d2": only("B"), "d3": only("C")},
        {"d2": only("B"), "d3": only("C")},
    ],
    near=frozenset({frozenset("AB"), frozenset("BC")}),
)
"""B gave way to A, and comes back when A leaves: after C, which was kept meanwhile."""


@pytest.mark.slow
@an_orphan_comes_back
# A is found elsewhere under other names: another text, which is new.
@example(
    days=[
        {"d1": only("A"), "d2": only("B")},
        {"d1": only("A"), "d2": only("B"), "d3": (0, [("A", 1)])},
        {"d1": (1, []), "d2": only("B"), "d3": (0, [("A", 1)])},
    ],
    near=frozenset({frozenset("AB")}),
)
@given(days=st.lists(dumps, min_size=2, max_size=6), near=nearness)
@settings(max_examples=20)
def test_a_chain_is_what_a_build_from_nothing_comes_to(days: list[Dump], near: Near) -> None:
    target = Target(near)
    for day in days:
        fixed = target.fixed(day)
        before = dict(target.programs)
        target.build(fixed)
        texts = {f"text {text} of {name}" for _, found in fixed.values() for name, text in found}
        # Nothing that was kept is lost to a newcomer: it leaves with its text alone.
        assert {n for n, text in before.items() if text in texts} <= target.programs.keys()
        assert all(text in texts for text in target.programs.values())
        # No two that are kept are near, and what is not kept is near to one that is.
        assert not any(pair <= target.programs.keys() for pair in near)
        for name in {name for _, found in fixed.values() for name, _ in found}:
            assert name in target.programs or any(
                frozenset((name, other)) in near for other in target.programs
            )
    chain = target.state()
    target.build(target.dump, whole=True)
    assert target.state() == chain


@pytest.mark.slow
@an_orphan_comes_back
@given(days=st.lists(dumps, min_size=2, max_size=5), near=nearness)
@settings(max_examples=10)
def test_a_night_may_as_well_build_from_nothing(days: list[Dump], near: Near) -> None:
    night, whole = Target(near), Target(near)
    *earlier, last = days
    for target in (night, whole):
        for day in earlier:
            target.build(target.fixed(day))
    night.build(night.fixed(last))
    whole.build(whole.fixed(last), whole=True)
    assert whole.state() == night.state()


def test_what_behaved_like_a_program_that_leaves_is_run_again(tmp_path: Path) -> None:
    ledger = [
        extend(
            LedgerEntry,
            candidate(dump, 1, (name, 0)),
            signature=b"",
            shingles=b"",
            ingested=1,
            standing=standing,
            leader=leader,
        )
        for dump, name, standing, leader in (
            ("d1", "A", "kept", None),
            ("d2", "B", "behavioural_duplicate", "A"),
        )
    ]
    with Ingestion(tmp_path, 500, 2) as ingestion:
        empty = write(tmp_path / "c.parquet", Candidate, [])
        ingestion.read([empty], [write(tmp_path / "l.parquet", LedgerEntry, ledger)])
        ingestion.settle()
        ingestion.judge_orphans()
        ingestion.conclude({"A": "too_few_cases"})
        assert ingestion.removed() == {"A": "too_few_cases"}
        assert [row["function_id"] for row in rows_of(ingestion.to_run())] == ["B"]
        (changed,) = rows_of(ingestion.entries())
        assert (changed["function_id"], changed["standing"], changed["ingested"]) == (
            "B",
            "kept",
            1,
        )
