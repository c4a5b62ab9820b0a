"""Finding functions that are, or hold, one of a set of protected programs.

Protected are the solutions of benchmarks and the programs of test splits. Three measures tell
of an overlap, from the surest to the weakest:

- `canonical_ast`: the programs are equal but for invented names, docstrings and annotations;
- `jaccard`: the share of common shingles among all shingles of both;
- `containment`: the share of the protected program's shingles that the function has, however
  much more there is of it (Broder 1997). So a solution is found inside a larger function.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np
import numpy.typing as npt

from c2c_tasks.curation.signatures import Hashes, number_in_common

LEAST_SHINGLES = 15
"""Protected programs with fewer are not looked for inside others: much holds ``x + 1``."""
SHARED_BY_CHANCE = 3
"""Shingles that any two functions may share. Containment of a program of n shingles at
threshold t asks for so many more than t * n: it matters to the short ones only.

With both figures and a threshold of 0.6, 48 of 8,583 functions of the standard library and of
installed packages overlap with HumanEval or MBPP, some 20 of them rightly; of the programs of 25
shingles and more, every version that a test plants in a dump is found."""

Measure = Literal["canonical_ast", "jaccard", "containment"]
_MEASURES: tuple[Measure, ...] = ("canonical_ast", "jaccard", "containment")
_FUNCTIONS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class ProtectedProgram:
    """A program that must not be in the training data."""

    name: str
    """What a report calls it."""
    digest: str
    """Canonical digest of the program: the `function_id` that it would have."""
    shingles: Hashes


@dataclass(frozen=True, slots=True)
class Overlap:
    """The protected program that a function overlaps with most."""

    protected: str
    """Name of the protected program."""
    measure: Measure
    value: float
    """What the measure says, from the threshold to 1."""


@dataclass(frozen=True, slots=True)
class Contamination:
    """A row of the report on decontamination: what was removed, and why."""

    function_id: str
    repository: str
    path: str
    first_line: int
    protected: str
    """Problem of a benchmark by name, or a function by its id."""
    measure: str
    value: float


class OverlapIndex:
    """Protected programs, searched by their shingles. Held in memory, and exact.

    A program is listed under its rarest shingles alone, as many as cannot all be missing from
    a function that reaches the threshold (prefix filtering, Chaudhuri et al. 2006).
    """

    def __init__(self, programs: Iterable[ProtectedProgram], threshold: float) -> None:
        """Index the programs for overlaps of `threshold`, more than 0 and up to 1."""
        self._threshold = threshold
        self._programs = list(programs)
        self._by_digest: dict[str, str] = {}
        for program in self._programs:
            self._by_digest.setdefault(program.digest, program.name)
        self._listed, self._starts, self._postings = self._lists()

    def __len__(self) -> int:
        return len(self._programs)

    def find(self, digest: str, shingles: Hashes) -> Overlap | None:
        """Return the best overlap of a function, by its function id and shingles, or None."""
        (found,) = self.find_all([(digest, shingles)])
        return found

    def find_all(self, functions: Iterable[tuple[str, Hashes]]) -> Iterator[Overlap | None]:
        """Yield for each function, by its function id and shingles, what `find` returns."""
        for overlaps in self.matches(functions):
            yield next(iter(overlaps), None)

    def matches(self, functions: Iterable[tuple[str, Hashes]]) -> Iterator[list[Overlap]]:
        """Yield for each function, by its function id and shingles, its overlaps, best first."""
        remaining = iter(functions)
        while some := list(islice(remaining, _FUNCTIONS_AT_ONCE)):
            found: list[list[Overlap]] = [[] for _ in some]
            for position, program in self._candidates([shingles for _, shingles in some]):
                overlap = self._overlap(some[position][1], self._programs[program])
                if overlap is not None:
                    found[position].append(overlap)
            for (digest, _), overlaps in zip(some, found, strict=True):
                if (equal := self._by_digest.get(digest)) is not None:
                    overlaps.append(Overlap(equal, "canonical_ast", 1.0))
                yield sorted(overlaps, key=_rank)

    def _lists(self) -> tuple[Hashes, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the shingles listed, sorted; where the list of each starts; and the lists."""
        sizes = np.array([len(program.shingles) for program in self._programs], dtype=np.int64)
        values = _joined([program.shingles for program in self._programs])
        owners = np.repeat(np.arange(len(sizes)), sizes)
        _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
        order = np.lexsort((values, counts[places], owners))
        values, owners = values[order], owners[order]
        needed = np.array([math.ceil(self._threshold * size - 1e-9) for size in sizes], np.int64)
        ranks = np.arange(len(values)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        prefix = ranks <= (sizes - needed)[owners]
        values, owners = values[prefix], owners[prefix]
        order = np.argsort(values, kind="stable")
        listed, starts = np.unique(values[order], return_index=True)
        return listed, np.append(starts, len(order)), owners[order]

    def _candidates(self, functions: Sequence[Hashes]) -> Iterator[tuple[int, int]]:
        """Yield positions of functions and programs that may overlap, each pair once."""
        if not len(self._listed):
            return
        values = _joined(functions)
        owners = np.repeat(np.arange(len(functions)), [len(shingles) for shingles in functions])
        places = np.searchsorted(self._listed, values)
        places[places == len(self._listed)] = 0
        matched = self._listed[places] == values
        places, owners = places[matched], owners[matched]
        lengths = self._starts[places + 1] - self._starts[places]
        before = np.repeat(np.cumsum(lengths) - lengths, lengths)
        postings = np.repeat(self._starts[places], lengths) + np.arange(lengths.sum()) - before
        pairs = np.unique(np.repeat(owners, lengths) * len(self) + self._postings[postings])
        for pair in pairs.tolist():
            yield divmod(pair, len(self))

    def _overlap(self, shingles: Hashes, program: ProtectedProgram) -> Overlap | None:
        size = len(program.shingles)
        common = number_in_common(shingles, program.shingles)
        jaccard = common / (len(shingles) + size - common)
        if jaccard >= self._threshold:
            return Overlap(program.name, "jaccard", jaccard)
        enough = common - SHARED_BY_CHANCE >= self._threshold * size
        if size >= LEAST_SHINGLES and (enough or common == size):
            return Overlap(program.name, "containment", common / size)
        return None


def _rank(overlap: Overlap) -> tuple[int, float, str]:
    return _MEASURES.index(overlap.measure), -overlap.value, overlap.protected


def _joined(sets: Sequence[Hashes]) -> Hashes:
    return np.concatenate([np.empty(0, np.uint64), *sets])
