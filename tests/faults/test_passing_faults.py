"""Faults that pass, at every request of a publish, one at a time: it is published all the same."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config

from c2c_tasks import store
from tests.faults.proxy import WRITES, Fault, FaultyProxy, Rule
from tests.faults.trials import STEP

if TYPE_CHECKING:
    from tests.faults.conftest import Outcomes
    from tests.faults.trials import Trials

KINDS: tuple[Fault, ...] = (
    *("dropped", "lost", "truncated", "late"),
    *("internal_error", "slow_down", "conflict"),
)


def publish_with(trials: Trials, outcomes: Outcomes, **rule: Any) -> None:
    """Publish once for every request that the rule can take, of which it takes that one."""
    for number in count(1, STEP):
        fault = Rule(first=number, **rule)
        error = trials.publish(fault)
        if error is not None:
            assert "\n" not in str(error) and trials.target in str(error)
            assert trials.publish() is None
        trials.check()
        trials.reset()
        if not fault.fired:
            break
        outcomes["a retry published" if error else "published all the same"] += 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_at_every_request(trials: Trials, kind: Fault, outcomes: Outcomes) -> None:
    publish_with(trials, outcomes, fault=kind)
    taken = [r for r in trials.requests if (r.conditional and r.writes) or kind != "conflict"]
    assert outcomes.total() >= len(taken) // STEP
    # An answer that breaks off in its headers is not asked for again.
    assert kind == "truncated" or not outcomes["a retry published"]


@pytest.mark.usefixtures("impatient")
def test_a_write_that_comes_when_its_client_has_given_up(
    proxy: FaultyProxy, trials: Trials, outcomes: Outcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client times out and tries again, and then the server gets the first request too."""
    monkeypatch.setitem(Config.OPTION_DEFAULTS, "read_timeout", 0.4)
    store._s3.cache_clear()
    publish_with(trials, outcomes, fault="late", method=WRITES, seconds=0.7)
    assert outcomes.total() >= sum(request.writes for request in trials.requests) // STEP


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", ["dropped", "lost", "slow_down", "conflict"])
def test_a_fault_that_lasts_at_every_write(trials: Trials, kind: Fault, outcomes: Outcomes) -> None:
    """Longer than requests are repeated: the publish ends with an error, or finds a way."""
    publish_with(trials, outcomes, fault=kind, method=WRITES, times=20)
    assert outcomes["a retry published"]


def test_waits_between_attempts(trials: Trials) -> None:
    """With the waits that are used outside tests."""
    assert trials.publish(Rule("slow_down", path="latest", method="PUT", times=2)) is None
    trials.check()
    trials.reset()
    assert trials.publish(Rule("conflict", path="manifest", times=2)) is None
    trials.check()
