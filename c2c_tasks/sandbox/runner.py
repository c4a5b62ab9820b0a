"""The supervisor: reads functions from standard input, runs each in a child, writes results.

It is process 1 of the sandbox. It never runs or parses what a function made: of a child's
lines it counts the bytes, and passes them on. It owns the wall clock, and kills whatever a
child leaves behind before the next one starts. This module is the sandbox's: it imports the
standard library, and of ours what the image holds.

Messages are frames. The host sends a set-up, then functions:

    {"limits": [...], "uid": 65534, "read_only": false}
    {"id": 7, "program": ..., "entry_point": ..., "cases": [...], "coverage": true, "max_bytes": n}

and gets a frame of facts (``{"python": ..., "uid": ...}``: what could be set up), then for
each function one frame, in order: a line ``{"id": 7, "ended": ..., "at": n}`` of the
supervisor's, and below it the child's lines.
"""

import ctypes
import gc
import json
import mmap
import os
import resource
import select
import signal
import struct
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from c2c_tasks.sandbox import child
from c2c_tasks.sandbox.confinement import Confinement, Limits
from c2c_tasks.sandbox.frames import read_frame, write_frame

PRELOADED = ("bisect", "collections", "copy", "datetime", "heapq", "itertools", "string")
"""Modules that functions use most: imported once here, not in every child."""

PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
SYS_MOUNT_SETATTR = 442
MOUNT_ATTR_RDONLY = 1
AT_FDCWD = -100
AT_RECURSIVE = 0x8000


def main() -> None:
    """Serve the host until it closes the stream."""
    for name in PRELOADED:
        __import__(name)
    warnings.simplefilter("ignore")
    _forget_own_path()
    setup = json.loads(read_frame(0) or b"null")
    if setup is None:
        return
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    uid = _usable_uid(setup["uid"])
    facts = {
        "python": sys.version.split()[0],
        "process_1": os.getpid() == 1,
        "read_only": bool(setup["read_only"]) and _make_read_only(libc),
        "uid": uid,
    }
    supervisor = Supervisor(Limits(*setup["limits"]), Confinement(uid, libc))
    write_frame(1, json.dumps(facts).encode())
    # Children share these objects' pages until they touch them; the collector would.
    gc.collect()
    gc.freeze()
    while (payload := read_frame(0)) is not None:
        write_frame(1, supervisor.run(json.loads(payload)))


class Supervisor:
    """Runs one child at a time."""

    def __init__(self, limits: Limits, confinement: Confinement) -> None:
        self._limits = limits
        self._confinement = confinement
        self._progress = mmap.mmap(-1, 4)
        self._own_limits = _resource_limits()

    def run(self, request: dict[str, Any]) -> bytes:
        """Run a function's cases in a child and return the payload that answers the request."""
        self._progress[:] = bytes(4)
        receiving, sending = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                child.run(request, self._limits, self._confinement, sending, self._progress)
                os._exit(0)
            finally:
                os._exit(70)  # whatever was raised, a child never returns into this loop
        os.close(sending)
        pieces, ended = self._watch(pid, receiving, request["max_bytes"])
        os.close(receiving)
        _sweep()
        if self._confinement.uid is None and _resource_limits() != self._own_limits:
            # A child of the same user did that, and the next ones would inherit it. The
            # host finds this process gone while that function was under way.
            sys.exit("a function changed the supervisor's resource limits")
        at = int.from_bytes(self._progress[:], "big")
        head = json.dumps({"id": request["id"], "ended": ended, "at": at}).encode()
        return b"\n".join([head, b"".join(pieces)])

    def _watch(self, pid: int, receiving: int, max_bytes: int) -> tuple[list[bytes], str]:
        """Read a child's lines until it ends or has to; return them and how it ended."""
        deadline = time.monotonic() + self._limits.function_seconds
        poll = select.poll()
        poll.register(receiving, select.POLLIN)
        pieces: list[bytes] = []
        ended = ""
        while not ended:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                ended = "timed_out"
            elif not (piece := os.read(receiving, 1 << 16)):
                break  # the child is gone, or has closed its only way to be heard
            elif (max_bytes := max_bytes - len(piece)) < 0:
                ended = "flooded"
            else:
                pieces.append(piece)
        # A child that is exiting keeps its own status.
        os.kill(pid, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return pieces, ended or (f"exit {code}" if code >= 0 else f"signal {-code}")


def _sweep() -> None:
    """Kill every process that a child left behind, and wait until it is gone."""
    if os.getpid() == 1:
        try:
            os.kill(-1, signal.SIGKILL)  # all but this process: the namespace is ours
        except ProcessLookupError:
            return
    while True:
        try:
            pid, _ = os.waitpid(-1, 0 if os.getpid() == 1 else os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:  # orphans come to this process, being their subreaper
            for orphan in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
                os.kill(int(orphan), signal.SIGKILL)
            time.sleep(0.001)


def _resource_limits() -> list[tuple[int, int]]:
    kinds = {getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}
    return [resource.getrlimit(kind) for kind in sorted(kinds)]


def _forget_own_path() -> None:
    """Take the folder that holds this package off the path: functions see the standard library."""
    root = Path(__file__).resolve().parents[2]
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != root]


def _usable_uid(uid: int | None) -> int | None:
    """Return `uid` if a child can become it and still read the standard library."""
    if uid is None or os.geteuid() != 0:
        return None
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            with Path(os.__file__).open("rb"):
                os._exit(0)
        except OSError:
            os._exit(1)
    return uid if os.waitpid(pid, 0)[1] == 0 else None


def _make_read_only(libc: ctypes.CDLL) -> bool:
    """Make every mount of this mount namespace read-only; return whether that worked."""
    attributes = struct.pack("=QQQQ", MOUNT_ATTR_RDONLY, 0, 0, 0)
    flags = (SYS_MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, attributes, len(attributes))
    return bool(libc.syscall(*flags) == 0)


if __name__ == "__main__":
    main()
