"""Further inputs, given what the first ones did."""

from __future__ import annotations

import ast
import random
from collections import Counter
from typing import Any

from c2c_tasks import literals
from c2c_tasks.inputs.synthesis import repair
from c2c_tasks.inputs.synthesis.conditions import Condition, Layout, layout_of
from c2c_tasks.inputs.synthesis.inference import Knowledge, UnreadableProgram, understand
from c2c_tasks.inputs.synthesis.proposals import Arguments, Proposals
from c2c_tasks.inputs.synthesis.steering import Steering
from c2c_tasks.inputs.synthesis.uses import Use, evidence, kind_of, learn, mostly
from c2c_tasks.records import Case, Function

ROWS_PER_ROUND = 15
ENOUGH_RETURNED = 12
ENOUGH_OUTPUTS = 8
"""Distinct outputs past which more inputs of the same lines teach little."""
_TYPE_ERRORS = frozenset(("TypeError", "AttributeError"))


def refine(function: Function, cases: list[Case], limit: int = ROWS_PER_ROUND) -> list[str]:
    """Return up to `limit` further rows of arguments, as canonical literals.

    Exceptions correct the types, lines not yet run and inputs that gave new outputs steer
    changes. Empty when the cases so far are enough: they return, their outputs differ, and
    every line has run. The same function and cases give the same rows.
    """
    returned = [case for case in cases if case.outcome == "returned"]
    outputs = Counter(case.output for case in returned)
    try:
        known = understand(function)
    except UnreadableProgram:
        return []
    assert known.entry is not None
    missing = uncovered_lines(known.entry, cases)
    if len(returned) >= ENOUGH_RETURNED and len(outputs) >= ENOUGH_OUTPUTS and not missing:
        return []
    rows = [(case, _read(case.arguments)) for case in cases]
    _take_in(known, rows)
    rng = random.Random(f"{function.function_id}:{len(cases)}")
    proposals = Proposals(function, known, rng, (case.arguments for case in cases))
    seeds = _seeds(rows)
    if not returned:
        _add_mended(proposals, rows, limit * 2 // 3)
    elif missing or len(returned) < max(ENOUGH_RETURNED, len(cases) // 3):
        _add_mended(proposals, rows, limit // 4)
    layout = layout_of(known.entry)
    if missing:
        _add_steered(proposals, layout, missing, rows, limit * 2 // 3 - len(proposals.rows))
    if len(outputs) < ENOUGH_OUTPUTS and seeds:
        _add_by_tests(proposals, layout, seeds, max(1, (limit - len(proposals.rows)) // 3))
    if seeds:
        _add_mutated(proposals, seeds, limit)
    profile = proposals.main_profile()
    proposals.add_random(profile, max(2, (limit - len(proposals.rows)) // 2))
    for _ in range(4):
        proposals.add_random(proposals.other_profile(), 2)
    return proposals.rows[:limit]


def uncovered_lines(
    entry: ast.FunctionDef | ast.AsyncFunctionDef, cases: list[Case]
) -> list[int]:
    """Return the lines of statements of the entry point that no case ran."""
    covered = {line for case in cases for line in case.covered_lines}
    if not covered:
        return []
    lines = {
        node.lineno
        for statement in entry.body
        for node in ast.walk(statement)
        if isinstance(node, ast.stmt) and not _is_silent(node)
    }
    return sorted(lines - covered)


def _is_silent(node: ast.stmt) -> bool:
    """Tell statements that no line event belongs to."""
    return (
        isinstance(node, ast.Global | ast.Nonlocal | ast.Try | ast.TryStar)
        or isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
    )


def _read(arguments: str) -> Arguments:
    value = literals.loads(arguments)
    assert isinstance(value, dict)
    return value


def _take_in(known: Knowledge, rows: list[tuple[Case, Arguments]]) -> None:
    """Take outcomes as evidence of types."""
    good: dict[str, set[str | None]] = {name: set() for name in known.uses}
    for case, arguments in rows:
        if case.outcome == "returned":
            for name, value in arguments.items():
                if name in known.uses:
                    good[name].add(kind_of(value))
    returned = [row for row in rows if row[0].outcome == "returned"]
    for _, arguments in returned[:: max(1, len(returned) // 6)]:
        for name, value in arguments.items():
            if name in known.uses and value is not None:
                learn(known.uses[name], value, 0.7)
    if any(case.outcome == "timed_out" for case, _ in rows):
        for use in known.uses.values():
            use.flag("small")
    heard: set[tuple[str, tuple[Any, ...]]] = set()
    for case, arguments in rows:
        kinds = tuple((name, kind_of(value)) for name, value in arguments.items())
        if case.exception_type not in _TYPE_ERRORS or (case.exception_message, kinds) in heard:
            continue
        heard.add((case.exception_message or "", kinds))
        for complaint in repair.complaints(case):
            places = repair.positions(arguments, complaint.given)
            for place in places:
                use = _at(known.uses.get(place.parameter), place.depth)
                if use is None or place.depth == 0 and complaint.given in good[place.parameter]:
                    continue
                weight = 1.0 / len(places)
                use.observe(mostly(complaint.given, -2.0), weight)
                if complaint.wanted:
                    use.observe(evidence(0.0, **dict.fromkeys(complaint.wanted, 1.0)), weight)


def _at(use: Use | None, depth: int) -> Use | None:
    if use is None or depth > 2:
        return None
    for _ in range(depth):
        use = use.root()
        use = use.value if use.item is None else use.item
        if use is None:
            return None
    return use.root()


def _seeds(rows: list[tuple[Case, Arguments]]) -> list[Arguments]:
    """Return returned rows, those first that gave a rare output or ran a rare line."""
    returned = [(case, arguments) for case, arguments in rows if case.outcome == "returned"]
    outputs = Counter(case.output for case, _ in returned)
    lines = Counter(line for case, _ in returned for line in case.covered_lines)

    def rarity(row: tuple[Case, Arguments]) -> tuple[int, int]:
        case, _ = row
        return min((lines[line] for line in case.covered_lines), default=0), outputs[case.output]

    return [arguments for _, arguments in sorted(returned, key=rarity)]


def _add_mended(
    proposals: Proposals, rows: list[tuple[Case, Arguments]], count: int
) -> None:
    """Add rows whose exception is mended, one of each exception in turn."""
    queues = []
    heard: set[tuple[Any, ...]] = set()
    for case, arguments in rows:
        if case.outcome != "raised":
            continue
        kinds = tuple(kind_of(value) for value in arguments.values())
        message = (case.exception_message or "")[:30]
        if (case.exception_type, message, kinds) not in heard:
            heard.add((case.exception_type, message, kinds))
            queues.append(repair.mended(case, arguments))
    goal = len(proposals.rows) + count
    while queues and len(proposals.rows) < goal:
        for queue in list(queues):
            mended = next(queue, None)
            if mended is None:
                queues.remove(queue)
            elif len(proposals.rows) < goal:
                proposals.add(mended)


def _add_mutated(proposals: Proposals, seeds: list[Arguments], limit: int) -> None:
    """Add changes of the seeds, most of the first of them, until two thirds are there."""
    goal = limit * 2 // 3
    for attempt in range(3 * limit):
        if len(proposals.rows) >= goal:
            return
        seed = seeds[min(int(proposals.rng.expovariate(0.25)), len(seeds) - 1)]
        changed = proposals.mutations.of_arguments(seed, seeds)
        if attempt % 3 == 2:
            changed = proposals.mutations.of_arguments(changed, seeds)
        proposals.add(changed)


def _add_steered(
    proposals: Proposals,
    layout: Layout,
    missing: list[int],
    rows: list[tuple[Case, Arguments]],
    count: int,
) -> None:
    """Add rows for which the conditions on the way to lines not yet run are worked back."""
    steering = Steering(layout, proposals.rng)
    paths = {layout.paths[line]: line for line in reversed(missing) if layout.paths.get(line)}
    goal = len(proposals.rows) + count
    for attempt in range(4):
        for path in sorted(paths, key=lambda path: (len(path), paths[path])):
            if len(proposals.rows) >= goal:
                return
            near = [row for row in rows if path[-1].line in row[0].covered_lines] or rows
            _, seed = proposals.rng.choice(near)
            if attempt % 2:
                seed = proposals.random_row(proposals.main_profile())
            proposals.add(steering.towards(path, seed))


def _add_by_tests(
    proposals: Proposals, layout: Layout, seeds: list[Arguments], count: int
) -> None:
    """Add rows for which some test of the function comes out one way or the other."""
    if not layout.tests:
        return
    steering = Steering(layout, proposals.rng)
    goal = len(proposals.rows) + count
    for _ in range(3 * count):
        if len(proposals.rows) >= goal:
            return
        test = proposals.rng.choice(layout.tests)
        condition = Condition(test, proposals.rng.random() < 0.7)
        proposals.add(steering.towards((condition,), proposals.rng.choice(seeds)))
