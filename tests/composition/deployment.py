"""The composition, started from stand-ins of its public images: its commands and its REST API."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[2]
STAND_IN = "case2code-stand-in"
BASE_IMAGE = "case2code-base:trixie"
"""What docker/sandbox/make-base-image makes: the stand-in for python:3.13-slim."""
INHERITED = {name: value for name, value in os.environ.items() if not name.startswith("C2C_")}
"""Of the environment: what is set there, by the tests too, would win over the file `.env`."""
ENGINE_SOCKET = "unix:///run/user/1000/docker.sock"


class Deployment:
    """A composition of its own name, with its own secrets, volumes and port.

    Its image is left for the next one, as making it takes minutes.
    """

    def __init__(self, folder: Path, dumps: Path) -> None:
        self.name = f"c2c-test-{uuid.uuid4().hex[:8]}"
        self.folder = folder
        archive = folder / "base-image.tar"
        run("docker", "save", "--output", str(archive), BASE_IMAGE)
        archive.chmod(0o644)
        run(sys.executable, str(ROOT / "docker/make-env"), str(folder))
        self._env = folder / ".env"
        self._change(
            C2C_AIRFLOW_BASE_IMAGE=f"{STAND_IN}:python",
            C2C_DEPLOYMENT=self.name,
            C2C_DUMPS=dumps,
            C2C_ENGINE_IMAGE=f"{STAND_IN}:engine",
            C2C_ENGINE_IS_CUT_OFF="true",
            C2C_POSTGRES_IMAGE=f"{STAND_IN}:postgres",
            C2C_REDIS_IMAGE=f"{STAND_IN}:redis",
            C2C_S3_IMAGE=f"{STAND_IN}:s3",
            C2C_SANDBOX_BASE_ARCHIVE=archive,
            C2C_SANDBOX_BASE_IMAGE=BASE_IMAGE,
            C2C_UI_PORT=0,  # any that is free
            C2C_VERSION="composition",
        )
        self.settings = dict(re.findall(r"^(\w+)=(.*)$", self._env.read_text(), re.MULTILINE))
        self._token = ""
        self._url = ""

    def start(self) -> None:
        """Build the image and start all services. Raises AssertionError with what Compose said."""
        self.compose("build", "airflow-init")
        self.compose("up", "--detach")
        port = self.compose("port", "api-server", "8080").rpartition(":")[2].strip()
        self._url = f"http://127.0.0.1:{port}"

    def _change(self, **settings: Any) -> None:
        lines = [
            line
            for line in self._env.read_text().splitlines()
            if line.partition("=")[0] not in settings
        ]
        lines += [f"{name}={value}" for name, value in settings.items()]
        self._env.write_text("\n".join(lines) + "\n")

    def compose(self, *arguments: str) -> str:
        """Run docker-compose, and return what it prints."""
        compose = ("docker-compose", "--project-name", self.name, "--env-file", str(self._env))
        # The engine of Debian has no BuildKit.
        return run(*compose, *arguments, DOCKER_BUILDKIT="0", COMPOSE_DOCKER_CLI_BUILD="0")

    def container(self, service: str) -> str:
        """Return the ID of a service's container."""
        return self.compose("ps", "--quiet", service).strip()

    def execute(self, service: str, *command: str) -> str:
        """Run a command in a service's container, and return what it prints."""
        return run("docker", "exec", self.container(service), *command)

    def engine(self, *arguments: str) -> str:
        """Run a command of Docker's client on the sandbox's engine."""
        return self.execute("engine", "docker", f"--host={ENGINE_SOCKET}", *arguments)

    def states(self) -> dict[str, str]:
        """Return each service's state: its health where it is checked, or how it ended."""
        template = (
            '{{index .Config.Labels "com.docker.compose.service"}} {{if .State.Health}}'
            "{{.State.Health.Status}}{{else}}{{.State.Status}} {{.State.ExitCode}}{{end}}"
        )
        containers = self.compose("ps", "--all", "--quiet").split()
        lines = run("docker", "inspect", "--format", template, *containers).splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def wait_until_healthy(self, seconds: float) -> dict[str, str]:
        """Return the states once all are healthy or have ended well, or the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            states = self.states()
            if set(states.values()) <= {"healthy", "exited 0"} or time.monotonic() > deadline:
                return states
            time.sleep(3)

    def log_in(self, password: str | None = None) -> None:
        """Get a token as the administrator. Raises HTTPError where the password is wrong."""
        answer = self.call(
            "POST",
            "/auth/token",
            username=self.settings["C2C_ADMIN_USER"],
            password=password or self.settings["C2C_ADMIN_PASSWORD"],
        )
        self._token = answer["access_token"]

    def call(self, method: str, path: str, **body: Any) -> Any:
        """Call the REST API. Raises HTTPError."""
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = json.dumps(body).encode() if body else None
        request = Request(self._url + path, data, headers, method=method)
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def trigger(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> None:
        """Trigger a run; the DAG must be known already."""
        dag = f"/api/v2/dags/{dag_id}"
        self.call("POST", f"{dag}/dagRuns", dag_run_id=run_id, logical_date=None, conf=dict(conf))
        self.call("PATCH", dag, is_paused=False)

    def wait_for_run(self, dag_id: str, run_id: str, seconds: float) -> list[dict[str, Any]]:
        """Return the task instances of a run once it has ended, or the time is over."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
        deadline = time.monotonic() + seconds
        while self.call("GET", path)["state"] not in ("success", "failed"):
            if time.monotonic() > deadline:
                break
            time.sleep(3)
        instances: list[dict[str, Any]] = self.call("GET", f"{path}/taskInstances?limit=1000")[
            "task_instances"
        ]
        return instances


@contextmanager
def deployed(folder: Path, dumps: Path) -> Iterator[Deployment]:
    """Start a composition; at the end keep its log in `folder`, and remove all of it."""
    deployment = Deployment(folder, dumps)
    try:
        deployment.start()
        yield deployment
    finally:
        (folder / "composition.log").write_text(deployment.compose("logs", "--no-color"))
        deployment.compose("down", "--volumes", "--timeout", "10")


def run(*command: str, **environment: str) -> str:
    """Run a command in the checkout; return its output. Raises AssertionError with what it said."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=INHERITED | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-3000:]}"
    return done.stdout


def refused(deployment: Deployment, password: str) -> int:
    """Return the status with which a log-in is refused."""
    try:
        deployment.log_in(password)
    except HTTPError as error:
        return error.code
    raise AssertionError("the log-in was taken")
