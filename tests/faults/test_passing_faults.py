"""Faults that pass, at every request of a publish, one at a time: it is published all the same."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.faults.proxy import Fault, Rule

if TYPE_CHECKING:
    from tests.faults.conftest import Outcomes
    from tests.faults.trials import Trials

KINDS: tuple[Fault, ...] = (
    *("dropped", "lost", "truncated", "late"),
    *("internal_error", "slow_down"),
)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_at_every_request(trials: Trials, kind: Fault, outcomes: Outcomes) -> None:
    for number in count(1):
        rule = Rule(kind, first=number)
        if error := trials.publish(rule):
            assert "\n" not in str(error) and trials.target in str(error)
            assert trials.publish() is None
        trials.check()
        trials.reset()
        if not rule.fired:
            break
        outcomes["a retry published" if error else "published all the same"] += 1
    assert outcomes.total() >= len(trials.requests)
