"""What a child gives up before it runs a function.

Whatever children can inherit, the supervisor gives up once, for all of them: what a child does
for itself is paid for every function, in memory pages that the fork has just made expensive.
This module is the sandbox's: it imports the standard library alone.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from math import ceil
from typing import Any, NamedTuple

from c2c_tasks.sandbox.seccomp import refuse_calls, refuse_processes

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


def confine_supervisor(
    limits: Limits, uid: int | None, read_only: bool
) -> tuple[Confinement, list[str]]:
    """Give up what supervisor and children do without.

    `uid` is the children's, `read_only` asks for every mount of this mount namespace to be made
    so. Return what is left for the children to do, and the names of what could not be set up.
    """
    libc = ctypes.CDLL(None)
    for kind, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_NOFILE, DESCRIPTORS),
    ):
        resource.setrlimit(kind, _at_most(kind, limit))
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # process 1 does not hear what it does not handle
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    worked = {
        "own_user": uid is not None,
        "read_only": not read_only or _make_read_only(libc),
        "seccomp": refuse_calls(libc),
    }
    own = (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, ceil(limits.function_seconds) + 1),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
    )
    # Changing from root to another user drops capabilities and keeps the child undumpable
    # (capabilities(7), PR_SET_DUMPABLE in prctl(2)), and process 1 takes all others with it.
    drop = _privilege_drop(libc) if uid is None or os.getpid() != 1 else None
    confinement = Confinement(uid, tuple((kind, _at_most(kind, n)) for kind, n in own), drop)
    return confinement, [name for name, done in worked.items() if not done]


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


def _privilege_drop(libc: Any) -> Callable[[], None]:
    header = (0x20080522).to_bytes(4, sys.byteorder) + bytes(4)  # capability version 3, self
    nothing = bytes(24)

    def drop() -> None:
        libc.capset(header, nothing)
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        # A fork forgets it: where the supervisor is not process 1, nothing else ends orphans.
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        refuse_processes(libc)  # RLIMIT_NPROC means nothing to root

    return drop


def _make_read_only(libc: Any) -> bool:
    """Make every mount read-only, and programs on it no more than their user's."""
    attributes = (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID).to_bytes(8, sys.byteorder) + bytes(24)
    flags = (SYS_MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, attributes, len(attributes))
    return bool(libc.syscall(*flags) == 0)


def _at_most(kind: int, limit: int) -> tuple[int, int]:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    return limit, limit
