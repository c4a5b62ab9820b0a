"""Attacks on the truth: answers for other functions, changed memory, patched tools.

A function may lie about itself: then nothing is checked but its neighbours, whom no lie may
reach. A lie that the host can tell from an answer drops the function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.attacks.arena import ANYTHING, attack

if TYPE_CHECKING:
    from tests.sandbox.attacks.arena import Attack, Batch


def test_attack(attack: Attack, batch: Batch) -> None:
    batch.check(attack)


def test_nothing_is_left(batch: Batch) -> None:
    batch.check_the_rest()


# The result descriptor


@attack("dropped: protocol_violation")
def writes_whole_frames(x: int) -> None:
    """Valid ones, with header and checksum, for all functions that may be under way."""
    import json
    import os
    import struct
    import zlib

    for identifier in range(1, 60):
        case = json.dumps([0, "returned", "666", None, None, [], 9])
        payload = f'{identifier} 1 exit 0\n{{"body_lines": []}}\n{case}\n'.encode()
        os.write(3, struct.pack(">II", len(payload), zlib.crc32(payload)) + payload)
    os._exit(0)


@attack("returned 'done'")
def writes_to_every_other_descriptor(x: int) -> str:
    import os

    for descriptor in range(1024):
        if descriptor != 3:
            try:
                os.write(descriptor, b"2 1 exit 0\n" * 9)
            except OSError:
                pass
    return "done"


@attack("killed")
def closes_every_descriptor(x: int) -> None:
    import os

    os.closerange(0, 1024)
    while True:
        pass


@attack("raised PermissionError")
def writes_to_the_output_of_its_parent(x: int) -> None:
    import os

    os.open(f"/proc/{os.getppid()}/fd/1", os.O_WRONLY)


@attack("raised PermissionError")
def reads_the_input_of_its_parent(x: int) -> None:
    import os

    os.open("/proc/1/fd/0", os.O_RDONLY)


@attack("returned 'EPERM'")
def takes_a_descriptor_of_its_parent(x: int) -> str:
    import ctypes
    import errno
    import os

    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.syscall(438, os.pidfd_open(os.getppid()), 1, 0)  # pidfd_getfd
    return "taken" if descriptor >= 0 else errno.errorcode[ctypes.get_errno()]


# Of the same user, the descriptor can be opened, and used as the first can.
@attack("raised PermissionError", same_user="dropped: protocol_violation")
def opens_its_own_descriptor_again(x: int) -> None:
    import os

    os.write(os.open("/proc/self/fd/3", os.O_WRONLY), b"forged\n")


# Memory that it shares with the runner


@attack(ANYTHING, arguments=[f"{{'x': {x}}}" for x in range(3)])
def lies_on_its_progress(x: int) -> str:
    """Says that it is at its last case, and ends in the one before."""
    import mmap
    import os
    import sys

    frame = sys._getframe()
    while x == 1 and frame.f_back:
        frame = frame.f_back
        for value in [*frame.f_locals.values(), *vars(frame.f_locals.get("self", os)).values()]:
            if isinstance(value, mmap.mmap):
                value[:4] = (3).to_bytes(4, "big")
    if x:
        os._exit(0)
    return "done"


@attack(ANYTHING)
def fills_all_shared_memory(x: int) -> None:
    """Writes 0xff over every shared mapping, and ends."""
    import ctypes
    import os

    for line in open("/proc/self/maps").read().splitlines():
        place, rights, *_ = line.split()
        if rights == "rw-s":
            start, end = (int(text, 16) for text in place.split("-"))
            ctypes.memset(start, 0xFF, end - start)
    os._exit(0)


@attack(ANYTHING)
def rewrites_the_frames_of_its_callers(x: int) -> int:
    import sys

    frame = sys._getframe()
    while frame.f_back:
        frame = frame.f_back
        for name, value in list(frame.f_locals.items()):
            if name == "request" and isinstance(value, dict):
                value.update(id=2, max_bytes=10**9, cases=["{'x': 2}"] * 9)
    return x


@attack(ANYTHING)
def rewrites_all_objects_it_finds(x: int) -> int:
    import gc

    for value in gc.get_objects():
        if type(value) is dict and {"id", "cases"} <= value.keys():
            value.update(id=2, entry_point="neighbour")
    return x


@attack("raised ValueError")
def carries_a_foreign_traceback(x: int) -> None:
    import sys

    error = ValueError("1")
    try:
        raise KeyError
    except KeyError:
        error.__context__ = error.__cause__ = sys.exc_info()[1]
    raise error.with_traceback(error.__context__.__traceback__)


# Patched tools


@attack(ANYTHING)
def patches_builtins(x: int) -> int:
    import builtins

    for name in ("repr", "len", "type", "str", "isinstance", "sorted", "list", "print"):
        setattr(builtins, name, lambda *_, **__: "666")
    return x


@attack(ANYTHING)
def patches_json_and_literals(x: int) -> int:
    import json
    import sys

    json.dumps = json.encoder.JSONEncoder.encode = lambda *_, **__: "666"
    for name, module in list(sys.modules.items()):
        if name.startswith("c2c_tasks"):
            for key, value in list(vars(module).items()):
                if getattr(value, "__name__", "") == "dumps":
                    setattr(module, key, lambda *_, **__: "666")
    return x


@attack("returned 1")
def patches_what_the_next_child_would_inherit(x: int) -> int:
    import os
    import sys

    for module in ("json", "math", "re"):
        sys.modules[module] = None
    os.fork = os.pipe = os.read = lambda *_: None
    return x


@attack("dropped: protocol_violation")
def writes_for_the_runner(x: int) -> int:
    """Changes its line on the way out to one that the host must not believe."""
    import os

    write = os.write
    os.write = lambda descriptor, data: (
        write(descriptor, bytes(data).replace(b'"returned","1"', b'"returned","1 + 1"'))
        and len(data)
    )
    return x
