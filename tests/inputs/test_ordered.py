"""Many requests under way at a time, and answers in order."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from c2c_tasks.inputs.ordered import AHEAD, in_order

CLOSED: list[bool] = []


async def close() -> None:
    CLOSED.append(True)


@pytest.fixture(autouse=True)
def no_threads_left() -> Iterator[None]:
    CLOSED.clear()
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "vllm"]
    assert CLOSED == [True]


async def slower_first(item: int) -> int:
    await asyncio.sleep(0.02 / (item + 1))
    return item * item


def test_answers_are_in_the_order_of_the_items() -> None:
    answers = list(in_order(range(50), slower_first, concurrency=4, close=close))
    assert answers == [(item, item * item) for item in range(50)]


def test_items_are_taken_as_there_is_room() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(10**9):
            taken.append(item)
            yield item

    answers = in_order(items(), slower_first, concurrency=2, close=close)
    next(answers)
    assert len(taken) == 2 + AHEAD
    next(answers)
    assert len(taken) == 2 + AHEAD + 1
    answers.close()  # type: ignore[attr-defined]


def test_what_goes_wrong_ends_all() -> None:
    async def ask(item: int) -> int:
        if item == 3:
            raise ValueError("three")
        if item > 3:
            await asyncio.sleep(3600)
        return item

    answers = in_order(range(10), ask, concurrency=10, close=close)
    assert [next(answers)[0] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(answers)


ENDS_IN_THE_MIDDLE = """
import asyncio
from c2c_tasks.inputs.ordered import in_order

async def ask(item):
    await asyncio.sleep(0 if item == 0 else 3600)

async def close():
    pass

def main():
    answers = in_order(range(9), ask, concurrency=9, close=close)
    next(answers)
    raise ValueError("the end")  # and its traceback keeps the answers until the interpreter ends

main()
"""


def test_a_program_that_ends_in_the_middle_ends() -> None:
    command = [sys.executable, "-c", ENDS_IN_THE_MIDDLE]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.stderr.endswith("ValueError: the end\n")
    CLOSED.append(True)  # there is none here


def test_no_items() -> None:
    assert list(in_order([], slower_first, concurrency=3, close=close)) == []
