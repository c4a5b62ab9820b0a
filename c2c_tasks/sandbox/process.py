"""Runners without a container: child processes with what protection the machine allows.

For trusted dumps and laptops: the same runner as in the image, in namespaces of its own
where the kernel grants them, with nothing but the standard library on its path. What could
not be set up is in `facts`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import Any

from c2c_tasks.config import SandboxOptions
from c2c_tasks.sandbox.launchers import RunnerError, Surroundings

RUNNER = "c2c_tasks.sandbox.runner"
UID = 65_534
"""User of the children where the runner is root: ``nobody``."""

NAMESPACES = {
    "pid": ("--pid", "--fork", "--kill-child"),
    "mount": ("--mount", "--mount-proc"),
    "network": ("--net",),
    "ipc": ("--ipc", "--uts"),
}

log = logging.getLogger(__name__)


class ProcessLauncher:
    """Starts runners as child processes of this one."""

    def __init__(self, options: SandboxOptions) -> None:
        self._unshare, granted = _namespaces()
        self.setup: dict[str, Any] = {"uid": UID, "read_only": "mount" in granted}
        self.facts: dict[str, Any] = {
            "launcher": "process",
            "namespaces": list(granted),
            "missing": [name for name in NAMESPACES if name not in granted] + ["cgroup"],
            "memory_megabytes": options.memory_megabytes,
        }
        log.warning(
            "no container: functions run as child processes of this machine, in %s; use this "
            "for code that you trust, and a Docker engine for all other",
            f"namespaces of their own ({', '.join(granted)})" if granted else "no namespaces",
        )

    def launch(self, surroundings: Surroundings) -> ProcessConnection:
        """Start a runner. Raises RunnerError."""
        try:
            return ProcessConnection(self._unshare, surroundings)
        except OSError as error:
            raise RunnerError(f"no runner can be started: {error}") from None


class ProcessConnection:
    """A runner that is a child process; its standard input and output are one socket."""

    def __init__(self, unshare: tuple[str, ...], surroundings: Surroundings) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix=f"case2code-{surroundings.name}-")
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._said = ""
        self._closing = threading.Lock()
        self._in_use = threading.Lock()
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [*unshare, _interpreter(), "-s", "-P", "-S", "-m", RUNNER],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._errors,
                cwd=self._folder.name,
                env={
                    **surroundings.environment,
                    "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "LD_BIND_NOW": "1",  # symbols are looked up once, not in every child
                },
                start_new_session=True,
            )

    def send(self, data: bytes, timeout: float) -> None:
        """Send all the data."""
        with self._in_use:
            self._socket.settimeout(timeout)
            self._socket.sendall(data)

    def receive(self, timeout: float) -> bytes:
        """Return what the runner wrote next; empty once it has ended."""
        with self._in_use:
            self._socket.settimeout(timeout)
            return self._socket.recv(1 << 18)

    def errors(self) -> str:
        """Return the end of what the runner said on its standard error."""
        with self._closing:
            return self._said if self._errors.closed else self._read_errors()

    def close(self) -> None:
        """Kill the runner with all its processes, at once."""
        with self._closing:
            if self._errors.closed:
                return
            # In a pid namespace this ends all; elsewhere children die with their parent.
            if self._process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            # Wakes a thread that is reading, which lets go of the socket: else it would go on
            # reading whatever is opened next under the same number.
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            with self._in_use:
                self._socket.close()
            self._said = self._read_errors()
            self._errors.close()
            self._folder.cleanup()

    def _read_errors(self) -> str:
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 2_000))
        return self._errors.read().decode(errors="replace").strip()


def _interpreter() -> str:
    """Return the interpreter below a virtual environment: it sees the standard library alone."""
    return getattr(sys, "_base_executable", None) or sys.executable


@cache
def _namespaces() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the command that enters new namespaces, and the names of those it grants."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return (), ()
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    names = tuple(NAMESPACES)
    while names:
        flags = (flag for name in names for flag in NAMESPACES[name])
        command = (unshare, *user, *flags)
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            probe = subprocess.run([*command, "true"], capture_output=True, timeout=20)
            if probe.returncode == 0:
                return command, names
        # The last ones are refused first: a container grants no network, a kernel no mount.
        names = names[:-1]
    return (), ()
