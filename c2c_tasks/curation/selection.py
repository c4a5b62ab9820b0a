"""Which of a program's sound cases to keep: few, short, and different in what they show."""

from __future__ import annotations

import heapq
import re
from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import NamedTuple

from c2c_tasks.config import CaseOptions
from c2c_tasks.records import Case

_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_NUMBER = re.compile(r"\d+")
_REPEATED = re.compile(r"([\w.'-]+)(?:, \1)+(?![\w.'-])")
_Trait = tuple[int, object]
"""How much a new one counts, and what it is."""


class Selection(NamedTuple):
    """Cases to keep, in the order they were run, and the number of those that were refused."""

    cases: list[Case]
    refused: int
    """Cases that raised and would have been kept, but for `max_raised_share`."""


def select(sound: Sequence[Case], body_lines: Collection[int], options: CaseOptions) -> Selection:
    """Return the best `max_cases` of the sound cases.

    Each next one is the case that runs most lines not run yet; of equal ones, that with most
    traits not seen yet (see `traits`), then the shortest. It does not depend on the order in
    which the cases were run.
    """
    raised_left = _most_raised(sum(case.outcome == "returned" for case in sound), options)
    uncovered = set(body_lines)
    unseen = [set(traits(case)) for case in sound]

    def rank(position: int) -> tuple[int, int, int, str]:
        case = sound[position]
        gain = len(uncovered.intersection(case.covered_lines))
        novelty = sum(weight for weight, _ in unseen[position])
        return -gain, -novelty, len(case.arguments), case.arguments

    # What a case adds gets less with each that is selected, never more: one that is still first
    # by what it adds now is first of all, and the others need not be looked at.
    queue = [(rank(position), position) for position in range(len(sound))]
    heapq.heapify(queue)
    seen: set[_Trait] = set()
    selected: list[int] = []
    refused = 0
    while queue and len(selected) < options.max_cases:
        before, position = queue[0]
        unseen[position] -= seen
        now = rank(position)
        if now != before:
            heapq.heapreplace(queue, (now, position))
            continue
        heapq.heappop(queue)
        if sound[position].outcome == "raised":
            if not raised_left:
                refused += 1
                continue
            raised_left -= 1
        selected.append(position)
        uncovered.difference_update(sound[position].covered_lines)
        seen |= unseen[position]
    return Selection([sound[position] for position in sorted(selected)], refused)


def traits(case: Case) -> list[_Trait]:
    """Return what a case shows of its function, each with how much it counts.

    These are its path, which is the set of lines that ran, its output, or the type of its
    exception, and the forms of arguments and output: the literal without numbers, letters and
    lengths, so that ``[0, 0]`` and ``[]`` differ, and ``[1]`` and ``[2, 3]`` do not.
    """
    output = case.output if case.output is not None else case.exception_type or ""
    return [
        (2, ("path", *case.covered_lines)),
        (2, ("output", case.outcome, output)),
        (1, ("form of output", case.outcome, form(output))),
        (1, ("form of arguments", form(case.arguments))),
    ]


def form(literal: str) -> str:
    """Return a literal with `s` for each text but the empty one, `0` for each row of digits, and
    one of items that are then the same."""
    return _REPEATED.sub(r"\1", _NUMBER.sub("0", _TEXT.sub(_letter, literal)))


def _letter(text: re.Match[str]) -> str:
    return "s" if len(text[0]) > len("''") else "''"


def _most_raised(returned: int, options: CaseOptions) -> int:
    """Return how many raised cases keep the share, given how many can be had that returned."""
    share = Fraction(str(options.max_raised_share))
    if share == 1:
        return options.max_cases
    beside = returned * share / (1 - share)
    return int(min(beside, options.max_cases * share))
