"""What a function did with its probes, as a digest."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from c2c_tasks import literals
from c2c_tasks.inputs.probing.adequacy import can_tell
from c2c_tasks.records import Case, Function

MIN_RETURNED = 0.5
"""Share of the probes that must return."""
MIN_BITS = 12.0
"""Information that outcomes must give: the logarithm of the number of ways to deal out the same
ones to the probes. Of 16 probes, four that come out otherwise than the rest give 10.8 bits, five
12.1."""
DIGITS = 12
"""Significant digits of floats that count: sums in another order differ in the last ones."""


def behaviour_of(function: Function, cases: Sequence[Case], probes: Sequence[Case]) -> str | None:
    """Return a digest of inputs and outcomes that is equal for functions that do the same.

    Names of parameters do not count, nor messages of exceptions. None where the probes tell too
    little: one did not end; too few returned; most came to the same, or gave back what was put
    in; lines did not run that run in `cases` that return, or none were recorded; or the program
    looks for what no probe has.
    """
    if any(case.outcome in ("timed_out", "killed") for case in probes):
        return None
    if sum(case.outcome == "returned" for case in probes) < MIN_RETURNED * max(len(probes), 1):
        return None
    lines = _lines(case for case in cases if case.outcome == "returned")
    if not lines or not lines <= _lines(probes):
        return None
    rows = [_by_position(function, case.arguments) for case in probes]
    outcomes = [_outcome(case) for case in probes]
    seen = (
        f"argument {row.index(case.output)}" if case.output in row else outcome
        for row, case, outcome in zip(rows, probes, outcomes, strict=True)
    )
    if _bits(Counter(seen)) < MIN_BITS or not can_tell(function, probes):
        return None
    text = "\n".join(repr(pair) for pair in zip(rows, outcomes, strict=True))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _lines(cases: Iterable[Case]) -> set[int]:
    return {line for case in cases for line in case.covered_lines}


def _by_position(function: Function, arguments: str) -> list[str]:
    """Return the literals of a call's arguments, those of ``*args`` and ``**kwargs`` marked."""
    values = literals.loads(arguments)
    marks = {"var_positional": "*", "var_keyword": "**"}
    return [
        marks.get(parameter.kind, "") + literals.dumps(values[parameter.name])
        for parameter in function.parameters
        if parameter.name in values
    ]


def _outcome(case: Case) -> str:
    if case.outcome == "raised":
        return f"raised {case.exception_type}"
    if case.output is None:
        return case.outcome
    if "." not in case.output and "e" not in case.output:
        return case.output
    return literals.dumps(_rounded(literals.loads(case.output)), 2 * len(case.output))


def _rounded(value: Any) -> Any:
    """Return a value with the floats in it rounded; those in sets and keys are left."""
    kind = type(value)
    if kind is float:
        return float(f"{value:.{DIGITS}g}") + 0.0  # which makes 0.0 of -0.0
    if kind is list or kind is tuple:
        return kind(map(_rounded, value))
    if kind is dict:
        return {key: _rounded(item) for key, item in value.items()}
    return value


def _bits(counts: Counter[str]) -> float:
    """Return the information of outcomes, so many of each, in bits."""
    ways = math.lgamma(counts.total() + 1) - sum(math.lgamma(n + 1) for n in counts.values())
    return ways / math.log(2)
