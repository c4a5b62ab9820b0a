"""The supervisor: reads functions from standard input, runs each in a child, writes results.

It is process 1 of the sandbox. It never runs or parses what a function made: of a child's
lines it counts the bytes, and passes them on. It owns the wall clock, and kills whatever a
child leaves behind before the next one starts. This module is the sandbox's: it imports the
standard library, and of ours what the image holds.

Messages are frames. The host sends a set-up, ``{"limits": [...], "uid": 65534, "read_only":
false}``, then functions, each a line for the supervisor, ``NUMBER BYTES`` (bytes that the child
may answer), and below it the child's request. It gets a frame of facts, ``{"python": ...,
"missing": [...]}`` (what could not be set up), then for each function one frame, in order: a
line of the supervisor's, ``NUMBER CASE ENDED`` (case that the child was at, how it ended), and
below it the child's lines.
"""

import json
import mmap
import os
import resource
import select
import signal
import sys
import time
import warnings

from c2c_tasks.sandbox import child
from c2c_tasks.sandbox.confinement import Confinement, Limits, confine_supervisor
from c2c_tasks.sandbox.frames import read_frame, write_frame
from c2c_tasks.sandbox.heap import freeze
from c2c_tasks.sandbox.machine_code import move_to_huge_pages
from c2c_tasks.sandbox.outbox import MAX_ANSWER_BYTES, Outbox

PRELOADED = (
    *("base64", "bisect", "binascii", "collections", "copy", "datetime", "functools", "heapq"),
    *("itertools", "math", "operator", "re", "string", "struct", "typing"),
)
"""Modules that functions use most: imported once here, not in every child."""

HOST_IN = 4
HOST_OUT = 5
LOOK_SECONDS = 0.1
"""How often the supervisor looks after a child that says nothing."""


def main() -> None:
    """Serve the host until it closes the stream."""
    _take_streams()
    for name in PRELOADED:
        __import__(name)
    warnings.simplefilter("ignore")
    _forget_own_path()
    setup = json.loads(read_frame(HOST_IN) or b"null")
    if setup is None:
        return
    move_to_huge_pages()
    limits = Limits(*setup["limits"])
    uid = _usable_uid(setup["uid"])
    confinement, missing = confine_supervisor(limits, uid, setup["read_only"])
    facts = {
        "python": sys.version.split()[0],
        "process_1": os.getpid() == 1,
        "uid": uid,
        "missing": missing,
    }
    write_frame(HOST_OUT, json.dumps(facts).encode())
    outbox = Outbox(HOST_OUT)
    supervisor = Supervisor(limits, confinement, outbox)
    supervisor.warm_up()
    requests = select.poll()
    requests.register(HOST_IN, select.POLLIN)
    while True:
        if outbox.is_due() or not requests.poll(0):
            outbox.send()
        payload = read_frame(HOST_IN)
        if payload is None:
            return
        supervisor.run(payload)


