"""Which functions are new: not a copy, nor nearly one, of another or of a benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from c2c_tasks.config import FunctionOptions
from c2c_tasks.curation.benchmarks import BenchmarkPrograms
from c2c_tasks.curation.near_duplicates import NearDuplicateIndex
from c2c_tasks.curation.tokens import shingles
from c2c_tasks.records import Function
from c2c_tasks.shards import StepReport


def unique_functions(
    functions: Iterable[Function],
    options: FunctionOptions,
    report: StepReport,
    *,
    earlier: Iterable[Function] = (),
    benchmarks: Iterable[str] = (),
) -> Iterator[Function]:
    """Yield the functions that are new, by function id; the order of the input is no matter.

    `earlier` are the functions of earlier releases: never yielded, and what equals or is near
    to one of them is dropped. `benchmarks` are the sources of benchmark solutions. Among the
    rest, a function is dropped where it is near to one that was kept before it (the leader
    rule); being near to a dropped one does it no harm.
    """
    # Named here, in order: each of the generators below starts when the one after it does.
    for name in ("exact duplicates", "benchmark overlap", "near duplicates"):
        report.stage(name, "functions")
    index = NearDuplicateIndex(options.near_duplicate_threshold)
    ids_of_earlier: set[str] = set()
    for function in earlier:
        if function.function_id not in ids_of_earlier:
            ids_of_earlier.add(function.function_id)
            try:
                index.add(shingles(function.program, function.entry_point))
            except SyntaxError as error:  # written in a newer Python, as its copies would be
                report.problem(f"{function.function_id}: of an earlier release: {error}")
    new = _exact(functions, ids_of_earlier, report)
    new = _outside(new, BenchmarkPrograms(benchmarks, index.threshold, report), report)
    if options.near_duplicate_threshold < 1.0:
        new = _leaders(new, index, report)
    yield from new


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
    functions: Iterable[Function], benchmarks: BenchmarkPrograms, report: StepReport
) -> Iterator[Function]:
    """Yield the functions that overlap with no benchmark."""
    stage = report.stage("benchmark overlap", "functions")
    for function in functions:
        if len(benchmarks) and benchmarks.overlaps(function):
            stage.drop("benchmark_overlap")
        else:
            stage.keep()
            yield function


def _leaders(
    functions: Iterable[Function], index: NearDuplicateIndex, report: StepReport
) -> Iterator[Function]:
    """Yield the functions that are near to none before them; `index` holds the earlier ones."""
    stage = report.stage("near duplicates", "functions")
    earlier = len(index)
    for function in functions:
        near = index.add_unless_near(shingles(function.program, function.entry_point))
        if near is None:
            stage.keep()
            yield function
        elif near < earlier:
            stage.drop("near_duplicate_of_earlier_release")
        else:
            stage.drop("near_duplicate")
