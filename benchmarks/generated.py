"""Functions that nobody wrote, in any number: each is told by its number alone.

So any part of them can be made by any process, and in any order, and is the same. What the reduce
steps go by is as in real code: sizes are log-normal, as measured over the standard library and
installed packages (`SHINGLES`); some are changed copies of an earlier one, of which a few have
very many; some are found in several places. Programs are text of the length and with the
redundancy of code, and do not parse.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from c2c_tasks.curation.signatures import Hashes, minhash
from c2c_tasks.records import Candidate, arrow_schema

SHINGLES = (3.96, 0.94)
"""Mean and deviation of the logarithm of the number of shingles of 3,000 real functions."""
FEWEST, MOST = 6, 1_000
CHANGED = 0.3
"""Share of functions that are copies of an earlier one, with up to an eighth of it replaced."""
SKEW = 2
"""The greater, the more copies the most copied ones have: it is number N * u**SKEW that is copied,
where N come before and u is uniform."""
BYTES_A_SHINGLE = 8
LINE_BYTES = 24

Numbers = npt.NDArray[np.uint64]


def uniform(numbers: Numbers, purpose: int) -> npt.NDArray[np.float64]:
    """Return a number from 0 to below 1 for each, another one for each purpose."""
    return (_mixed(numbers ^ _mixed(np.uint64(purpose))) >> np.uint64(11)) / 2.0**53


def sets(first: int, end: int) -> Iterator[Hashes]:
    """Yield the shingle hashes of the functions from number `first` to before `end`."""
    numbers = np.arange(first, end, dtype=np.uint64)
    origins = _origins(numbers)
    sizes = np.exp(SHINGLES[0] + SHINGLES[1] * _normal(origins))
    sizes = np.clip(sizes, FEWEST, MOST).astype(np.int64)
    shares = np.where(origins == numbers, 0.0, uniform(numbers, 3) / 8)
    for number, origin, size, share in zip(
        numbers.tolist(), origins.tolist(), sizes.tolist(), shares.tolist(), strict=True
    ):
        members = _mixed(np.arange(size, dtype=np.uint64) + np.uint64(origin << 10))
        changed = int(size * share)
        if changed:
            own = np.arange(changed, dtype=np.uint64) + np.uint64(1 << 63 | number << 10)
            members[:changed] = _mixed(own)
        members.sort()
        yield members


def function_id(number: int) -> str:
    """Return the id of a function: ids are in no order."""
    return hashlib.sha256(number.to_bytes(8, "big")).hexdigest()


@dataclass(frozen=True)
class Dump:
    """A dump of generated functions: objects of `per_object` functions each, and copies of others.

    Every `planted` functions one holds the shingles of one of `protected`, too.
    """

    per_object: int = 2_000
    copies: float = 0.25
    """Places that hold a function of an earlier object, for each function that is new."""
    repositories: int = 5_000
    planted: int = 10_000
    protected: Sequence[Hashes] = ()

    def candidates(self, number: int) -> pa.RecordBatch:
        """Return the candidates of an object of the dump."""
        first = number * self.per_object
        own = range(first, first + self.per_object)
        drawn = uniform(np.arange(int(self.per_object * self.copies), dtype=np.uint64), 7 + number)
        earlier = sorted({int(first * share) for share in drawn}) if number else []
        shingles = [*self._sets(own.start, own.stop)]
        for copied in earlier:
            shingles.extend(self._sets(copied, copied + 1))
        functions = [*own, *earlier]
        places = np.arange(first, first + len(functions), dtype=np.uint64) + np.uint64(number << 40)
        repositories = (uniform(places >> np.uint64(3), 4) * self.repositories).astype(int)
        columns = {
            "function_id": [*map(function_id, functions)],
            "program": [program_text(n, len(s)) for n, s in zip(functions, shingles, strict=True)],
            "entry_point": [f"function_{n}" for n in functions],
            "parameters": [_PARAMETERS] * len(functions),
            "repository": [f"owner{n % 997}/repository{n}" for n in repositories.tolist()],
            "path": [f"source/module_{n >> 3 & 0xFFFF}.py" for n in places.tolist()],
            "first_line": [1 + 40 * place for place in range(len(functions))],
            "last_line": [20 + 40 * place for place in range(len(functions))],
            "licence": ["MIT"] * len(functions),
            "dump": [f"file:///dump/{number:06}.parquet"] * len(functions),
            "source_sha256": [function_id(n >> 3) for n in places.tolist()],
            "signature": [minhash(members).astype("<u4").tobytes() for members in shingles],
            "shingles": [members.astype("<u8").tobytes() for members in shingles],
        }
        return pa.RecordBatch.from_pydict(columns, schema=arrow_schema(Candidate))

    def _sets(self, first: int, end: int) -> Iterator[Hashes]:
        for number, members in enumerate(sets(first, end), start=first):
            if self.protected and number % self.planted == self.planted // 2:
                solution = self.protected[number // self.planted % len(self.protected)]
                yield np.union1d(members, solution)
            else:
                yield members


_PARAMETERS = [
    {"name": "values", "kind": "positional_or_keyword", "annotation": "list[int]", "default": None},
    {"name": "limit", "kind": "positional_or_keyword", "annotation": None, "default": "10"},
]


def program_text(number: int, size: int) -> str:
    """Return a text as long as a program with so many shingles, and with its redundancy."""
    count = max(2, size * BYTES_A_SHINGLE // LINE_BYTES)
    lines = _mixed(np.arange(count, dtype=np.uint64) + np.uint64(number << 12)) & np.uint64(0xFFF)
    return "\n".join([f"def function_{number}(values):", *map(_LINES.__getitem__, lines.tolist())])


def _origins(numbers: Numbers) -> Numbers:
    """Return the function that each is a copy of, itself where it is none."""
    origins = numbers.copy()
    while True:
        copied = (uniform(origins, 1) < CHANGED) & (origins > 0)
        if not copied.any():
            return origins
        earlier = origins[copied] * uniform(origins[copied], 2) ** SKEW
        origins[copied] = earlier.astype(np.uint64)


def _normal(numbers: Numbers) -> npt.NDArray[np.float64]:
    """Return normally distributed numbers (Box and Muller 1958)."""
    radius = np.sqrt(-2 * np.log1p(-uniform(numbers, 5)))
    return np.asarray(radius * np.cos(2 * np.pi * uniform(numbers, 6)))


def _mixed(numbers: Numbers) -> Numbers:
    """Return the numbers under a permutation that looks random: the finaliser of splitmix64."""
    with np.errstate(over="ignore"):
        values = numbers + np.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(values ^ (values >> np.uint64(31)), dtype=np.uint64)


def _line(number: int) -> str:
    names = hashlib.sha256(f"line {number}".encode()).hexdigest()
    return f"    {names[:4]} = {names[4:7]}.{names[7:11]}({number % 100})"


_LINES = [_line(number) for number in range(1 << 12)]
