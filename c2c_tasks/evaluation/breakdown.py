"""What problems are told apart by, where a report breaks pass@1 down."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping

from c2c_tasks.evaluation.records import Problem
from c2c_tasks.evaluation.results import BreakdownBy
from c2c_tasks.publishing.value_types import type_of

NOT_KNOWN = "not known"
RAISES = "raises"
_DIFFICULTIES = (0.2, 0.4, 0.6, 0.8, 1.0)
_LINES = (5, 10, 20, 40)
_SHOWN = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 50)

Place = tuple[int, str]
"""Of a group: what it is ordered by, and its label."""


def _difficulty(problem: Problem) -> Place:
    if problem.difficulty is None:
        return len(_DIFFICULTIES), NOT_KNOWN
    number = min(bisect_left(_DIFFICULTIES, problem.difficulty), len(_DIFFICULTIES) - 1)
    return number, f"{number * 0.2:.1f} to {_DIFFICULTIES[number]:.1f}"


def _output_type(problem: Problem) -> Place:
    """Return the type that most of the recorded outcomes have; the first of those as frequent."""
    types = Counter(
        type_of(case.output) if case.output is not None else RAISES for case in problem.cases
    )
    return 0, types.most_common(1)[0][0] if types else NOT_KNOWN


def _program_lines(problem: Problem) -> Place:
    lines = sum(1 for line in problem.program.splitlines() if line.strip())
    return _range(lines, _LINES)


def _shown_cases(problem: Problem) -> Place:
    return _range(len(problem.shown_cases), _SHOWN)


def _range(value: int, ends: tuple[int, ...]) -> Place:
    number = bisect_left(ends, value)
    start = ends[number - 1] + 1 if number else min(1, value)
    if number == len(ends):
        return number, f"{start} and more"
    return number, str(start) if start == ends[number] else f"{start} to {ends[number]}"


BREAKDOWNS: Mapping[BreakdownBy, Callable[[Problem], Place]] = {
    "difficulty": _difficulty,
    "output_type": _output_type,
    "program_lines": _program_lines,
    "shown_cases": _shown_cases,
}
TITLES: Mapping[BreakdownBy, str] = {
    "difficulty": "Difficulty of the program, estimated: 0 plain, 1 hard",
    "output_type": "Type of most of the program's outputs",
    "program_lines": "Lines of the program that are not blank",
    "shown_cases": "Cases that the prompt shows",
}


def places(problem: Problem) -> dict[BreakdownBy, Place]:
    """Return the group that a problem is in, of each breakdown that its task has."""
    return {
        by: find(problem)
        for by, find in BREAKDOWNS.items()
        if problem.task == "induction" or by == "program_lines"
    }
