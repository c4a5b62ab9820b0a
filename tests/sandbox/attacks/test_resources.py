"""Attacks on memory, processes, threads and descriptors: each ends alone, whatever it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.attacks.arena import attack

if TYPE_CHECKING:
    from tests.sandbox.attacks.arena import Attack, Batch


# Little memory, and time enough to fill it on a busy machine; some wait for the wall clock.
OPTIONS = {"memory_megabytes": 64, "case_seconds": 0.6, "function_seconds": 1.5}


def test_attack(attack: Attack, batch: Batch) -> None:
    batch.check(attack)


def test_nothing_is_left(batch: Batch) -> None:
    batch.check_the_rest()


# Processes and threads


# The kernel counts no processes of root's, which a child stays where the standard library is not
# readable for others: the filter of system calls refuses them. In case of neither, bombs are small.


@attack("raised BlockingIOError", as_root="raised PermissionError")
def fork_bomb(x: int) -> str:
    import os

    for _ in range(9):  # 512 processes where they are not refused
        os.fork()
    while True:
        pass


@attack("returned ['BlockingIOError']", as_root="returned ['PermissionError']")
def stubborn_fork_bomb(x: int) -> list[str]:
    import os

    errors = []
    for _ in range(40):
        try:
            if os.fork() == 0:
                while True:
                    pass
        except OSError as error:
            errors.append(type(error).__name__)
    while not errors:
        pass
    return sorted(set(errors))


@attack("raised BlockingIOError", as_root="raised PermissionError")
def forks_without_the_interpreter(x: int) -> str:
    import ctypes
    import os

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.fork() < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    while True:
        pass


@attack("raised BlockingIOError", as_root="raised PermissionError")
def spawned_shell(x: int) -> int:
    import subprocess

    return subprocess.run(["/bin/sh", "-c", "sleep 600 &"]).returncode


@attack("returned 'refused'")
def more_processes_than_a_container_may_have(x: int) -> str:
    import os
    import signal

    for _ in range(100):
        try:
            if os.fork() == 0:
                signal.pause()
        except OSError:
            return "refused"
    return "started"


@attack("raised RuntimeError")
def thread_bomb(x: int) -> int:
    import threading
    import time

    while True:
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()


# Memory


@attack("killed")
def list_bomb(x: int) -> Any:
    return [0] * 10**9


@attack("killed")
def growing_list_bomb(x: Any) -> Any:
    while True:
        x = [x] * 100_000


@attack("killed")
def bytes_bomb(x: int) -> Any:
    return b"a" * 10**10


@attack("killed")
def integer_bomb(x: int) -> Any:
    return 1 << 10**10


@attack("killed")
def string_bomb(x: int) -> Any:
    text = "a"
    while True:
        text = "".join([text, text])


@attack("killed")
def formatting_bomb(x: int) -> Any:
    return f"{x:>{2**31 - 1}}"


@attack("raised OSError")
def mapping_bomb(x: int) -> Any:
    import mmap

    return len(mmap.mmap(-1, 1 << 40))


@attack("killed")
def endless_file(x: int) -> Any:
    return open("/dev/zero", "rb").read()


@attack("timed_out")
def memory_bomb_that_swallows_its_error(x: int) -> Any:
    kept: list[Any] = []
    while True:
        try:
            kept.append(b"a" * 10**6)
        except MemoryError:
            pass


@attack("raised OSError")
def file_in_memory(x: int) -> Any:
    import os

    descriptor = os.memfd_create("bomb")
    while True:
        os.write(descriptor, b"a" * 65_536)


# Files


@attack("raised PermissionError", process="raised OSError")
def full_disk(x: int) -> Any:
    with open("/tmp/big", "wb", buffering=0) as file:
        while True:
            file.write(b"x" * 65_536)


@attack("raised OSError")
def full_directory(x: int) -> Any:
    import os

    for number in range(100_000):
        try:
            os.mkdir(f"/tmp/{number}")
        except OSError as error:
            raise OSError(type(error).__name__) from None


@attack("raised OSError")
def descriptors_without_end(x: int) -> Any:
    import os

    while True:
        os.dup(1)
