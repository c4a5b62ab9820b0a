"""The filter, by an interpreter of its instructions and by the kernel."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from c2c_tasks.sandbox import seccomp

X86_64, AARCH64 = (seccomp._ARCHITECTURES[name][1] for name in ("x86_64", "aarch64"))
ALLOW, REFUSE = 0x7FFF0000, 0x00050001


def verdict(code: bytes, architecture: int, number: int) -> int:
    """Return what a filter returns for a system call."""
    data = struct.pack("=II", number, architecture)
    lines = list(struct.iter_unpack("HBBI", code))
    at = value = 0
    while True:
        kind, if_true, if_false, operand = lines[at]
        at += 1
        if kind == 0x20:
            (value,) = struct.unpack_from("=I", data, operand)
        elif kind == 0x06:
            return operand
        else:
            at += if_true if (value == operand if kind == 0x15 else value >= operand) else if_false


@pytest.mark.parametrize(("column", "architecture"), [(0, X86_64), (1, AARCH64)])
def test_what_is_listed_is_refused_and_nothing_else(column: int, architecture: int) -> None:
    listed = {numbers[column] for numbers in seccomp._CALLS.values()}
    code = seccomp._filter(architecture, sorted(listed))
    verdicts = {number: verdict(code, architecture, number) for number in range(500)}
    assert {number for number, found in verdicts.items() if found == REFUSE} == listed
    assert set(verdicts.values()) == {ALLOW, REFUSE}


def test_calls_by_other_tables_are_refused() -> None:
    code = seccomp._filter(X86_64, [41])
    assert verdict(code, AARCH64, 64) == REFUSE
    assert verdict(code, X86_64, 0x40000000 | 1) == REFUSE
    assert verdict(code, X86_64, 1) == ALLOW


def test_the_kernel_refuses_what_is_listed() -> None:
    code = (
        "import ctypes, os, socket\n"
        "from c2c_tasks.sandbox.seccomp import refuse_calls, refuse_processes\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.prctl(38, 1, 0, 0, 0)\n"
        "print(refuse_calls(libc))\n"
        "def attempt(call):\n"
        "    try: return call() and 'granted'\n"
        "    except OSError as error: return type(error).__name__\n"
        "print(attempt(socket.socket), attempt(lambda: os.execv('/bin/true', ['true'])))\n"
        "pid = os.fork()\n"
        "if pid == 0: os._exit(7)\n"
        "print(os.waitpid(pid, 0)[1] >> 8)\n"
        "print(refuse_processes(libc), attempt(os.fork))\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(Path(seccomp.__file__).parents[2])},
        capture_output=True,
        text=True,
    )
    if process.stdout.startswith("False"):
        pytest.skip("this kernel or machine takes no filter")
    assert process.stdout.splitlines() == [
        "True",
        "PermissionError PermissionError",
        "7",
        "True PermissionError",
    ], process.stderr
