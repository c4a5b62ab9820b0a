"""Interim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BehaviourRow:
    """One program."""

    function_id: str
    behaviour: str
    ingested: int
    documentation: float


def documentation(program: str, entry_point: str) -> float:
    """Interim."""
    return float(program.count('"""'))


def behavioural_duplicates(
    rows: Iterable[BehaviourRow], released: Mapping[str, str]
) -> dict[str, str]:
    """Interim."""
    best: dict[str, BehaviourRow] = {}
    everything = list(rows)
    for row in everything:
        known = best.get(row.behaviour)
        key = (row.ingested, -row.documentation, row.function_id)
        if known is None or key < (known.ingested, -known.documentation, known.function_id):
            best[row.behaviour] = row
    return {
        row.function_id: leader
        for row in everything
        if (leader := released.get(row.behaviour, best[row.behaviour].function_id))
        != row.function_id
    }
