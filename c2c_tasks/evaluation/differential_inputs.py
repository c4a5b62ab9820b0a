"""Inputs that may tell two programs apart, written from the text and the behaviour of one of them.

The synthesis writer aims at lines that did not run, and stops when they have: enough to show what a
program does, not enough to show that another one does the same. Here it goes on: conditions are
made to come out either way, at their bounds, from inputs that returned; inputs are varied a little,
mixed, made small and made anew; and constants of the program, which it may take for special, are
put in.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from c2c_tasks.evaluation.domain import Domain
from c2c_tasks.inputs.signatures import Arguments
from c2c_tasks.inputs.synthesis import refine
from c2c_tasks.inputs.synthesis.conditions import Condition, layout_of
from c2c_tasks.inputs.synthesis.feedback import take_in
from c2c_tasks.inputs.synthesis.inference import Knowledge, UnreadableProgram, understand
from c2c_tasks.inputs.synthesis.outcomes import outcomes_of
from c2c_tasks.inputs.synthesis.proposals import Proposals
from c2c_tasks.inputs.synthesis.recombination import Recombination
from c2c_tasks.inputs.synthesis.steering import Steering
from c2c_tasks.inputs.synthesis.uses import kind_of
from c2c_tasks.inputs.synthesis.writer import propose
from c2c_tasks.records import Case, Function

REFINED = 0.4
"""Share of the rows that the synthesis writer is asked for first, while lines have not run."""
_ATTEMPTS = 12
"""Rows made for each that is wanted: many are there already, or outside of the domain."""
_BLANKS = ("\t", "\n", "  ", "\r\n", "\u00a0", "\n\n")
_CHARACTERS = ("é", "ß", "İ", "²", "٣", "-", "_", "0", ".", "'", "\\", "A", "z")
"""Letters whose case changes their number, digits that are none of ASCII, and signs."""
Source = Callable[[], Arguments]


def first_rows(function: Function, domain: Domain, count: int) -> list[str]:
    """Return up to `count` rows of arguments of the domain, as literals, from the text alone.

    Empty for a program that cannot be read.
    """
    try:
        return list(filter(domain.has_row, propose(function, understand(function), count)))
    except (UnreadableProgram, RecursionError):
        return []


def further_rows(
    function: Function, cases: Sequence[Case], domain: Domain, count: int, seed: str
) -> list[str]:
    """Return up to `count` rows of the domain that are none of the cases', given those' outcomes.

    The same function, cases and seed give the same rows. Empty for a program that cannot be read.
    """
    rng = random.Random(f"{seed}:{len(cases)}")
    try:
        return _further_rows(function, list(cases), domain, count, rng)
    except (UnreadableProgram, RecursionError):
        return []


def _further_rows(
    function: Function, cases: list[Case], domain: Domain, count: int, rng: random.Random
) -> list[str]:
    known = understand(function)
    outcomes = outcomes_of(known.entry, cases)
    take_in(known, outcomes)
    proposals = Proposals(function, known, rng, outcomes)
    if outcomes.missing:
        refined = refine(function, cases, max(1, round(REFINED * count)))
        proposals.rows += filter(domain.has_row, refined)
        proposals.seen.update(proposals.rows)
    seeds = [arguments for arguments in outcomes.seeds() if domain.has(arguments)]
    sources = _sources(proposals, known, seeds)
    for _ in range(_ATTEMPTS * count):
        if len(proposals.rows) >= count:
            break
        (make,) = rng.choices(list(sources), list(sources.values()))
        if domain.has(made := make()):
            proposals.add(made)
    return proposals.rows[:count]


def _sources(proposals: Proposals, known: Knowledge, seeds: list[Arguments]) -> dict[Source, float]:
    """Return ways to make a row, each with the share of the rows that it is to make."""
    rng = proposals.rng
    mutations = proposals.mutations
    recombination = Recombination(mutations)
    profile = proposals.main_profile()

    def random_row() -> Arguments:
        row = proposals.random_row(profile)
        proposals.relate(row, profile)
        return row

    sources: dict[Source, float] = {random_row: 2.0}
    if not seeds:
        sources[lambda: proposals.random_row(proposals.other_profile(1.5))] = 2.0
        return sources

    def mutated() -> Arguments:
        row = rng.choice(seeds)
        for _ in range(rng.choice((1, 1, 2, 3))):
            row = mutations.of_arguments(row, seeds)
        return row

    def edged() -> Arguments:
        row = rng.choice(seeds)
        names = rng.sample(list(row), rng.randint(1, len(row))) if row else []
        return row | {name: _edge_of(row[name], rng) for name in names}

    def small() -> Arguments:
        return {name: _small(value, rng) for name, value in rng.choice(seeds).items()}

    sources[mutated] = 4.0
    sources[edged] = 4.0
    sources[small] = 6.0
    sources[lambda: recombination.crossed(rng.choice(seeds), rng.choice(seeds))] = 1.0
    sources[lambda: recombination.transplanted(rng.choice(seeds))] = 1.0
    layout = layout_of(known.entry, known.constants)
    if layout.tests:
        steering = Steering(layout, rng)

        def tested() -> Arguments:
            row, test, outcome = rng.choice(seeds), rng.choice(layout.tests), rng.random() < 0.5
            if rng.random() < 0.5:  # to come from the other side is to stay near the bound
                row = steering.towards((Condition(test, not outcome),), row)
            return steering.towards((Condition(test, outcome),), row)

        def reached() -> Arguments:
            path = rng.choice(list(layout.paths.values()))
            return steering.towards(path, rng.choice(seeds))

        sources[tested] = 3.0
        sources[reached] = 1.0
    constants = [*known.numbers, *known.texts]
    if constants:
        sources[lambda: _planted(rng.choice(seeds), rng.choice(constants), rng)] = 2.0
    return sources


def _small(value: Any, rng: random.Random) -> Any:
    """Return a value of the same kind, one of few.

    Two such values are often equal, and sums of them zero: what hangs on how several values go
    together shows with small ones (the small scope hypothesis: Runciman et al. 2008, SmallCheck).
    """
    match value:
        case bool():
            return rng.random() < 0.5
        case int():
            return rng.choice((0, 1, -1, 2))
        case float():
            return rng.choice((0.0, 1.0, -1.0, 0.5, 2.0))
        case str() if value.lstrip("-").isdigit():
            return str(rng.choice((0, 1, -1, 2, 10)))
        case str():
            return "".join(rng.choices(value[:3] or "ab", k=rng.randrange(4)))
        case tuple():
            return tuple(_small(item, rng) for item in value)
        case list() if value:
            size = rng.choice((1, 1, 2, 2, 3, 0))
            return [_small(item, rng) for item in rng.choices(value, k=size)]
        case dict():
            return {key: _small(item, rng) for key, item in value.items()}
    return value


def _edge_of(value: Any, rng: random.Random) -> Any:
    """Return a value of the kind that is easily forgotten.

    Which white space separates, which case letters have, whether numbers are negative, zero, whole
    or floats, and whether items come twice or not at all, programs that look alike often differ in.
    """
    match value:
        case bool() | None:
            return value
        case int():
            # Not too large: what takes all memory, or all time, tells little of what is computed.
            bounded = value % 10**4
            return rng.choice((-value, 0, 1, bounded * 10 + 7, float(bounded)))
        case float():
            return rng.choice((-value, 0.0, -0.0, value // 1, value + 0.5))
        case str():
            return _edged_text(value, rng)
        case list() | tuple():
            return type(value)(_edged_items([*value], rng))
        case dict():
            return {key: _edge_of(item, rng) for key, item in value.items()}
    return value


def _edged_text(value: str, rng: random.Random) -> str:
    at = rng.randint(0, len(value))
    if rng.random() < 0.4:
        blank = rng.choice(_BLANKS)
        return value.replace(" ", blank) if " " in value else value[:at] + blank + value[at:]
    match rng.randrange(3):
        case 0:
            return rng.choice((value.upper(), value.lower(), value.swapcase(), value.title()))
        case 1:
            return value[:at] + rng.choice(_CHARACTERS) + value[at:]
    return value[: at // 2] + value[at // 2 : at] * 2 + value[at:]


def _edged_items(items: list[Any], rng: random.Random) -> list[Any]:
    match rng.randrange(4):
        case 0:
            return [*items, *items[: rng.randint(0, len(items))]]
        case 1:
            return items[: rng.randint(0, len(items))]
        case 2:
            return items[::-1]
    return [_edge_of(item, rng) for item in items]


def _planted(arguments: Arguments, constant: Any, rng: random.Random) -> Arguments:
    """Return a row in which one value, or one in it, is a constant of the program, or near it."""
    if not arguments:
        return arguments
    name = rng.choice(list(arguments))
    return {**arguments, name: _with(arguments[name], constant, rng)}


def _with(value: Any, constant: Any, rng: random.Random) -> Any:
    if isinstance(value, list | tuple) and value:
        at = rng.randrange(len(value))
        return type(value)([*value[:at], _with(value[at], constant, rng), *value[at + 1 :]])
    if isinstance(value, dict) and value:
        key = rng.choice(list(value))
        if kind_of(key) == kind_of(constant) and rng.random() < 0.5:
            return {**value, constant: value[key]}
        return {**value, key: _with(value[key], constant, rng)}
    if isinstance(value, str) and isinstance(constant, str):
        at = rng.randint(0, len(value))
        return rng.choice((constant, value[:at] + constant + value[at:], constant + value))
    if isinstance(constant, int | float) and isinstance(value, int | float):
        near = constant + rng.choice((0, 0, 1, -1))
        return float(near) if isinstance(value, float) else int(near)
    return value
