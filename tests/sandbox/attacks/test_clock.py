"""Attacks on the clock: loops in Python and in C, and functions that do not hear the alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.attacks.arena import attack

if TYPE_CHECKING:
    from tests.sandbox.attacks.arena import Attack, Batch


OPTIONS = {"function_seconds": 1}  # some wait for that


def test_attack(attack: Attack, batch: Batch) -> None:
    batch.check(attack)


def test_nothing_is_left(batch: Batch) -> None:
    batch.check_the_rest()


@attack("timed_out")
def endless_loop(x: int) -> None:
    while True:
        pass


@attack("timed_out")
def sleep(x: int) -> None:
    import time

    time.sleep(600)


@attack("timed_out")
def regular_expression_that_backtracks(x: int) -> Any:
    import re

    return re.match(r"(a|aa)+$", "a" * 60 + "b")


@attack("timed_out")
def power(x: int) -> Any:
    return 7 ** (10**8) % 10


@attack("timed_out")
def sorting_with_a_comparison_that_never_ends(x: int) -> Any:
    class Item:
        def __lt__(self, other: object) -> bool:
            while True:
                pass

    return sorted([Item(), Item()])


@attack("timed_out")
def sum_in_c(x: int) -> Any:
    import itertools

    return sum(itertools.repeat(0))


@attack("timed_out")
def reading_that_blocks(x: int) -> Any:
    import os

    receiving, _ = os.pipe()
    return os.read(receiving, 1)


@attack("timed_out")
def ignores_every_signal(x: int) -> None:
    import signal

    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        pass


@attack("timed_out")
def blocks_every_signal(x: int) -> None:
    import signal

    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    while True:
        pass


@attack("timed_out")
def swaps_the_handler_of_the_alarm(x: int) -> None:
    import signal

    for number in (signal.SIGALRM, signal.SIGPROF, signal.SIGVTALRM, signal.SIGXCPU):
        signal.signal(number, lambda *_: None)
    while True:
        pass


@attack("timed_out")
def stops_the_clock(x: int) -> None:
    import signal

    while True:
        for timer in (signal.ITIMER_REAL, signal.ITIMER_PROF, signal.ITIMER_VIRTUAL):
            signal.setitimer(timer, 0)


@attack("timed_out")
def swallows_the_timeout_once(x: int) -> int:
    try:
        while True:
            pass
    except BaseException:
        return x


@attack("timed_out")
def swallows_every_timeout(x: int) -> None:
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


@attack("timed_out")
def turns_the_timeout_into_a_message(x: int) -> None:
    class Endless(Exception):
        def __str__(self) -> str:
            while True:
                pass

    try:
        while True:
            pass
    finally:
        raise Endless


@attack("timed_out", "timed_out", "timed_out", arguments=[f"{{'x': {x}}}" for x in range(9)])
def takes_its_time_in_every_case(x: int) -> None:
    while True:
        pass


@attack("timed_out")
def spends_the_time_of_the_kernel(x: int) -> None:
    import os

    while True:
        os.getppid()


@attack("timed_out")
def trickles(x: int) -> None:
    """Is heard all the time, and never done."""
    import os
    import time

    while True:
        os.write(3, b" ")
        time.sleep(0.01)
