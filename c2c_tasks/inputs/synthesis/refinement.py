"""Further inputs, given what the first ones did."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from c2c_tasks.inputs.signatures import Arguments
from c2c_tasks.inputs.synthesis import repair
from c2c_tasks.inputs.synthesis.conditions import Condition, Layout, layout_of
from c2c_tasks.inputs.synthesis.feedback import kinds_of_row, take_in
from c2c_tasks.inputs.synthesis.inference import UnreadableProgram, understand
from c2c_tasks.inputs.synthesis.outcomes import Outcomes, outcomes_of
from c2c_tasks.inputs.synthesis.proposals import Proposals
from c2c_tasks.inputs.synthesis.recombination import Recombination
from c2c_tasks.inputs.synthesis.steering import Steering
from c2c_tasks.records import Case, Function

ROWS_PER_ROUND = 20
_ATTEMPTS = 6
"""Rows made for each that is wanted: many are there already."""
Source = Callable[[], Arguments]


def refine(function: Function, cases: list[Case], limit: int = ROWS_PER_ROUND) -> list[str]:
    """Return up to `limit` further rows of arguments, as canonical literals.

    Exceptions correct the types, lines not yet run and inputs that gave new outputs steer
    changes. Empty when the cases so far are enough: most return, their outputs differ as far
    as they can, and every line has run; when many cases in a row have brought nothing that
    was missing; and for a program that cannot be read. The same function and cases give the
    same rows, in every process.
    """
    try:
        return _further_rows(function, cases, limit)
    except (UnreadableProgram, RecursionError):
        return []


def _further_rows(function: Function, cases: list[Case], limit: int) -> list[str]:
    known = understand(function)
    outcomes = outcomes_of(known.entry, cases)
    if outcomes.is_enough:
        return []
    take_in(known, outcomes)
    rng = random.Random(f"{function.function_id}:{len(cases)}")
    proposals = Proposals(function, known, rng, outcomes)
    layout = layout_of(known.entry, known.constants)
    if not outcomes.returned:
        _add_mended(proposals, outcomes, limit * 2 // 3)
    elif outcomes.missing or outcomes.lacks_returned:
        _add_mended(proposals, outcomes, limit // 4)
    if outcomes.missing:
        _add_steered(proposals, layout, outcomes, limit * 2 // 3 - len(proposals.rows))
    sources = _sources(proposals, layout, outcomes)
    for _ in range(_ATTEMPTS * limit):
        if len(proposals.rows) >= limit:
            break
        (make,) = rng.choices(list(sources), list(sources.values()))
        proposals.add(make())
    return proposals.rows[:limit]


def _sources(proposals: Proposals, layout: Layout, outcomes: Outcomes) -> dict[Source, float]:
    """Return ways to make a row, each with the share of the rows that it is to make.

    While nothing is missing but returned cases, rows stay near to what returned. The fewer
    outputs there are, the further they go from it.
    """
    rng = proposals.rng
    recombination = Recombination(proposals.mutations)
    profile = proposals.main_profile()
    seeds = outcomes.seeds()
    near = _near(layout, outcomes)
    stuck = outcomes.is_stuck
    tests = layout.tests if outcomes.lacks_outputs else []

    def seed() -> Arguments:
        return seeds[min(int(rng.expovariate(0.25)), len(seeds) - 1)]

    def mutated() -> Arguments:
        changed = proposals.mutations.of_arguments(seed(), seeds)
        return proposals.mutations.of_arguments(changed, seeds) if rng.random() < 0.3 else changed

    def transplanted() -> Arguments:
        changed = recombination.transplanted(seed())
        return recombination.transplanted(changed) if rng.random() < 0.4 else changed

    def random_row() -> Arguments:
        row = proposals.random_row(profile)
        proposals.relate(row, profile)
        return row

    def other_row() -> Arguments:
        return proposals.random_row(proposals.other_profile(rng.choice((1.0, 1.5, 3.0))))

    sources: dict[Source, float] = {
        random_row: 3.0 if outcomes.missing or outcomes.lacks_outputs or not seeds else 1.0,
        other_row: 0.2 if seeds and not stuck else 3.0,
    }
    if seeds:
        sources[mutated] = 6.0
        sources[lambda: recombination.crossed(seed(), rng.choice(seeds))] = 1.5
        sources[transplanted] = 2.0
        if stuck:
            sources[lambda: recombination.recast(seed())] = 4.0
            sources[lambda: recombination.recast(random_row())] = 2.0
    if near:
        sources[lambda: proposals.mutations.of_arguments(rng.choice(near), near)] = 5.0
        sources[lambda: recombination.transplanted(rng.choice(near))] = 1.5
    if tests and seeds:
        steering = Steering(layout, rng)

        def tested() -> Arguments:
            condition = Condition(rng.choice(tests), rng.random() < 0.7)
            return steering.towards((condition,), rng.choice(seeds))

        sources[tested] = 5.0
    return sources


def _near(layout: Layout, outcomes: Outcomes) -> list[Arguments]:
    """Return rows that came to the last condition before a line that did not run."""
    doors = {layout.paths[line][-1].line for line in outcomes.missing if layout.paths.get(line)}
    return [
        arguments for case, arguments in outcomes.rows if not doors.isdisjoint(case.covered_lines)
    ]


def _add_mended(proposals: Proposals, outcomes: Outcomes, count: int) -> None:
    """Add rows whose exception is mended, one of each exception in turn."""
    queues = []
    heard: set[tuple[Any, ...]] = set()
    for case, arguments in outcomes.rows:
        if case.outcome != "raised":
            continue
        message = (case.exception_message or "")[:30]
        complaint = (case.exception_type, message, kinds_of_row(arguments))
        if complaint not in heard:
            heard.add(complaint)
            queues.append(repair.mended(case, arguments))
    goal = len(proposals.rows) + count
    while queues and len(proposals.rows) < goal:
        for queue in list(queues):
            mended = next(queue, None)
            if mended is None:
                queues.remove(queue)
            elif len(proposals.rows) < goal:
                proposals.add(mended)


def _add_steered(proposals: Proposals, layout: Layout, outcomes: Outcomes, count: int) -> None:
    """Add rows for which the conditions on the way to lines not yet run are worked back."""
    steering = Steering(layout, proposals.rng)
    missing = reversed(outcomes.missing)
    paths = {layout.paths[line]: line for line in missing if layout.paths.get(line)}
    profile = proposals.main_profile()
    goal = len(proposals.rows) + count
    ordered = sorted(paths, key=lambda path: (len(path), paths[path]))[: 4 * ROWS_PER_ROUND]
    for attempt in range(4):
        for path in ordered:
            if len(proposals.rows) >= goal:
                return
            near = [row for row in outcomes.rows if path[-1].line in row[0].covered_lines]
            if attempt % 2 or not outcomes.rows:
                seed = proposals.random_row(profile)
            else:
                _, seed = proposals.rng.choice(near or outcomes.rows)
            proposals.add(steering.towards(path, seed))
