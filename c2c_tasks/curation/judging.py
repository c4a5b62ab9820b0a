"""Verdicts on the candidates of an ingestion: benchmark overlap, near duplicates, test split.

The rules are asked in this order, and each of what the one before let pass. Near duplicates give
way to whatever leads, be it dropped by the rule of the test split: so that rule changes nothing
for the one before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice, tee
from pathlib import Path
from typing import Any

from c2c_tasks.config import FunctionOptions
from c2c_tasks.curation.ingestion import Ingestion, Verdict
from c2c_tasks.curation.leaders import find_leaders
from c2c_tasks.curation.overlap import Overlap, OverlapIndex, ProtectedProgram
from c2c_tasks.curation.signatures import read_shingles
from c2c_tasks.shards import StepReport

Row = Mapping[str, Any]
InTest = Callable[[str], bool]
"""Tells of a function id whether its program is in the test split."""

RULES = ("exact duplicates", "benchmark overlap", "near duplicates", "test split overlap")
"""Stages of the funnel, in order."""
_TESTS_AT_ONCE = 100_000
"""Programs of the test split that are indexed at a time: some 200 MB."""


def judge(
    ingestion: Ingestion,
    options: FunctionOptions,
    folder: Path,
    report: StepReport,
    *,
    protected: Iterable[ProtectedProgram],
    judge_kept: bool,
    in_test: InTest,
) -> None:
    """Give a standing to every function that has none, and draw no consequences yet.

    `protected` are the programs of benchmarks. `judge_kept` has what was kept before compared
    with them too. `folder` is for what memory does not hold.
    """
    for name in RULES:
        report.stage(name, "functions")
    benchmarks = OverlapIndex(protected, options.benchmark_overlap_threshold)
    if judge_kept:
        _drop_benchmarks(ingestion, ingestion.leading(), benchmarks)
    if not ingestion.replays:
        ingestion.judge_orphans()
    in_benchmarks = _drop_benchmarks(ingestion, ingestion.judged(), benchmarks)
    if ingestion.replays:
        ingestion.judge_orphans()
    stage = report.stage("benchmark overlap", "functions")
    if in_benchmarks:
        stage.drop("benchmark_overlap", in_benchmarks)
    _drop_near_duplicates(ingestion, options, folder, report)
    _drop_split_overlaps(ingestion, options, report, in_test)


def count_those_run_again(ingestion: Ingestion, report: StepReport) -> None:
    """Count what came in, and what passes the rules because it passed them before."""
    ingestion.count_duplicates(report.stage("exact duplicates", "functions"))
    for name in RULES:
        report.stage(name, "functions").keep(ingestion.number_to_run_again())


def _drop_benchmarks(
    ingestion: Ingestion, functions: Iterator[dict[str, Any]], benchmarks: OverlapIndex
) -> int:
    """Drop functions that overlap with benchmarks; return their number."""
    if not len(benchmarks):
        return 0
    verdicts = [
        Verdict(row["function_id"], "benchmark_overlap", best.protected, best.measure, best.value)
        for row, (best, *_) in _with_overlaps(functions, benchmarks)
    ]
    ingestion.set_standing(verdicts)
    return len(verdicts)


def _drop_near_duplicates(
    ingestion: Ingestion, options: FunctionOptions, folder: Path, report: StepReport
) -> None:
    new = ingestion.ids_judged()
    report.stage("benchmark overlap", "functions").keep(len(new))
    leaders: dict[str, str] = {}
    if options.near_duplicate_threshold < 1.0:
        leaders = dict(
            find_leaders(
                [ingestion.write_judged(folder / "judged.parquet")],
                [ingestion.write_leading(folder / "leading.parquet")],
                options.near_duplicate_threshold,
                memory_megabytes=options.merge_memory_megabytes // 2,
                folder=folder,
            )
        )
    stage = report.stage("near duplicates", "functions")
    stage.keep(len(new) - len(leaders))
    known = set(new)
    for leader in leaders.values():
        stage.drop("near_duplicate" + "_of_earlier_release" * (leader not in known))
    ingestion.set_standing(
        Verdict(name, "near_duplicate" if name in leaders else "kept", leaders.get(name))
        for name in new
    )


def _drop_split_overlaps(
    ingestion: Ingestion, options: FunctionOptions, report: StepReport, in_test: InTest
) -> None:
    """Drop functions that overlap with an earlier one, of which one is in the test split alone.

    So nothing of the test split is in what models are trained on, near as it may be without
    being a near duplicate. The earlier one need not have been kept by this same rule.
    """
    fresh = set(ingestion.just_kept())
    threshold = options.benchmark_overlap_threshold
    first: dict[str, tuple[tuple[int, str], Overlap]] = {}

    def note(tests: Iterable[Row], others: Iterator[dict[str, Any]]) -> None:
        for row, test, overlap in _pairs(tests, others, threshold):
            earlier, later = sorted((row, test), key=_order)
            name = later["function_id"]
            if name in fresh and (name not in first or _order(earlier) < first[name][0]):
                first[name] = _order(earlier), overlap

    def leading(*, tested: bool, new: bool | None = None) -> Iterator[dict[str, Any]]:
        for row in ingestion.leading():
            name = row["function_id"]
            if in_test(name) is tested and (new is None or (name in fresh) is new):
                yield row

    tests = leading(tested=True)
    while some := list(islice(tests, _TESTS_AT_ONCE)):
        note(some, leading(tested=False, new=True))
    if new_tests := list(leading(tested=True, new=True)):
        note(new_tests, leading(tested=False, new=False))
    ingestion.set_standing(
        Verdict(name, "test_split_overlap", earlier, overlap.measure, overlap.value)
        for name, ((_, earlier), overlap) in first.items()
    )
    stage = report.stage("test split overlap", "functions")
    stage.keep(len(fresh) - len(first))
    if first:
        stage.drop("test_split_overlap", len(first))


def _pairs(
    tests: Iterable[Row], others: Iterator[dict[str, Any]], threshold: float
) -> Iterator[tuple[Row, Row, Overlap]]:
    """Yield the functions of which one of the test split overlaps with another one."""
    by_id = {row["function_id"]: row for row in tests}
    index = OverlapIndex(
        (
            ProtectedProgram(name, name, read_shingles(row["shingles"]))
            for name, row in by_id.items()
        ),
        threshold,
    )
    for row, overlaps in _with_overlaps(others, index):
        for overlap in overlaps:
            yield row, by_id[overlap.protected], overlap


def _with_overlaps(
    functions: Iterable[dict[str, Any]], index: OverlapIndex
) -> Iterator[tuple[dict[str, Any], list[Overlap]]]:
    """Yield the functions that overlap with something, and with what: the best one first."""
    rows, given = tee(functions)
    pairs = ((row["function_id"], read_shingles(row["shingles"])) for row in given)
    for row, overlaps in zip(rows, index.matches(pairs), strict=True):
        if overlaps:
            yield row, overlaps


def _order(row: Row) -> tuple[int, str]:
    return row["ingested"], row["function_id"]
