"""A whole Airflow with log-in on the loopback interface: API server, scheduler, DAG processor."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from c2c_airflow.embedded import EmbeddedAirflow

USERS = {"ada": "admin", "vera": "viewer"}
"""Names with their roles; the password of each is its name and `-password`."""
SERVICES = ("api-server", "scheduler", "dag-processor")
START_SECONDS = 120
STOP_SECONDS = 5


class Deployment:
    """Airflow below a folder, with SQLite and LocalExecutor. Users have to log in.

    Entering starts it without waiting; `wait` waits until it has read the DAGs.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.port, log_port = _free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self.airflow = EmbeddedAirflow(folder / "airflow")
        passwords = folder / "passwords.json"
        passwords.write_text(json.dumps({name: password_of(name) for name in USERS}))
        self.airflow.environment |= {
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(
                f"{name}:{role}" for name, role in USERS.items()
            ),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": "tests-and-screenshots-of-one-machine-alone",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(log_port),
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": "0",
            **environment,
        }
        self._exits = ExitStack()

    def __enter__(self) -> Deployment:
        with self._exits as exits:
            self.airflow.prepare()
            services: list[subprocess.Popen[bytes]] = []
            exits.callback(_stop, services)
            for service in SERVICES:
                services.append(self._start(service))
            self._exits = exits.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def _start(self, service: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{service}.log").open("wb") as log:
            return subprocess.Popen(
                self.airflow.command(service),
                env=self.airflow.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until Airflow answers and knows the DAGs. Raises TimeoutError."""
        deadline = time.monotonic() + START_SECONDS
        while not (self._answers() and self._knows_the_dag()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"Airflow did not come up; its logs are in {self.folder}")
            time.sleep(0.5)

    def token(self, name: str = "ada") -> str:
        """Return a token of the REST API for a user."""
        body = json.dumps({"username": name, "password": password_of(name)}).encode()
        request = urllib.request.Request(
            f"{self.url}/auth/token", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(json.load(answer)["access_token"])

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/v2/monitor/health", timeout=2) as answer:
                return bool(json.load(answer)["scheduler"]["status"] == "healthy")
        except (urllib.error.URLError, OSError):
            return False

    def _knows_the_dag(self) -> bool:
        request = urllib.request.Request(
            f"{self.url}/api/v2/dags/case2code_build",
            headers={"Authorization": f"Bearer {self.token()}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10):
                return True
        except urllib.error.HTTPError:
            return False


def password_of(name: str) -> str:
    """Return the password of a user."""
    return f"{name}-password"


def _stop(services: Sequence[subprocess.Popen[bytes]]) -> None:
    """End services and all that they started: what they hold is thrown away."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for service in services:
            with suppress(ProcessLookupError):
                os.killpg(service.pid, number)
        deadline = time.monotonic() + STOP_SECONDS
        for service in services:
            with suppress(subprocess.TimeoutExpired):
                service.wait(max(0, deadline - time.monotonic()))


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [number.getsockname()[1] for number in sockets]
