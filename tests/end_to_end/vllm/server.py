"""A real `vllm serve`, which can be killed and started again on the same port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx

START_SECONDS = 240


class VllmServer:
    """Serves a model from its folder, on the loopback interface."""

    def __init__(self, python: Path, model: Path, log: Path, *, eager: bool = True) -> None:
        self.python, self.model, self.log, self.eager = python, model, log, eager
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.start()

    def start(self) -> None:
        """Start, and wait until the model is served."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(self.python.with_name("vllm"), "serve", self.model),
                    *("--served-model-name", "tiny", *["--enforce-eager"] * self.eager),
                    *("--host", "127.0.0.1", "--port", str(self.port)),
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.is_up():
            assert self.process.poll() is None, f"vllm serve ended:\n{self.log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, (
                f"vllm serve is late:\n{self.log.read_text()[-3000:]}"
            )
            time.sleep(0.5)

    def is_up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/models", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """End the server and the engine's processes at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
