"""Attacks on those who come after: what a function leaves behind, the next one looks for.

In the text, and so in the runner, a function that leaves something comes before the one that
would find it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.attacks.arena import ANYTHING, attack

if TYPE_CHECKING:
    from tests.sandbox.attacks.arena import Attack, Batch


OPTIONS = {"function_seconds": 1}  # some wait for that


def test_attack(attack: Attack, batch: Batch) -> None:
    batch.check(attack)


def test_nothing_is_left(batch: Batch) -> None:
    batch.check_the_rest()


@attack("returned 'left'")
def leaves_all_it_can(x: int) -> str:
    import builtins
    import os
    import random
    import signal
    import sys

    os.umask(0o777)
    os.chdir("/proc")
    os.environ["LEFT"] = "behind"
    os.nice(19)
    random.seed(1)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    builtins.left = sys.left = "behind"
    sys.path.insert(0, "/proc")
    sys.setrecursionlimit(200)
    sys.setswitchinterval(100)
    return "left"


@attack("returned []")
def finds_what_was_left(x: int) -> list[str]:
    import builtins
    import os
    import signal
    import sys

    checks = {
        "umask": os.umask(0o777) == 0o777,
        "folder": os.getcwd() == "/proc",
        "environment": "LEFT" in os.environ,
        "niceness": os.nice(0) == 19,
        "handler": signal.getsignal(signal.SIGTERM) == signal.SIG_IGN,
        "mask": bool(signal.pthread_sigmask(signal.SIG_BLOCK, set())),
        "builtins": hasattr(builtins, "left"),
        "sys": hasattr(sys, "left"),
        "path": "/proc" in sys.path,
        "recursion": sys.getrecursionlimit() == 200,
        "switching": sys.getswitchinterval() == 100,
    }
    return [name for name, found in checks.items() if found]


@attack(ANYTHING)
def leaves_files(x: int) -> None:
    import os

    for name in ("/tmp/left-behind", "left-behind"):
        for make in (
            lambda name: os.mkdir(name),
            lambda name: os.symlink("data in a link", f"{name}.link"),
            lambda name: os.mknod(f"{name}.file", 0o666),
            lambda name: os.mkfifo(f"{name}.pipe"),
        ):
            try:
                make(name)
            except OSError:
                pass


@attack("returned []")
def finds_files(x: int) -> list[str]:
    import os

    found = os.listdir("/tmp")
    if os.access(".", os.R_OK):
        found += os.listdir(".")
    return [name for name in found if name.startswith("left-behi")]


@attack(ANYTHING)
def leaves_messages_in_the_kernel(x: int) -> None:
    """System V segments, queues and semaphores outlive their maker; so do keys."""
    import ctypes

    libc = ctypes.CDLL(None)
    libc.shmget(0xC2C, 4096, 0o1666)
    libc.semget(0xC2C, 1, 0o1666)
    libc.msgget(0xC2C, 0o1666)
    key = libc.syscall(248, b"user", b"case2code", b"left", 4, -4)  # add_key, of x86-64
    libc.syscall(250, 15, key, 60)  # keyctl: it leaves the machine in a minute


@attack("returned []")
def finds_messages_in_the_kernel(x: int) -> list[str]:
    import ctypes

    libc = ctypes.CDLL(None)
    found = {
        "segment": libc.shmget(0xC2C, 4096, 0o666),
        "semaphore": libc.semget(0xC2C, 1, 0o666),
        "queue": libc.msgget(0xC2C, 0o666),
        "key": libc.syscall(249, b"user", b"case2code", None, 0),  # request_key
    }
    return [name for name, number in found.items() if number != -1]


@attack(ANYTHING)
def leaves_children_and_threads(x: int) -> None:
    import os
    import threading

    try:
        threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True).start()
    except RuntimeError:
        pass
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                while True:
                    pass
            os._exit(0)


@attack("returned 2")
def finds_children(x: int) -> int:
    """There is the runner and this process, and nobody else."""
    import os

    return sum(name.isdigit() for name in os.listdir("/proc"))


@attack(ANYTHING)
def leaves_sockets(x: int) -> None:
    import os
    import socket

    listening = socket.socket(socket.AF_UNIX)
    listening.bind("\0left-behind")
    listening.listen()
    os.set_inheritable(listening.fileno(), True)


@attack("raised PermissionError")
def finds_sockets(x: int) -> None:
    import socket

    socket.socket(socket.AF_UNIX).connect("\0left-behind")


@attack("returned '" + "the mark of 4711, " * 100 + "'")
def leaves_a_long_result(x: int) -> str:
    return f"the mark of {4711 * x}, " * 100


@attack("returned []")
def finds_objects_of_other_functions(x: int) -> list[str]:
    """Looks for programs and results of others in all that the collector and frames show."""
    import gc
    import sys

    seen: set[int] = set()
    found: set[str] = set()
    left: list[Any] = [*gc.get_objects(), sys._getframe().f_back]
    while left:
        value = left.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if type(value) in (str, bytes, bytearray):
            for mark in (f"mark of {4711 * x}", "_".join(["def leaves", "a", "long", "result"])):
                if (mark.encode() if type(value) is not str else mark) in value:
                    found.add(mark)
        elif value is not left and value is not seen:
            left += gc.get_referents(value)
    return sorted(found)


@attack("returned False")
def finds_results_in_freed_memory(x: int) -> bool:
    """A child begins as a copy of the runner, with all that was freed there and not cleared."""
    import ctypes

    mark = f"the mark of {4711 * x}, ".encode()
    found = 0
    for line in open("/proc/self/maps").read().splitlines():
        place, rights, *_ = line.split()
        if rights == "rw-p":
            start, end = (int(text, 16) for text in place.split("-"))
            found += ctypes.string_at(start, end - start).count(mark)
    return found > 20  # the mark itself is there a few times
