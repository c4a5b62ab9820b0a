"""Processes of a deployment that can be stopped, killed and started again, each by its pid."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

START_SECONDS = 90
STOP_SECONDS = 15


class Service:
    """A command that runs until it is stopped; its output goes to a file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        ready: Callable[[], bool],
    ) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self.environment = dict(environment)
        self.ready = ready
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        self._orphans: list[psutil.Process] = []

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether its first process, which was started, has ended by itself or by a signal."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Start the command, unless it runs; `wait` tells when it is of use."""
        with self._starting, self.log.open("ab") as log:
            if self._process is not None and self._process.poll() is None:
                return
            self._process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until it is ready. Raises RuntimeError, with the end of its log, where it is not."""
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > deadline:
                end = self.log.read_text(errors="replace")[-3000:]
                raise RuntimeError(f"{self.name} did not become ready:\n{end}")
            time.sleep(0.1)

    def kill(self) -> None:
        """End it and all that it started by SIGKILL, as a host does that loses power."""
        for process in [*self.family(), *self._orphans]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._orphans = []
        self._reap()

    def kill_alone(self) -> None:
        """Send SIGKILL to its first process only, as the kernel does that is out of memory."""
        self._orphans += self.family()[1:]
        if self._process is not None:
            self._process.kill()
        self._reap()

    def stop(self) -> None:
        """Ask it to end, and kill it where it does not."""
        family = self.family()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._reap()

    def family(self) -> list[psutil.Process]:
        """Return its processes, the first one first."""
        if self._process is None:
            return []
        with suppress(psutil.NoSuchProcess):
            first = psutil.Process(self._process.pid)
            return [first, *first.children(recursive=True)]
        return []

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait()


class Postgres(Service):
    """PostgreSQL on a socket of its own; `folder` must be one that other users can enter.

    It writes to disk what it commits: a restart finds it.
    """

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder = folder
        # PostgreSQL refuses to run as root.
        self._user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._user:
            shutil.chown(folder, "postgres")
        programs = self.programs()
        assert programs is not None
        self._programs = programs
        self._run("initdb", "--username=tests", "--auth=trust", "--no-sync", "--encoding=UTF8")
        command = [
            *(str(programs / "postgres"), "-D", str(folder / "data")),
            *("-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"),
            *("-c", "max_connections=200"),
        ]
        super().__init__(
            "postgres", [*self._user, *command], log, os.environ, lambda: self._answers()
        )

    @staticmethod
    def programs() -> Path | None:
        """Return the folder of its programs; None where it is not installed."""
        return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)

    def url(self, database: str, driver: str = "psycopg") -> str:
        return f"postgresql+{driver}://tests@/{database}?host={self.folder}"

    def make_databases(self, *names: str) -> None:
        program = str(self._programs / "createdb")
        for name in names:
            command = [program, "-h", str(self.folder), "-U", "tests", name]
            subprocess.run(command, check=True)

    def stop_at_once(self) -> None:
        """Stop it as `pg_ctl stop -m immediate` does: connections break, and a start recovers."""
        self._run("pg_ctl", "stop", "--mode=immediate")
        self._reap()

    def _answers(self) -> bool:
        command = [str(self._programs / "pg_isready"), "--quiet", "-h", str(self.folder)]
        return subprocess.run(command, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._user, str(self._programs / program), "-D", str(self.folder / "data")]
        subprocess.run(
            [*command, *arguments], cwd=self.folder, check=True, stdout=subprocess.DEVNULL
        )


class Redis(Service):
    """Redis on a port of its own; what it holds is written to a file at each change, or is lost."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.folder = folder
        command = [
            *("redis-server", "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--dir", str(folder), "--save", "", "--appendonly", "yes"),
        ]
        super().__init__("redis", command, log, os.environ, lambda: answers(self.port))

    def lose_everything(self) -> None:
        """Remove what it wrote; it must not run."""
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answers(port: int) -> bool:
    """Tell whether somebody listens on a port."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
