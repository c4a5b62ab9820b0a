"""Attacks on sameness: state from case to case, and what tells one interpreter from another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.attacks.arena import attack

if TYPE_CHECKING:
    from tests.sandbox.attacks.arena import Attack, Batch


def test_attack(attack: Attack, batch: Batch) -> None:
    batch.check(attack)


def test_nothing_is_left(batch: Batch) -> None:
    batch.check_the_rest()


# From case to case of one function

THREE = ("{'x': 1}", "{'x': 2}", "{'x': 3}")


@attack("returned [1]", "returned [2]", "returned [3]", module=True, arguments=THREE)
def state_of_the_module() -> None:
    SEEN = []

    def f(x: int) -> list[int]:
        SEEN.append(x)
        return SEEN


@attack("returned 1", "returned 1", "returned 1", module=True, arguments=THREE)
def attribute_of_the_function() -> None:
    def f(x):
        f.calls = getattr(f, "calls", 0) + 1
        return f.calls


# A child serves all cases of its function, so what is changed outside of the module stays until
# the last one. The second run, in which the cases come in another order, tells.


@attack("returned 1, differs", "returned 2", "returned 3, differs", arguments=THREE)
def state_of_the_interpreter(x: int) -> int:
    import sys

    sys.calls = getattr(sys, "calls", 0) + 1
    return sys.calls


@attack(
    *("returned False, differs", "returned True", "returned True, differs"),
    arguments=THREE,
)
def patched_builtin(x: int) -> bool:
    import builtins

    before = hasattr(builtins, "patched")
    builtins.patched = True
    return before


@attack(
    *("returned 'unset', differs", "returned '1', differs", "returned '2', differs"),
    arguments=THREE,
)
def environment_variable(x: int) -> str:
    import os

    before = os.environ.get("LEFT", "unset")
    os.environ["LEFT"] = str(x)
    return before


# What tells one interpreter from another


@attack("returned 1", "returned 2", "returned 3", arguments=THREE)
def prints_and_warns(x: int) -> int:
    import sys
    import warnings

    print("noise", x)
    sys.stderr.write("noise")
    warnings.warn("noise", stacklevel=1)
    return x


@attack("raised UserWarning")
def turns_warnings_into_errors(x: int) -> None:
    import warnings

    warnings.simplefilter("error")
    warnings.warn("noise", stacklevel=1)


# The message holds what differs, so that the outcome can be spelled out.
@attack("raised ValueError, differs")
def tells_the_time(x: int) -> None:
    import time

    raise ValueError(time.time_ns())


@attack("raised ValueError, differs")
def tells_a_random_number(x: int) -> None:
    import random

    raise ValueError(random.random())


@attack("raised ValueError, differs")
def tells_a_hash(x: int) -> None:
    raise ValueError(hash("text"))


@attack("raised ValueError, differs")
def tells_the_order_of_a_set(x: int) -> None:
    raise ValueError(*{str(number) for number in range(50)})


@attack("raised ValueError, differs")
def tells_an_address(x: int) -> None:
    raise ValueError(object())


@attack("raised ValueError, differs")
def tells_where_it_is(x: int) -> None:
    import os

    raise ValueError(os.getcwd(), sorted(os.environ.items()))
