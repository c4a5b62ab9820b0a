from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from c2c_airflow.browser.working import Busy, TooSlow, Workers


def workers(**options: float) -> Workers:
    return Workers("test", **{"threads": 1, "waiting": 1, "seconds": 10} | options)  # type: ignore[arg-type]


def test_it_returns_and_raises_what_the_work_does() -> None:
    def fail() -> None:
        raise TimeoutError("of its own")

    assert asyncio.run(workers().run(lambda: threading.current_thread().name)) == "test_0"
    with pytest.raises(TimeoutError, match="of its own"):
        asyncio.run(workers().run(fail))


def test_what_is_done_at_the_last_moment_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def too_late(answer: Any, _: float) -> None:
        await answer
        raise TimeoutError

    monkeypatch.setattr(asyncio, "wait_for", too_late)
    assert asyncio.run(workers().run(lambda: "done")) == "done"


def test_who_finds_no_room_is_told_at_once() -> None:
    go_on = threading.Event()
    pool = workers()

    async def ask() -> list[bool | BaseException]:
        work: Callable[[], bool] = lambda: go_on.wait(10)  # noqa: E731
        tasks = [asyncio.create_task(pool.run(work)) for _ in range(3)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        go_on.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third = asyncio.run(ask())
    assert (first, second) == (True, True)
    assert isinstance(third, Busy)
    assert asyncio.run(pool.run(lambda: "room again")) == "room again"


def test_a_thread_that_is_given_up_stays_taken_until_it_ends() -> None:
    go_on = threading.Event()
    pool = workers(seconds=0.05)
    with pytest.raises(TooSlow):
        asyncio.run(pool.run(lambda: go_on.wait(10)))
    with pytest.raises(Busy):  # it waited for the thread, in vain
        asyncio.run(pool.run(lambda: None))
    go_on.set()
    pool._pool.submit(lambda: None).result(10)
    assert asyncio.run(pool.run(lambda: 1)) == 1
