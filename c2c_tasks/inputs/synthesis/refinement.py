"""Further inputs, given what the first ones did."""

from __future__ import annotations

import ast
import random
from collections import Counter
from typing import Any

from c2c_tasks import literals
from c2c_tasks.inputs.signatures import Arguments
from c2c_tasks.inputs.synthesis import repair
from c2c_tasks.inputs.synthesis.complaints import complaints
from c2c_tasks.inputs.synthesis.conditions import Condition, FunctionNode, Layout, layout_of
from c2c_tasks.inputs.synthesis.inference import Knowledge, UnreadableProgram, understand
from c2c_tasks.inputs.synthesis.proposals import Proposals
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
    every line has run; and for a program that cannot be read. The same function and cases
    give the same rows, in every process.
    """
    try:
        return _further_rows(function, cases, limit)
    except (UnreadableProgram, RecursionError):
        return []


def _further_rows(function: Function, cases: list[Case], limit: int) -> list[str]:
    returned = [case for case in cases if case.outcome == "returned"]
    outputs = Counter(case.output for case in returned)
    known = understand(function)
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


def uncovered_lines(entry: FunctionNode, cases: list[Case]) -> list[int]:
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
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Global | ast.Nonlocal | ast.Try | ast.TryStar)


def _read(arguments: str) -> Arguments:
    value = literals.loads(arguments)
    assert isinstance(value, dict)
    return value


def _take_in(known: Knowledge, rows: list[tuple[Case, Arguments]]) -> None:
    """Take outcomes as evidence of types."""
    returned = [arguments for case, arguments in rows if case.outcome == "returned"]
    for arguments in returned[:: max(1, len(returned) // 6)]:
        for name, value in arguments.items():
            if name in known.uses and value is not None:
                learn(known.uses[name], value, 0.7)
    if any(case.outcome == "timed_out" for case, _ in rows):
        for use in known.uses.values():
            use.flag("small")
    good = {(name, kind_of(value)) for arguments in returned for name, value in arguments.items()}
    heard: set[tuple[Any, ...]] = set()
    for case, arguments in rows:
        complaint = (case.exception_message, _kinds(arguments))
        if case.exception_type in _TYPE_ERRORS and complaint not in heard:
            heard.add(complaint)
            _take_in_complaints(known, case, arguments, good)


def _take_in_complaints(
    known: Knowledge, case: Case, arguments: Arguments, good: set[tuple[str, str | None]]
) -> None:
    """Take an exception as evidence of types; not of a parameter's kind that was `good`."""
    for complaint in complaints(case):
        places = repair.positions(arguments, complaint.given)
        for place in places:
            use = _at(known.uses.get(place.parameter), place.depth)
            works = place.depth == 0 and (place.parameter, complaint.given) in good
            if use is None or works:
                continue
            weight = 1.0 / len(places)
            use.observe(mostly(complaint.given, -2.0), weight)
            if complaint.wanted:
                use.observe(evidence(0.0, **dict.fromkeys(complaint.wanted, 1.0)), weight)


def _kinds(arguments: Arguments) -> tuple[tuple[str, str | None], ...]:
    return tuple((name, kind_of(value)) for name, value in arguments.items())


def _at(use: Use | None, depth: int) -> Use | None:
    """Return the use of the values that deep in a parameter, where it is known."""
    if depth > 2:
        return None
    for _ in range(depth):
        outer = use and use.root()
        use = outer and (outer.value if outer.item is None else outer.item)
    return use and use.root()


def _seeds(rows: list[tuple[Case, Arguments]]) -> list[Arguments]:
    """Return returned rows, those first that gave a rare output or ran a rare line."""
    returned = [(case, arguments) for case, arguments in rows if case.outcome == "returned"]
    outputs = Counter(case.output for case, _ in returned)
    lines = Counter(line for case, _ in returned for line in case.covered_lines)

    def rarity(row: tuple[Case, Arguments]) -> tuple[int, int]:
        case, _ = row
        return min((lines[line] for line in case.covered_lines), default=0), outputs[case.output]

    return [arguments for _, arguments in sorted(returned, key=rarity)]


def _add_mended(proposals: Proposals, rows: list[tuple[Case, Arguments]], count: int) -> None:
    """Add rows whose exception is mended, one of each exception in turn."""
    queues = []
    heard: set[tuple[Any, ...]] = set()
    for case, arguments in rows:
        if case.outcome != "raised":
            continue
        complaint = (case.exception_type, (case.exception_message or "")[:30], _kinds(arguments))
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
    profile = proposals.main_profile()
    goal = len(proposals.rows) + count
    ordered = sorted(paths, key=lambda path: (len(path), paths[path]))[: 4 * ROWS_PER_ROUND]
    for attempt in range(4):
        for path in ordered:
            if len(proposals.rows) >= goal:
                return
            near = [row for row in rows if path[-1].line in row[0].covered_lines] or rows
            _, seed = proposals.rng.choice(near)
            if attempt % 2:
                seed = proposals.random_row(profile)
            proposals.add(steering.towards(path, seed))


def _add_by_tests(proposals: Proposals, layout: Layout, seeds: list[Arguments], count: int) -> None:
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
