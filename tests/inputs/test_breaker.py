"""When requests to an endpoint wait, and when waiting is given up."""

from __future__ import annotations

import asyncio
import time

import pytest

from c2c_tasks.inputs import breaker
from c2c_tasks.inputs.breaker import MAX_FAILURES, MAX_OUTAGES, Breaker
from c2c_tasks.inputs.errors import EngineDown


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "PROBE_SECONDS", 0.01)


class Health:
    """An endpoint that is well after so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    async def probe(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def run(health: Health, patience: float, failures: int, *, away: bool = False) -> Breaker:
    async def scenario() -> Breaker:
        made = Breaker("it", health.probe, patience)
        period = await made.closed()
        for _ in range(failures):
            made.failed(period, "status 500", away=away)
        await made.closed()
        return made

    return asyncio.run(scenario())


def test_some_failures_hold_nothing_back() -> None:
    health = Health(looks=5)
    assert run(health, 1, MAX_FAILURES - 1).outages == 0
    assert health.looks == 5


@pytest.mark.parametrize(("failures", "away"), [(MAX_FAILURES, False), (1, True)])
def test_requests_wait_until_the_endpoint_is_back(failures: int, away: bool) -> None:
    health = Health(looks=5)
    assert run(health, 10, failures, away=away).outages == 1
    assert health.looks == -1


def test_waiting_is_given_up() -> None:
    started = time.monotonic()
    with pytest.raises(EngineDown, match=r"it is down \(status 500\); start it, and clear"):
        run(Health(looks=10**9), 0.1, 1, away=True)
    assert time.monotonic() - started >= 0.1


def test_an_answer_starts_the_count_anew() -> None:
    async def scenario() -> int:
        made = Breaker("it", Health(0).probe, 1)
        for _ in range(3):
            for _ in range(MAX_FAILURES - 1):
                made.failed(0, "status 500")
            made.answered()
        await made.closed()
        return made.outages

    assert asyncio.run(scenario()) == 0


def test_failures_from_before_an_outage_are_not_of_the_time_after() -> None:
    async def scenario() -> int:
        made = Breaker("it", Health(0).probe, 10)
        before = await made.closed()
        for _ in range(5 * MAX_FAILURES):  # of requests that were all under way
            made.failed(before, "status 500")
            await made.closed()
        return made.outages

    assert asyncio.run(scenario()) == 1


def test_an_endpoint_that_is_well_and_answers_nothing_is_down() -> None:
    async def scenario() -> int:
        made = Breaker("it", Health(0).probe, 10)
        rounds = 0
        period = 0
        while True:
            for _ in range(MAX_FAILURES):
                made.failed(period, "status 500")
            try:
                period = await made.closed()
            except EngineDown as error:
                assert "answers no request; the last: status 500" in str(error)
                return rounds
            rounds += 1

    assert asyncio.run(scenario()) == MAX_OUTAGES
