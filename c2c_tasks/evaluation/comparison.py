"""Whether two outcomes are the same.

Outcomes are compared on the host, as canonical literals: no code of an answer, no ``__eq__`` of a
value that it made, has a say in it. Types count: ``1``, ``True`` and ``1.0`` are three values.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from c2c_tasks import literals
from c2c_tasks.records import Case

_SEARCHED = 200
"""Items of a set, or of a dict's keys, up to which a partner is searched for each that has none
exactly: it takes their square."""


def same_outcome(recorded: Case, found: Case, float_tolerance: float) -> bool:
    """Return True where a call came to what was recorded of it.

    Two that returned are the same where their outputs are: NaN is NaN, floats may differ by
    `float_tolerance` (of the greater, wherever in the output they are), and sets and dicts are
    compared without order. Two that raised are the same where the exceptions have a type in
    common, whatever their messages. Other outcomes (``timed_out``, ``killed``,
    ``unrepresentable``) tell of no value, so they are the same as nothing, themselves included.
    """
    if recorded.outcome != found.outcome:
        return False
    if recorded.outcome == "raised":
        return recorded.exception_type == found.exception_type
    if recorded.outcome != "returned" or recorded.output is None or found.output is None:
        return False
    return same_output(recorded.output, found.output, float_tolerance)


def same_output(recorded: str, found: str, float_tolerance: float) -> bool:
    """Return True where two canonical literals are of the same value; see `same_outcome`."""
    if recorded == found:
        return True
    # What is spelled otherwise is another value, but for the order of a dict's items, which its
    # literal keeps and its equality does not count, and for what a tolerance forgives.
    if "{" not in found and not float_tolerance:
        return False
    try:
        values = literals.loads(recorded), literals.loads(found)
    except ValueError:
        return False
    return same_value(*values, float_tolerance)


def same_value(recorded: Any, found: Any, tolerance: float) -> bool:
    """Return True where two values of literals are the same; see `same_outcome`."""
    kind = type(recorded)
    if kind is not type(found):
        return False
    if kind is float:
        return _same_float(recorded, found, tolerance)
    if kind is complex:
        return _same_float(recorded.real, found.real, tolerance) and _same_float(
            recorded.imag, found.imag, tolerance
        )
    if kind is list or kind is tuple:
        return len(recorded) == len(found) and all(
            same_value(mine, theirs, tolerance)
            for mine, theirs in zip(recorded, found, strict=True)
        )
    if kind is dict:
        return _same_dict(recorded, found, tolerance)
    if kind is set or kind is frozenset:
        return _partners(recorded, found, tolerance) is not None
    return bool(recorded == found)


def _same_float(recorded: float, found: float, tolerance: float) -> bool:
    if recorded == found:
        # -0.0 is another float than 0.0; a tolerance forgives it.
        return tolerance > 0 or math.copysign(1, recorded) == math.copysign(1, found)
    if math.isnan(recorded) or math.isnan(found):
        return math.isnan(recorded) and math.isnan(found)
    return math.isclose(recorded, found, rel_tol=tolerance, abs_tol=0.0)


def _same_dict(recorded: dict[Any, Any], found: dict[Any, Any], tolerance: float) -> bool:
    partners = _partners(recorded, found, tolerance)
    return partners is not None and all(
        same_value(recorded[mine], found[theirs], tolerance) for mine, theirs in partners
    )


def _partners(
    recorded: Collection[Any], found: Collection[Any], tolerance: float
) -> list[tuple[Any, Any]] | None:
    """Return each item with the one of the other side that is the same; None where one has none.

    Items that are exactly the same are partners. Among what is left, and among floats, the least
    that is near enough is taken, from the least item on. Of floats this finds partners for all
    where there are any; of tuples of them, another choice might have, which is not tried.
    """
    if len(recorded) != len(found):
        return None
    theirs = {_exactly(item): item for item in found}
    pairs = []
    left = []
    near = tolerance > 0 and len(recorded) <= _SEARCHED
    for item in recorded:
        key = _exactly(item)
        if key in theirs and not (near and type(item) is float):
            pairs.append((item, theirs.pop(key)))
        else:
            left.append(item)
    if left and (not tolerance or len(left) > _SEARCHED):
        return None
    candidates = sorted(theirs.values(), key=_size)
    for item in sorted(left, key=_size):
        for position, candidate in enumerate(candidates):
            if same_value(item, candidate, tolerance):
                pairs.append((item, candidates.pop(position)))
                break
        else:
            return None
    return pairs


def _size(value: Any) -> tuple[float, str]:
    return value if type(value) is float else 0.0, repr(value)


def _exactly(value: Any) -> Any:
    """Return what tells a hashable value from those that Python takes for equal to it."""
    kind = type(value)
    if kind is tuple:
        return kind, tuple([_exactly(item) for item in value])
    if kind is frozenset:
        return kind, frozenset([_exactly(item) for item in value])
    return kind, repr(value)
