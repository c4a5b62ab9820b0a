"""Rows that may never end: the sandbox gives a function up after a few of them."""

from __future__ import annotations

import ast
import math

from c2c_tasks.inputs.signatures import Arguments
from c2c_tasks.inputs.synthesis.conditions import FunctionNode
from c2c_tasks.inputs.synthesis.outcomes import Outcomes
from c2c_tasks.records import Case

MOST_OF_MANY_CALLS = 12
"""Number up to which a function that calls itself more than once is taken to end soon."""
MOST_OF_LOOPS = 300
"""The same, for one that calls itself, or has loops in loops."""
_LOOPS = ast.For | ast.While | ast.comprehension


class Caution:
    """Lets one row of each dangerous sort pass, until it is known what comes of it."""

    def __init__(self, entry: FunctionNode, outcomes: Outcomes | None = None) -> None:
        self.negative = math.inf
        """How many more rows may have a negative number."""
        self.large = math.inf
        """How many more rows may have a number over `most`."""
        self.most = _most(entry)
        if self.most < math.inf or any(isinstance(node, ast.While) for node in ast.walk(entry)):
            self.negative = self.large = 1
        if outcomes is not None:
            self._learn(outcomes)

    def _learn(self, outcomes: Outcomes) -> None:
        ended: list[tuple[float, float]] = []
        endless: list[tuple[float, float]] = []
        for case, arguments in outcomes.rows:
            (endless if _is_endless(case) else ended).append(_extent(arguments))
        if any(least < 0 for least, _ in ended):
            self.negative = math.inf
        elif any(least < 0 for least, _ in endless):
            self.negative = 0
        known = max((most for _, most in ended), default=0)
        too_much = [most for least, most in endless if least >= 0 and most > known]
        if too_much:
            self.most, self.large = known or min(too_much) / 2, 0
        elif known > self.most:
            self.most = 10 * known

    def allows(self, arguments: Arguments) -> bool:
        """Tell whether a row may be run; one that is dangerous is counted."""
        least, most = _extent(arguments)
        negative, large = least < 0, most > self.most
        if (negative and self.negative < 1) or (large and self.large < 1):
            return False
        self.negative -= negative
        self.large -= large
        return True


def _is_endless(case: Case) -> bool:
    """Tell whether a case went on until it met a limit of the sandbox."""
    exhausted = case.exception_type in ("RecursionError", "MemoryError")
    return exhausted or case.outcome in ("timed_out", "killed")


def _most(entry: FunctionNode) -> float:
    """Return the number past which a function may take long, as its text looks."""
    calls = sum(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == entry.name
        for node in ast.walk(entry)
    )
    if calls > 1:
        return MOST_OF_MANY_CALLS
    nested = any(
        isinstance(inner, _LOOPS)
        for node in ast.walk(entry)
        if isinstance(node, ast.For | ast.While)
        for statement in node.body
        for inner in ast.walk(statement)
    )
    return MOST_OF_LOOPS if calls or nested else math.inf


def _extent(arguments: Arguments) -> tuple[float, float]:
    """Return the least and the greatest of the numbers that are arguments themselves."""
    numbers = [
        value
        for value in arguments.values()
        if isinstance(value, int | float) and value == value  # not NaN
    ]
    return min(numbers, default=0), max(numbers, default=0)
