"""Verdicts on the candidates of an ingestion: benchmark overlap, near duplicates, test split.

The rules are asked in this order, and each of what the one before let pass. Near duplicates give
way to whatever leads, be it dropped by the rule of the test split: so that rule changes nothing
for the one before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import tee
from pathlib import Path
from typing import Any

from c2c_tasks.config import FunctionOptions
from c2c_tasks.curation.ingestion import Ingestion
from c2c_tasks.curation.leaders import find_leaders
from c2c_tasks.curation.overlap import Contamination, Overlap, OverlapIndex, ProtectedProgram
from c2c_tasks.curation.signatures import read_shingles
from c2c_tasks.shards import StepReport

Row = Mapping[str, Any]
InTest = Callable[[str], bool]
"""Tells of a function id whether its program is in the test split."""


def judge(
    ingestion: Ingestion,
    options: FunctionOptions,
    folder: Path,
    report: StepReport,
    *,
    protected: Iterable[ProtectedProgram],
    judge_kept: bool,
    in_test: InTest,
) -> list[Contamination]:
    """Give a standing to every function that has none; return what overlapped, and with what.

    `protected` are the programs of benchmarks. `judge_kept` has what was kept before compared
    with them too. `folder` is for what memory does not hold.
    """
    for name in ("exact duplicates", "benchmark overlap", "near duplicates", "test split overlap"):
        report.stage(name, "functions")
    benchmarks = OverlapIndex(protected, options.benchmark_overlap_threshold)
    found: list[Contamination] = []
    if judge_kept:
        found += _drop_overlaps(ingestion, ingestion.leading(), benchmarks)
    ingestion.judge_orphans()
    ingestion.count_duplicates(report.stage("exact duplicates", "functions"))
    in_benchmarks = _drop_overlaps(ingestion, ingestion.judged(), benchmarks)
    _drop_near_duplicates(ingestion, options, folder, report, len(in_benchmarks))
    return [*found, *in_benchmarks, *_drop_split_overlaps(ingestion, options, report, in_test)]


def _drop_overlaps(
    ingestion: Ingestion, functions: Iterator[dict[str, Any]], benchmarks: OverlapIndex
) -> list[Contamination]:
    """Drop functions that overlap with benchmarks; return which, and with what."""
    if not len(benchmarks):
        return []
    found = [
        Contamination.of(row, overlap)
        for row, (overlap, *_) in _with_overlaps(functions, benchmarks)
    ]
    ingestion.set_standing((row.function_id, "benchmark_overlap", None) for row in found)
    return found


def _drop_near_duplicates(
    ingestion: Ingestion,
    options: FunctionOptions,
    folder: Path,
    report: StepReport,
    in_benchmarks: int,
) -> None:
    judged = ingestion.write("judged", folder / "judged.parquet")
    leading = ingestion.write("leading", folder / "leading.parquet")
    new = ingestion.ids_judged()
    overlaps = report.stage("benchmark overlap", "functions")
    overlaps.keep(len(new))
    if in_benchmarks:
        overlaps.drop("benchmark_overlap", in_benchmarks)
    leaders: dict[str, str] = {}
    if options.near_duplicate_threshold < 1.0:
        leaders = dict(
            find_leaders(
                [judged],
                [leading],
                options.near_duplicate_threshold,
                memory_megabytes=options.merge_memory_megabytes,
                folder=folder,
            )
        )
    stage = report.stage("near duplicates", "functions")
    stage.keep(len(new) - len(leaders))
    known = set(new)
    for leader in leaders.values():
        stage.drop("near_duplicate" + "_of_earlier_release" * (leader not in known))
    ingestion.set_standing(
        (name, "near_duplicate" if name in leaders else "kept", leaders.get(name)) for name in new
    )


def _drop_split_overlaps(
    ingestion: Ingestion, options: FunctionOptions, report: StepReport, in_test: InTest
) -> list[Contamination]:
    """Drop functions that overlap with an earlier one, of which one is in the test split alone.

    So nothing of the test split is in what models are trained on, near as it may be without
    being a near duplicate. The earlier one need not have been kept by this same rule.
    """
    fresh = {*ingestion.just_kept(), *ingestion.overlap_orphans()}
    tests = {row["function_id"]: row for row in ingestion.leading() if in_test(row["function_id"])}
    index = OverlapIndex(
        (
            ProtectedProgram(name, name, read_shingles(row.pop("shingles")))
            for name, row in tests.items()
        ),
        options.benchmark_overlap_threshold,
    )
    if fresh.isdisjoint(tests):
        others = (row for row in ingestion.leading() if row["function_id"] in fresh)
    else:
        others = (row for row in ingestion.leading() if row["function_id"] not in tests)
    first: dict[str, tuple[Row, Row, Overlap]] = {}
    for row, overlaps in _with_overlaps(others, index):
        for overlap in overlaps:
            earlier, later = sorted((row, tests[overlap.protected]), key=_order)
            name = later["function_id"]
            if name in fresh and (name not in first or _order(earlier) < _order(first[name][1])):
                first[name] = later, earlier, overlap
    ingestion.set_standing(
        [(name, "kept", None) for name in fresh - first.keys()]
        + [(name, "test_split_overlap", row["function_id"]) for name, (_, row, _) in first.items()]
    )
    stage = report.stage("test split overlap", "functions")
    stage.keep(len(fresh) - len(first))
    if first:
        stage.drop("test_split_overlap", len(first))
    return [
        Contamination.of(later, replace(overlap, protected=earlier["function_id"]))
        for later, earlier, overlap in first.values()
    ]


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
