"""Attacks by amounts: floods of output, gigantic values, structures without end or bottom."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tests.sandbox.attacks.arena import attack

if TYPE_CHECKING:
    from tests.sandbox.attacks.arena import Attack, Batch


# CPython 3.12 counts calls in C, whatever the limit is set to; those before overflow the stack.
BOTTOMLESS = "killed" if sys.version_info < (3, 12) else "raised RecursionError"


def test_attack(attack: Attack, batch: Batch) -> None:
    batch.check(attack)


def test_nothing_is_left(batch: Batch) -> None:
    batch.check_the_rest()


# Output


@attack("returned 'done'")
def output_flood(x: int) -> str:
    import sys

    for _ in range(300):
        print("x" * 100_000)
        print("x" * 100_000, file=sys.stderr)
    return "done"


@attack("killed")
def flood_of_the_result_descriptor(x: int) -> str:
    import os

    while True:
        os.write(3, b"x" * 65_536)


@attack("unrepresentable")
def gigantic_list(x: int) -> Any:
    return list(range(10**6))


@attack("unrepresentable")
def gigantic_string(x: int) -> Any:
    return "x" * (32 << 20)


@attack("unrepresentable")
def list_that_is_small_and_shows_large(x: int) -> Any:
    value: Any = "x" * 100
    for _ in range(30):
        value = [value, value, value, value]
    return value


@attack("raised ValueError")
def gigantic_message(x: int) -> Any:
    raise ValueError("x" * (32 << 20))


# Depth


@attack("raised RecursionError")
def deep_recursion(x: int) -> Any:
    def deeper() -> Any:
        return deeper()

    try:
        return deeper()
    except RecursionError:
        raise RecursionError("not how deep: coverage counts") from None


@attack(BOTTOMLESS, docker="raised RecursionError")
def deeper_recursion(x: int) -> Any:
    import sys

    sys.setrecursionlimit(2**31 - 1)

    class Deeper:
        def __getattr__(self, name: str) -> Any:
            return getattr(self, name + "x")

    return Deeper().x


@attack("unrepresentable")
def recursive_list(x: int) -> Any:
    value: list[Any] = []
    value.append(value)
    return value


@attack("unrepresentable")
def recursive_dict(x: int) -> Any:
    value: dict[str, Any] = {}
    value["self"] = [value]
    return value


@attack("unrepresentable")
def deep_list(x: int) -> Any:
    value: list[Any] = []
    for _ in range(200_000):
        value = [value]
    return value
