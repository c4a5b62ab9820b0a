"""A Docker engine of its own, beside the machine's: it can be killed and started again."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil

from tests.deployment.services import Service


class Engine(Service):
    """`dockerd` without a network, on a socket in `folder`, with the sandbox image."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder = folder
        self.url = f"unix://{folder / 'docker.sock'}"
        command = [
            # In a network namespace of its own: an engine without a bridge removes `docker0`,
            # which is the machine's engine's.
            *("unshare", "--net"),
            *("dockerd", "--host", self.url, "--pidfile", str(folder / "docker.pid")),
            *("--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")),
            *("--bridge", "none", "--iptables=false", "--ip6tables=false"),
        ]
        super().__init__("docker", command, log, os.environ, self._answers)

    def load(self, image: str) -> None:
        """Copy an image from the machine's engine."""
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
            self.docker("load", stdin=saved.stdout)

    def kill_engine(self) -> None:
        """Send SIGKILL to the engine and its containerd; containers are left to themselves."""
        for process in self.family():
            with suppress(psutil.NoSuchProcess):
                if process.name() in ("dockerd", "containerd"):
                    process.kill()
        self._reap()
        (self.folder / "docker.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop it, and undo the mount of its folder onto itself, which it leaves when killed."""
        super().stop()
        data = str(self.folder / "data")
        # Python takes a folder that is mounted onto itself for none.
        while subprocess.run(["mountpoint", "--quiet", data], check=False).returncode == 0:
            subprocess.run(["umount", data], check=True)

    def containers(self) -> list[str]:
        """Return the ids of its containers, running or not."""
        return self.docker("ps", "--all", "--quiet").split()

    def docker(self, *arguments: str, stdin: object = None) -> str:
        command = ["docker", "--host", self.url, *arguments]
        done = subprocess.run(command, stdin=stdin, capture_output=True, text=True, check=True)  # type: ignore[call-overload]
        return str(done.stdout)

    def _answers(self) -> bool:
        with suppress(subprocess.CalledProcessError):
            return bool(self.docker("version"))
        return False
