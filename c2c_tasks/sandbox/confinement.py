"""What a child gives up before it runs a function.

Whatever children can inherit, the supervisor gives up once, for all of them: what a child does
for itself is paid for every function, in memory pages that the fork has just made expensive.
This module is the sandbox's: it imports the standard library alone.
"""

import os
import resource
import sys
from collections.abc import Callable
from math import ceil
from typing import Any, NamedTuple

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
SYS_MOUNT_SETATTR = 442
MOUNT_ATTR_RDONLY = 1
MOUNT_ATTR_NOSUID = 2
AT_FDCWD = -100
AT_RECURSIVE = 0x8000

DESCRIPTORS = 64
"""Descriptors of the supervisor and of each child are below this number."""


class Limits(NamedTuple):
    """What a function may use. The host sends it once, and it holds for every child."""

    case_seconds: float
    """CPU seconds of one case."""
    function_seconds: float
    """Wall-clock seconds of the child; the supervisor enforces it."""
    memory_bytes: int
    """Address space of the child."""
    output_characters: int
    """Length of a literal."""


class Confinement(NamedTuple):
    """What is left for each child to do, since it cannot inherit it."""

    uid: int | None
    """User and group that the child becomes; None where it has to stay what it is."""
    limits: tuple[tuple[int, tuple[int, int]], ...]
    """Arguments of `resource.setrlimit`."""
    drop: Callable[[], None] | None
    """Drops what leaving root would have dropped; None where the child leaves root."""


def confine_supervisor(limits: Limits, uid: int | None) -> Confinement:
    """Give up what supervisor and children do without; return what is left for the children.

    Changing from root to another user drops a child's capabilities, and makes it undumpable
    (credentials(7), PR_SET_DUMPABLE in prctl(2)). Only where `uid` is None, or this is not
    process 1, is there more to do, and only there is the C library needed.
    """
    for kind, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_NOFILE, DESCRIPTORS),
    ):
        resource.setrlimit(kind, _at_most(kind, limit))
    drop = None
    if uid is None or os.getpid() != 1:
        libc = _libc()
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        drop = _privilege_drop(libc)
    cpu = ceil(limits.function_seconds) + 1
    own = [
        (kind, _at_most(kind, limit))
        for kind, limit in (
            (resource.RLIMIT_AS, limits.memory_bytes),
            (resource.RLIMIT_CPU, cpu),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_NPROC, 0),
        )
    ]
    return Confinement(uid, tuple(own), drop)


def confine(confinement: Confinement, descriptor: int) -> int:
    """Give up everything that a function does not need; return the result descriptor's number.

    Standard input and output are the supervisor's, and lead nowhere.
    """
    os.setpgid(0, 0)  # signals to the process group reach nobody else
    os.dup2(0, 2)
    os.dup2(descriptor, 3)
    os.closerange(4, DESCRIPTORS)
    for kind, limit in confinement.limits:
        resource.setrlimit(kind, limit)
    uid = confinement.uid
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    if confinement.drop is not None:
        confinement.drop()
    return 3


def make_read_only() -> bool:
    """Make every mount of this mount namespace read-only; return whether that worked.

    A child does it, so that the C library's bindings are not loaded here.
    """
    pid = os.fork()
    if pid == 0:
        attributes = (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID).to_bytes(8, sys.byteorder) + bytes(24)
        flags = (SYS_MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, attributes, len(attributes))
        try:
            os._exit(0 if _libc().syscall(*flags) == 0 else 1)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def _privilege_drop(libc: Any) -> Callable[[], None]:
    header = (0x20080522).to_bytes(4, sys.byteorder) + bytes(4)  # capability version 3, self
    nothing = bytes(24)
    kill = 9

    def drop() -> None:
        libc.capset(header, nothing)
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        # A fork forgets it: where the supervisor is not process 1, nothing else ends orphans.
        libc.prctl(PR_SET_PDEATHSIG, kill, 0, 0, 0)

    return drop


def _libc() -> Any:
    import ctypes

    return ctypes.CDLL(None)


def _at_most(kind: int, limit: int) -> tuple[int, int]:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    return limit, limit
