"""Which rows of which source come when, so that shares hold; in memory are lengths alone."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from random import Random

from c2c_tasks.training.mixtures import Mixture


@dataclass(frozen=True, slots=True)
class Draw:
    """What is taken of a source."""

    rows: bytearray
    """One byte a row of the source: 1 where it is taken."""
    lengths: array[int]
    """Tokens of each row of the source."""

    @property
    def taken(self) -> Iterator[int]:
        """Tokens of each row that is taken."""
        return compress(self.lengths, self.rows)


def draw(mixture: Mixture, lengths: Mapping[str, array[int]], seed: int) -> dict[str, Draw]:
    """Return what is taken of each source, given the tokens of its rows.

    The source that is scarcest by its weight is taken whole; of the others, rows are drawn.
    """
    sizes = {
        source.name: sum(lengths[source.name])
        if mixture.weigh_by == "tokens"
        else len(lengths[source.name])
        for source in mixture.sources
    }
    unit = min(sizes[source.name] / source.weight for source in mixture.sources)
    return {
        source.name: Draw(
            _drawn(
                lengths[source.name],
                round(unit * source.weight),
                Random(f"{seed}/{source.name}"),
                by_tokens=mixture.weigh_by == "tokens",
            ),
            lengths[source.name],
        )
        for source in mixture.sources
    }


def _drawn(lengths: Sequence[int], wanted: int, random: Random, *, by_tokens: bool) -> bytearray:
    """Mark rows until they come to what is wanted: each row is as likely as any other.

    Selection sampling (Knuth, The Art of Computer Programming, volume 2, 3.4.2, algorithm S). By
    tokens it ends within one row of what is wanted.
    """
    marks = bytearray(len(lengths))
    left = sum(lengths) if by_tokens else len(lengths)
    for number, length in enumerate(lengths):
        worth = length if by_tokens else 1
        if wanted > 0 and random.random() * left < wanted:
            marks[number] = 1
            wanted -= worth
        left -= worth
    return marks


def interleave(draws: Mapping[str, Draw]) -> Iterator[str]:
    """Yield the source of each row of the mixture: each source is spread over all of it evenly."""
    totals = {name: sum(drawn.rows) for name, drawn in draws.items()}
    given = dict.fromkeys(totals, 0)
    for _ in range(sum(totals.values())):
        name = min(
            (name for name in totals if given[name] < totals[name]),
            key=lambda name: (given[name] + 0.5) / totals[name],
        )
        given[name] += 1
        yield name
