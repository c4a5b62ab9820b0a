"""Attacks by ending: the child is gone, stopped or another program; its cases are accounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.attacks.arena import attack

if TYPE_CHECKING:
    from tests.sandbox.attacks.arena import Attack, Batch


OPTIONS = {"function_seconds": 1}  # some wait for that


def test_attack(attack: Attack, batch: Batch) -> None:
    batch.check(attack)


def test_nothing_is_left(batch: Batch) -> None:
    batch.check_the_rest()


@attack("killed")
def ends_at_once(x: int) -> None:
    import os

    os._exit(0)


@attack("killed")
def ends_with_a_status(x: int) -> None:
    import os

    os._exit(3)


@attack("returned 1", "killed", "returned 3", arguments=("{'x': 1}", "{'x': 2}", "{'x': 3}"))
def ends_in_the_middle(x: int) -> int:
    import os

    if x == 2:
        os._exit(0)
    return x


@attack("dropped: killed", arguments=[f"{{'x': {x}}}" for x in range(9)])
def ends_always(x: int) -> None:
    import os

    os._exit(0)


@attack("raised SystemExit")
def exits(x: int) -> None:
    import sys

    sys.exit(0)


@attack("raised KeyboardInterrupt")
def interrupts(x: int) -> None:
    raise KeyboardInterrupt


@attack("raised GeneratorExit")
def generator_exit(x: int) -> None:
    raise GeneratorExit


@attack("returned 1")
def registers_for_the_exit(x: int) -> int:
    import atexit
    import os

    atexit.register(os.write, 3, b"forged\n")
    atexit.register(os._exit, 1)
    return x


@attack("returned 1")
def leaves_an_object_that_ends_all(x: int) -> int:
    import os
    import sys

    class Late:
        def __del__(self) -> None:
            os._exit(1)

    sys.late = Late()
    return x


@attack("returned 1")
def cannot_be_ended(x: int) -> int:
    """Goes on where the runner's own code would have ended the child, in what it copied of it."""
    import os

    os._exit = os.close = os.waitpid = lambda *_: None
    return x


@attack("killed")
def kills_itself(x: int) -> None:
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


@attack("killed")
def kills_its_group(x: int) -> None:
    import os
    import signal

    os.killpg(0, signal.SIGKILL)


@attack("killed")
def reads_address_zero(x: int) -> None:
    import ctypes

    ctypes.string_at(0)


@attack("killed")
def aborts(x: int) -> None:
    import os

    os.abort()


@attack("timed_out")
def stops_itself(x: int) -> None:
    import os
    import signal

    os.kill(os.getpid(), signal.SIGSTOP)


@attack("timed_out")
def stops_as_if_traced(x: int) -> None:
    """The runner becomes the tracer: it must not take the stop for an end."""
    import ctypes
    import os
    import signal

    ctypes.CDLL(None).ptrace(0, 0, 0, 0)  # PTRACE_TRACEME
    os.kill(os.getpid(), signal.SIGSTOP)


@attack("killed")
def falls_silent_as_if_traced(x: int) -> None:
    """With its only descriptor closed it is killed, while it stops again and again."""
    import ctypes
    import os
    import signal

    ctypes.CDLL(None).ptrace(0, 0, 0, 0)
    os.close(3)
    while True:
        os.kill(os.getpid(), signal.SIGTRAP)


@attack("raised PermissionError")
def becomes_another_program(x: int) -> None:
    import os

    os.execv("/bin/sleep", ["sleep", "600"])


@attack("dropped: killed", module=True)
def ends_while_loading() -> None:
    import os

    os._exit(0)

    def f(x: int) -> int:
        return x


@attack("dropped: failed_to_load", module=True)
def loads_for_ever() -> None:
    while True:
        pass

    def f(x: int) -> int:
        return x


@attack("dropped: failed_to_load", module=True)
def sleeps_while_loading() -> None:
    import time

    time.sleep(600)

    def f(x: int) -> int:
        return x
