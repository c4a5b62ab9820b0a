"""Outcomes of cases taken as evidence of what the parameters are."""

from __future__ import annotations

from typing import Any

from c2c_tasks.inputs.signatures import Arguments
from c2c_tasks.inputs.synthesis import repair
from c2c_tasks.inputs.synthesis.complaints import complaints, message_of
from c2c_tasks.inputs.synthesis.inference import Knowledge
from c2c_tasks.inputs.synthesis.outcomes import Outcomes
from c2c_tasks.inputs.synthesis.uses import Use, evidence, kind_of, learn, mostly
from c2c_tasks.records import Case

_TYPE_ERRORS = frozenset(("TypeError", "AttributeError"))
Kinds = tuple[tuple[str, str | None], ...]


def take_in(known: Knowledge, outcomes: Outcomes) -> None:
    """Take what returned as evidence for its kinds, and type errors against theirs."""
    returned = [arguments for _, arguments in outcomes.returned]
    for arguments in returned[:: max(1, len(returned) // 6)]:
        for name, value in arguments.items():
            if name in known.uses and value is not None:
                learn(known.uses[name], value, 0.7)
    if any(case.outcome == "timed_out" for case, _ in outcomes.rows):
        for use in known.uses.values():
            use.flag("small")
    if any("character" in message_of(case) for case, _ in outcomes.rows):
        for use in known.uses.values():
            if use.best() == "str":
                use.root().lengths = {1: None}
    good = {(name, kind_of(value)) for arguments in returned for name, value in arguments.items()}
    heard: set[tuple[Any, ...]] = set()
    for case, arguments in outcomes.rows:
        complaint = (case.exception_message, kinds_of_row(arguments))
        if case.exception_type in _TYPE_ERRORS and complaint not in heard:
            heard.add(complaint)
            _take_in_complaints(known, case, arguments, good)


def kinds_of_row(arguments: Arguments) -> Kinds:
    """Return the kind of each value."""
    return tuple((name, kind_of(value)) for name, value in arguments.items())


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


def _at(use: Use | None, depth: int) -> Use | None:
    """Return the use of the values that deep in a parameter, where it is known."""
    if depth > 2:
        return None
    for _ in range(depth):
        outer = use and use.root()
        use = outer and (outer.value if outer.item is None else outer.item)
    return use and use.root()
