"""Which functions are new: not a copy, nor nearly one, of another or of a benchmark."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from c2c_tasks.config import FunctionOptions
from c2c_tasks.curation.benchmarks import Problem, protected_programs
from c2c_tasks.curation.leaders import find_leaders
from c2c_tasks.curation.overlap import OverlapIndex
from c2c_tasks.curation.signatures import read_shingles, sign
from c2c_tasks.records import Candidate, Function, arrow_schema, to_row
from c2c_tasks.shards import StepReport, write_parquet


def unique_functions(
    functions: Iterable[Function],
    options: FunctionOptions,
    report: StepReport,
    *,
    earlier: Iterable[Function] = (),
    benchmarks: Iterable[Problem] = (),
) -> Iterator[Function]:
    """Yield the functions that are new, by function id; the order of the input is no matter.

    `earlier` are the functions of earlier releases: never yielded, and what equals or is near
    to one of them is dropped. `benchmarks` are the problems of benchmarks. Among the rest, a
    function is dropped where it is near to one that was kept before it (the leader rule);
    being near to a dropped one does it no harm.
    """
    # Named here, in order: each of the generators below starts when the one after it does.
    for name in ("exact duplicates", "benchmark overlap", "near duplicates"):
        report.stage(name, "functions")
    kept: dict[str, Candidate | None] = {}
    for function in earlier:
        if function.function_id not in kept:
            kept[function.function_id] = None
            try:
                kept[function.function_id] = sign(function)
            except SyntaxError as error:  # written in a newer Python, as its copies would be
                report.problem(f"{function.function_id}: of an earlier release: {error}")
    new = (sign(function) for function in _exact(functions, set(kept), report))
    index = OverlapIndex(
        protected_programs(benchmarks, report), options.benchmark_overlap_threshold
    )
    outside = list(_outside(new, index, report))
    if options.near_duplicate_threshold < 1.0:
        signed = [candidate for candidate in kept.values() if candidate is not None]
        yield from _leaders(outside, signed, options, report)
    else:
        yield from outside


def _exact(
    functions: Iterable[Function], earlier: set[str], report: StepReport
) -> Iterator[Function]:
    """Yield one function of each id that `earlier` does not have, in order of the ids."""
    stage = report.stage("exact duplicates", "functions")
    first: dict[str, Function] = {}
    for function in functions:
        if function.function_id in earlier:
            stage.drop("exact_duplicate_of_earlier_release")
            continue
        known = first.setdefault(function.function_id, function)
        if known is not function:
            stage.drop("exact_duplicate")
            first[function.function_id] = min(known, function, key=_origin)
    stage.keep(len(first))
    for function_id in sorted(first):
        yield first[function_id]


def _origin(function: Function) -> tuple[object, ...]:
    """Return what the copies of a function are ordered by: where each was found."""
    return function.repository, function.path, function.first_line, function.dump, function.program


def _outside(
    candidates: Iterable[Candidate], index: OverlapIndex, report: StepReport
) -> Iterator[Candidate]:
    """Yield the functions that overlap with no benchmark."""
    stage = report.stage("benchmark overlap", "functions")
    for candidate in candidates:
        if index.find(candidate.function_id, read_shingles(candidate.shingles)):
            stage.drop("benchmark_overlap")
        else:
            stage.keep()
            yield candidate


def _leaders(
    candidates: list[Candidate],
    earlier: list[Candidate],
    options: FunctionOptions,
    report: StepReport,
) -> Iterator[Candidate]:
    """Yield the functions that are near to none before them, the earlier ones first of all."""
    stage = report.stage("near duplicates", "functions")
    of_earlier = {candidate.function_id for candidate in earlier}
    with tempfile.TemporaryDirectory(prefix="c2c-") as folder:
        newcomers, kept = Path(folder, "newcomers.parquet"), Path(folder, "kept.parquet")
        for path, rows in ((newcomers, candidates), (kept, earlier)):
            write_parquet(path, arrow_schema(Candidate), map(to_row, rows))
        leaders = dict(
            find_leaders(
                [newcomers],
                [kept],
                options.near_duplicate_threshold,
                memory_megabytes=options.merge_memory_megabytes,
                folder=Path(folder),
            )
        )
    for candidate in candidates:
        leader = leaders.get(candidate.function_id)
        if leader is None:
            stage.keep()
            yield candidate
        elif leader in of_earlier:
            stage.drop("near_duplicate_of_earlier_release")
        else:
            stage.drop("near_duplicate")
