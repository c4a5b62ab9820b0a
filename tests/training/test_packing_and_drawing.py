"""Packing, drawing and interleaving, on any lengths."""

from __future__ import annotations

from array import array
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.training.drawing import draw, interleave
from c2c_tasks.training.mixtures import Mixture
from c2c_tasks.training.packing import pack

LENGTHS = st.lists(st.integers(1, 200), max_size=60)


def plain_packing(lengths: list[int], size: int) -> list[int]:
    """Best-fit decreasing, as its definition says: what is left in each sequence."""
    rooms: list[int] = []
    for length in sorted((min(n, size) for n in lengths), reverse=True):
        fitting = [room for room in rooms if room >= length]
        if fitting:
            rooms.remove(min(fitting))
            rooms.append(min(fitting) - length)
        else:
            rooms.append(size - length)
    return rooms


@given(LENGTHS, st.integers(1, 150))
def test_packing_is_best_fit_decreasing(lengths: list[int], size: int) -> None:
    packing = pack(lengths, size)
    rooms = plain_packing(lengths, size)
    assert packing.sequences == len(rooms)
    assert packing.truncated_tokens == sum(max(0, n - size) for n in lengths)
    if lengths:
        assert packing.packed_share == round(1 - sum(rooms) / (size * len(rooms)), 4)
        assert packing.padded_share <= packing.packed_share


WEIGHTS = st.floats(0.1, 10)
SOURCE = st.lists(st.integers(1, 200), min_size=1, max_size=80)


@given(SOURCE, SOURCE, WEIGHTS, WEIGHTS, st.sampled_from(["rows", "tokens"]), st.integers(0, 9))
def test_shares_hold_and_the_scarcest_source_is_taken_whole(
    first: list[int], second: list[int], one: float, two: float, weigh_by: str, seed: int
) -> None:
    mixture = Mixture.model_validate({
        "format": "text",
        "weigh_by": weigh_by,
        "sources": [
            {"name": "a", "uri": "release:", "weight": one},
            {"name": "b", "uri": "b", "weight": two},
        ],
    })  # fmt: skip
    lengths = {"a": array("I", first), "b": array("I", second)}
    draws = draw(mixture, lengths, seed)
    assert draws == draw(mixture, lengths, seed)
    taken = {name: list(drawn.taken) for name, drawn in draws.items()}
    measure = sum if weigh_by == "tokens" else len
    slack = 200 if weigh_by == "tokens" else 1
    unit = min(measure(first) / one, measure(second) / two)
    for name, weight in (("a", one), ("b", two)):
        assert abs(measure(taken[name]) - unit * weight) <= slack
    assert any(all(drawn.rows) for drawn in draws.values())
    order = list(interleave(draws))
    assert Counter(order) == {name: len(rows) for name, rows in taken.items() if rows}
    for end in range(len(order)):
        for name in ("a", "b"):
            share = len(taken[name]) * end / len(order)
            assert abs(order[:end].count(name) - share) <= 1.5
