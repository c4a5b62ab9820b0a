"""The probe inputs of a function: those of its signature."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import combinations, islice
from typing import Any

from c2c_tasks import literals
from c2c_tasks.inputs.probing.behaviour import behaviour_of
from c2c_tasks.inputs.probing.signature import Type, signature_of
from c2c_tasks.inputs.probing.values import values
from c2c_tasks.records import Case, Function

Row = tuple[Any, ...]
_DRAWN = 4
"""Rows drawn for each that is wanted: some come twice, where a type has few values."""
MIN_OUTPUTS = 2
"""Distinct outputs of a function that is worth probing."""
_SLICED = (str, list, tuple)
_SIGNATURES = 1_024
"""Signatures whose probes are kept; most functions have one of few."""


class Probing:
    """Tells what functions do by `count` inputs that are the same for all of a signature."""

    def __init__(self, count: int) -> None:
        self._count = count

    def arguments(self, function: Function, cases: Sequence[Case]) -> list[str]:
        """Return the inputs of the signature that a function's cases show.

        They differ in the names of parameters alone between functions. Fewer than `count` where
        the types have no more values; none where the function returned the same always, or did
        not end.
        """
        returned = [case for case in cases if case.outcome == "returned"]
        if any(case.outcome in ("timed_out", "killed") for case in cases):
            return []
        if len({case.output for case in returned}) < MIN_OUTPUTS:
            return []
        signature = signature_of(function, returned)
        return [_call(signature, row) for row in _texts(tuple(signature.values()), self._count)]

    def behaviour(
        self, function: Function, cases: Sequence[Case], probes: Sequence[Case]
    ) -> str | None:
        """Return a digest of what the inputs came to; see `behaviour_of`."""
        return behaviour_of(function, cases, probes)


def _call(names: Iterable[str], values: Iterable[str]) -> str:
    members = ", ".join(f"{name!r}: {value}" for name, value in zip(names, values, strict=True))
    return f"{{{members}}}"


@lru_cache(_SIGNATURES)
def _texts(types: tuple[Type, ...], count: int) -> list[tuple[str, ...]]:
    return [tuple(map(literals.dumps, row)) for row in probe_rows(types, count)]


def probe_rows(types: tuple[Type, ...], count: int) -> list[Row]:
    """Return up to `count` different rows of values, one for each parameter of these types.

    They depend on the types and the count alone.
    """
    columns = []
    for position, type_ in enumerate(types):
        rng = random.Random(f"{position} of {types}")
        column = list(islice(values(type_, rng, alone=len(types) == 1), _DRAWN * count))
        first = column[:count]
        if position:
            rng.shuffle(first)
        columns.append(first + column[count:])
    rng = random.Random(repr(types))
    rows = (
        _related(types, row, number, rng) for number, row in enumerate(zip(*columns, strict=True))
    )
    return list({literals.dumps(row): row for row in rows}.values())[:count]


def _related(types: tuple[Type, ...], row: Row, number: int, rng: random.Random) -> Row:
    """Return a row with values that have to do with each other, as those of most calls have.

    One is in the other, where its type can be; of two of one type, some are equal, and texts
    nearly so.
    """
    values = list(row)
    for later, earlier in combinations(range(len(row))[::-1], 2):
        whole, part = values[earlier], values[later]
        piece = _piece(whole, number // 4, rng) if isinstance(whole, _SLICED) else None
        if types[earlier] == types[later] == ("str",):
            values[later] = (part, piece, _altered(whole, number // 4, rng), part)[number % 4]
        elif types[earlier] == types[later] and piece is not None:
            values[later] = (part, piece, part, whole)[number % 4]
        elif types[earlier] == types[later]:
            values[later] = whole if number % 6 == 5 else part
        elif number % 2 and types[later] in types[earlier][1:] and whole:
            values[later] = _member(whole, types[earlier], types[later], rng)
        elif number % 2 and types[earlier] in types[later][1:] and part:
            values[earlier] = _member(part, types[later], types[earlier], rng)
    return tuple(values)


def _piece(whole: Any, turn: int, rng: random.Random) -> Any:
    """Return what a text or sequence begins with, ends with, or has in it, in turn."""
    size = rng.randint(1, 3)
    start = (0, max(len(whole) - size, 0), rng.randrange(len(whole) + 1))[turn % 3]
    return whole[start : start + size]


def _altered(text: str, turn: int, rng: random.Random) -> str:
    """Return a text with its letters in another order, or one of them gone or another, in turn."""
    at = rng.randrange(len(text) + 1)
    match turn % 3:
        case 0:
            return "".join(rng.sample(text, len(text)))
        case 1:
            return text[:at] + text[at + 1 :]
    return text[:at] + "e" + text[at + 1 :]


def _member(container: Any, type_: Type, wanted: Type, rng: random.Random) -> Any:
    """Return a key of a dict, if keys are of the wanted type, else a value; or an item."""
    if isinstance(container, dict) and type_[1] != wanted:
        return rng.choice(list(container.values()))
    return rng.choice(sorted(container, key=repr))