class Supervisor:
    """Runs one child at a time."""

    def __init__(self, limits: Limits, confinement: Confinement, outbox: Outbox) -> None:
        self._limits = limits
        self._confinement = confinement
        self._progress = mmap.mmap(-1, 4)
        self._outbox = outbox
        self._own_limits = _resource_limits()
        self._poll = select.poll()
        child.Clock.install()

    def warm_up(self) -> None:
        """Run a program of ours, and freeze the heap.

        What the interpreter does once, or only after some repeats, it has done then: it would
        do it in every child again, and each time in a copied page.
        """
        case = b"{'x': [1, 'a']}"
        request = b"f\n%d 0\n%b%b" % (len(_WARM_UP), _WARM_UP, b"\n".join([case] * 20))
        null = os.open(os.devnull, os.O_WRONLY)
        for _ in range(3):
            child.serve(request, self._limits, null, self._progress)
        os.close(null)
        freeze()

    def run(self, payload: bytes) -> None:
        """Run a function's cases in a child, and put the answer into the outbox."""
        head, request = payload.split(b"\n", 1)
        number, max_bytes = head.split()
        progress = self._progress
        progress[:] = bytes(4)
        receiving, sending = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                child.run(request, self._limits, self._confinement, sending, progress)
                os._exit(0)
            finally:
                os._exit(70)  # whatever was raised, a child never returns into this loop
        os.close(sending)
        size, ended = self._watch(pid, receiving, min(int(max_bytes), MAX_ANSWER_BYTES))
        os.close(receiving)
        _sweep()
        if self._confinement.uid is None and _resource_limits() != self._own_limits:
            # A child of the same user did that, and the next ones would inherit it. The
            # host finds this process gone while that function was under way.
            sys.exit("a function changed the supervisor's resource limits")
        at = int.from_bytes(progress[:], "big")
        self._outbox.add(b"%b %d %b\n" % (number, at, ended), size)

    def _watch(self, pid: int, receiving: int, max_bytes: int) -> tuple[int, bytes]:
        """Read a child's lines until it ends or has to; return their bytes and how it ended."""
        stuck = _Stuck(pid, self._limits.case_seconds)
        deadline = time.monotonic() + self._limits.function_seconds
        self._poll.register(receiving, select.POLLIN)
        size = 0
        ended = b""
        while not ended:
            left = deadline - time.monotonic()
            if left <= 0:
                ended = b"timed_out"
            elif not self._poll.poll(min(left, LOOK_SECONDS) * 1000):
                ended = b"timed_out" if stuck.look(self._progress[:]) else b""
            elif not (got := self._outbox.read(receiving, size)):
                break  # the child is gone, or has closed its only way to be heard
            elif size + got > max_bytes:
                ended = b"flooded"
            else:
                size += got
        self._poll.unregister(receiving)
        # A child that is exiting keeps its own status.
        os.kill(pid, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return size, ended or (b"exit %d" % code if code >= 0 else b"signal %d" % -code)


class _Stuck:
    """Finds a child that uses CPU time on one case and does not hear its own clock."""

    def __init__(self, pid: int, case_seconds: float) -> None:
        self._clock = (~pid << 3) | 2  # clock_getcpuclockid(3)
        self._seconds = 1.5 * case_seconds + 0.25
        self._at: bytes | None = None
        self._since = 0.0

    def look(self, at: bytes) -> bool:
        """Return True when the child is still at the same case after too much CPU time."""
        try:
            now = time.clock_gettime(self._clock)
        except OSError:
            return False  # it is ending
        if at != self._at:
            self._at, self._since = at, now
        return now - self._since > self._seconds


_WARM_UP = b"""
from typing import List
LIMIT = 7
def f(x: List[int], y=0):
    if y:
        raise ValueError(f"{y!r} is too much")
    return {"a": [1.5, None, True, len(x)], "b": (1, "x"), "c": {1, 2}, "d": LIMIT}
"""


def _take_streams() -> None:
    """Put the host's streams where children close them; standard input and output lead nowhere."""
    for standard, own in ((0, HOST_IN), (1, HOST_OUT)):
        os.dup2(standard, own)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(null, standard)
    os.close(null)


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
            # Without pathlib, which is not loaded where functions run.
            with open(f"/proc/self/task/{os.getpid()}/children") as children:  # noqa: PTH123
                for orphan in children.read().split():
                    os.kill(int(orphan), signal.SIGKILL)
            time.sleep(0.001)


def _resource_limits() -> list[tuple[int, int]]:
    kinds = {getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}
    return [resource.getrlimit(kind) for kind in sorted(kinds)]


def _forget_own_path() -> None:
    """Take the folder that holds this package off the path: functions see the standard library."""
    root = os.path.realpath(__file__).rsplit(os.sep, 3)[0]
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != root]


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
            os.close(os.open(os.__file__, os.O_RDONLY))
            os._exit(0)
        finally:
            os._exit(1)
    return uid if os.waitpid(pid, 0)[1] == 0 else None


if __name__ == "__main__":
    main()
