"""Which options may differ from those of the release that is added to."""

from __future__ import annotations

from typing import Any

import pytest

from c2c_tasks.config import BuildConfig
from c2c_tasks.pipeline.narrowing import differences


@pytest.mark.parametrize(
    ("earlier", "now", "tighter", "others"),
    [
        ({}, {}, [], []),
        ({"licences": "any"}, {"licences": "permissive"}, ["licences"], []),
        ({"licences": "permissive"}, {"licences": "permissive_or_unknown"}, [], ["licences"]),
        ({"min_cases": 5}, {"min_cases": 6}, ["min_cases"], []),
        ({"min_cases": 6}, {"min_cases": 5}, [], ["min_cases"]),
        ({"drop_identity": False}, {"drop_identity": True}, ["drop_identity"], []),
        ({"drop_identity": True}, {"drop_identity": False}, [], ["drop_identity"]),
        ({"max_cases": 20}, {"max_cases": 10}, [], ["max_cases"]),
        ({"temperature": 0.8}, {"temperature": 0.7}, [], ["temperature"]),
        # What these name is compared by its content.
        ({"opt_outs": "/a"}, {"opt_outs": "/b"}, [], []),
        ({"benchmarks": ["/a"]}, {"benchmarks": []}, [], []),
    ],
)
def test_options_that_ask_for_less_are_told_from_others(
    earlier: dict[str, Any], now: dict[str, Any], tighter: list[str], others: list[str]
) -> None:
    theirs, mine = (BuildConfig.from_flat(o).content_options() for o in (earlier, now))
    assert differences(mine, theirs) == (tighter, others)
