"""What a child gives up before it runs a function.

This module is the sandbox's: it imports the standard library alone.
"""

import os
import resource
import signal
import sys
from math import ceil
from typing import Any, NamedTuple


class Limits(NamedTuple):
    """What a function may use. The host sends it once; every child enforces it on itself."""

    case_seconds: float
    """CPU seconds of one case."""
    function_seconds: float
    """Wall-clock seconds of the child; the supervisor enforces it."""
    memory_bytes: int
    """Address space of the child."""
    output_characters: int
    """Length of a literal."""


class Confinement(NamedTuple):
    """What the supervisor found it can take away from its children."""

    uid: int | None
    """User and group that the child becomes; None where it has to stay what it is."""
    libc: Any
    """The C library by ctypes, or None."""


def confine(limits: Limits, confinement: Confinement, descriptor: int) -> int:
    """Give up everything that a function does not need; return the result descriptor's number."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.dup2(descriptor, 3)
    os.closerange(4, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    cpu = ceil(limits.function_seconds) + 1
    for name, limit in (
        ("RLIMIT_AS", limits.memory_bytes),
        ("RLIMIT_CPU", cpu),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_NPROC", 0),
        ("RLIMIT_NOFILE", 32),
        ("RLIMIT_MSGQUEUE", 0),
    ):
        if hasattr(resource, name):
            _lower(getattr(resource, name), limit)
    if confinement.uid is not None:
        os.setgroups([])
        os.setresgid(confinement.uid, confinement.uid, confinement.uid)
        os.setresuid(confinement.uid, confinement.uid, confinement.uid)
    if confinement.libc is not None:
        _drop_privileges(confinement.libc)
    return 3


def _drop_privileges(libc: Any) -> None:
    """Drop capabilities, take ptrace from others of the same user, and die with the parent."""
    header = (0x20080522).to_bytes(4, sys.byteorder) + bytes(4)  # capability version 3, self
    libc.capset(header, bytes(24))
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    libc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
    libc.prctl(1, int(signal.SIGKILL), 0, 0, 0)  # PR_SET_PDEATHSIG


def _lower(kind: int, limit: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(kind, (limit, limit))
