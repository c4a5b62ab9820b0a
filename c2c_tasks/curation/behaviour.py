"""Programs that do the same: which of them stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Behaving(NamedTuple):
    """A program, with what is asked of it where others do the same."""

    function_id: str
    behaviour: str | None
    ingested: int
    """Number of the build that the function counts from, in the order of the target's builds."""
    documentation: float
    """See `documentation`."""


def behavioural_duplicates(
    programs: Iterable[Behaving], released: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the programs that give way to one that does the same: their ids, and its.

    `released` are the ids of programs that are out already, by behaviour: they stay. Else the
    first ingested stays, then the best documented, then that of the least id. Programs without
    a behaviour stay, too. The order of the programs is no matter.
    """
    leaders = dict(released or {})
    best: dict[str, Behaving] = {}
    others: list[tuple[str, str]] = []
    for program in programs:
        behaviour = program.behaviour
        if behaviour is None or leaders.get(behaviour) == program.function_id:
            continue
        if behaviour in leaders:
            others.append((program.function_id, behaviour))
            continue
        known = best.setdefault(behaviour, program)
        if known is not program:
            first, second = sorted((known, program), key=_rank)
            best[behaviour] = first
            others.append((second.function_id, behaviour))
    leaders |= {behaviour: program.function_id for behaviour, program in best.items()}
    return {function_id: leaders[behaviour] for function_id, behaviour in others}


def _rank(program: Behaving) -> tuple[int, float, str]:
    return program.ingested, -program.documentation, program.function_id
