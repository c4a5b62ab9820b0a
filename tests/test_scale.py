"""docs/scale.md against what computes it, and the functions that the simulation is made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.generated import Dump, sets
from benchmarks.scale import Inputs, steps, tables

ROOT = Path(__file__).parents[1]


def test_the_tables_of_the_page_are_those_that_are_computed() -> None:
    assert "\n".join(tables(Inputs())) in (ROOT / "docs/scale.md").read_text()


def test_workers_shorten_what_is_cut_into_shards_alone() -> None:
    for step in steps(Inputs()):
        assert step.hours(8) == step.core_hours / (8 if step.parallel else 1)


def test_generated_functions_depend_on_their_number_alone() -> None:
    whole = list(sets(0, 300))
    parts = [*sets(0, 100), *sets(100, 101), *sets(101, 300)]
    assert all(np.array_equal(one, other) for one, other in zip(whole, parts, strict=True))
    assert all((members[1:] > members[:-1]).all() for members in whole)


def test_a_dump_holds_copies_of_earlier_functions() -> None:
    dump = Dump(per_object=50)
    first, second = dump.candidates(0), dump.candidates(1)
    assert second == dump.candidates(1)
    common = set(first.column("function_id").to_pylist()) & set(
        second.column("function_id").to_pylist()
    )
    assert common and second.num_rows == 50 + len(common)
