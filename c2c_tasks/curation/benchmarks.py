"""Keeping the problems of benchmarks out of the training data."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from c2c_tasks.curation.near_duplicates import NearDuplicateIndex
from c2c_tasks.curation.tokens import canonical_digest, shingles, top_level_functions
from c2c_tasks.records import Function
from c2c_tasks.shards import StepReport
from c2c_tasks.store import ObjectNotFound, StoreError, normalise, read, store_for

_SUFFIXES = (".jsonl", ".jsonl.gz")


class BenchmarkError(ValueError):
    """Benchmark problems cannot be read; the message names the object and the line."""


class BenchmarkPrograms:
    """The programs of benchmarks, searched by what is left when names are taken away.

    A function overlaps with a benchmark where it, or its whole program, equals a function or
    the whole of a solution up to invented names, or is near to one at the threshold.
    """

    def __init__(self, programs: Iterable[str], threshold: float, report: StepReport) -> None:
        """Read the programs; those that define no function are counted and reported."""
        self._digests: set[str] = set()
        self._index = NearDuplicateIndex(threshold)
        for number, program in enumerate(programs, start=1):
            try:
                functions = top_level_functions(program)
            except SyntaxError as error:
                report.count("unread benchmark programs")
                report.problem(f"benchmark program {number} cannot be parsed: {error}")
                continue
            if not functions:
                report.count("unread benchmark programs")
                report.problem(f"benchmark program {number} defines no function")
                continue
            for name, text in functions.items():
                self._add(text, name)
            if program.strip() != text:
                self._add(program, name)  # the last function, with what it needs

    def __len__(self) -> int:
        return len(self._index)

    def _add(self, program: str, entry_point: str) -> None:
        self._digests.add(canonical_digest(program, entry_point))
        self._index.add(shingles(program, entry_point))

    def overlaps(self, function: Function) -> bool:
        """Return whether a function is, or nearly is, one of the benchmarks' programs."""
        name = function.entry_point
        alone = top_level_functions(function.program).get(name, function.program)
        return any(
            canonical_digest(text, name) in self._digests
            or self._index.find(shingles(text, name)) is not None
            for text in {function.program, alone}
        )


def read_benchmarks(uri: str) -> Iterator[str]:
    """Yield the programs of the benchmark problems in a file, or in every file of a folder.

    Files are JSON Lines, plain or gzip. A row's program is its `code` (MBPP), its `program`
    (Case2Code's test set), or its `prompt` and `canonical_solution` (HumanEval). Raises
    BenchmarkError where there is no such file, or a row is none of these.
    """
    for item in benchmark_objects(uri):
        try:
            data = read(item)
            text = (gzip.decompress(data) if item.endswith(".gz") else data).decode()
        except (StoreError, EOFError, OSError, zlib.error, UnicodeError) as error:
            raise BenchmarkError(f"benchmarks {item}: cannot be read: {error}") from None
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield _program(line, f"benchmarks {item}: line {number}")


def benchmark_objects(uri: str) -> list[str]:
    """Return the URIs of a benchmark's files. Raises BenchmarkError where there is none."""
    uri = normalise(uri)
    try:
        store = store_for(uri)
        if store.head(uri) is not None:
            return [uri]
        found = [item.uri for item in store.list(uri) if item.uri.endswith(_SUFFIXES)]
    except ObjectNotFound:
        found = []
    except StoreError as error:
        raise BenchmarkError(f"benchmarks {uri}: {error}") from None
    if not found:
        suffixes = " or ".join(_SUFFIXES)
        raise BenchmarkError(f"benchmarks {uri}: no such file, and no folder with {suffixes} files")
    return found


def _program(line: str, place: str) -> str:
    try:
        row: Any = json.loads(line)
    except ValueError as error:
        raise BenchmarkError(f"{place}: not JSON: {error}") from None
    match row:
        case {"code": str(text)} | {"program": str(text)}:
            return text
        case {"prompt": str(prompt), "canonical_solution": str(solution)}:
            return f"{prompt}{solution}"
    columns = ", ".join(row) if isinstance(row, dict) else type(row).__name__
    raise BenchmarkError(
        f"{place}: has no `code`, no `program` and no `prompt` with `canonical_solution`, "
        f"but {columns}"
    )
