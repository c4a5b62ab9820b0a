"""Keeping the problems of benchmarks out of the training data."""

from __future__ import annotations

from collections.abc import Iterable

from c2c_tasks.curation.near_duplicates import NearDuplicateIndex
from c2c_tasks.curation.tokens import canonical_digest, shingles, top_level_functions
from c2c_tasks.records import Function
from c2c_tasks.shards import StepReport


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
