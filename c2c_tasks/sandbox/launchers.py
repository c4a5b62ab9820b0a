"""What starts a runner, and the choice between the ways to do it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from docker.api import APIClient

    from c2c_tasks.config import SandboxOptions

log = logging.getLogger(__name__)


class SandboxError(Exception):
    """The sandbox cannot be had; the message says what is missing and what to do."""


class RunnerError(Exception):
    """A runner does not start, or every one dies: trying again later may help."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an interpreter is started in. No sound function's outcome depends on it."""

    name: str
    working_directory: str
    """Inside a container; a runner without one gets an empty folder of its own."""
    environment: Mapping[str, str] = field(default_factory=dict)


FIRST = Surroundings(
    "first",
    "/tmp",
    {"PYTHONHASHSEED": "1", "TZ": "UTC0", "LC_ALL": "C.UTF-8", "HOME": "/", "USER": "first"},
)
SECOND = Surroundings(
    "second",
    "/",
    # The time zone is spelled out: an image without a time zone database knows it too.
    {"PYTHONHASHSEED": "20241124", "TZ": "SECOND-05:45", "LC_ALL": "C", "PAGER": "second"},
)


class Connection(Protocol):
    """A runner that was started: bytes in, bytes out, and its end."""

    def send(self, data: bytes, timeout: float) -> None:
        """Send all the data. Raises OSError where the runner is gone or does not read."""
        ...

    def receive(self, timeout: float) -> bytes:
        """Return what the runner wrote next; empty once it has ended.

        Raises TimeoutError after so many seconds of silence, OSError where it is gone.
        """
        ...

    def errors(self) -> str:
        """Return the end of what the runner said on its standard error."""
        ...

    def close(self) -> None:
        """Kill the runner with all its processes, at once. May be called from any thread."""
        ...


class Launcher(Protocol):
    """Starts runners."""

    setup: dict[str, Any]
    """What a runner is told of its place: ``uid`` of its children, ``read_only``."""
    facts: dict[str, Any]
    """For the manifest: kind, image, runtime, limits, and what could not be set up."""

    def launch(self, surroundings: Surroundings) -> Connection:
        """Start a runner. Raises RunnerError."""
        ...


def choose_launcher(
    options: SandboxOptions,
    client: APIClient | None = None,
    labels: Mapping[str, str] | None = None,
) -> Launcher:
    """Return the launcher that the options ask for.

    `client` is a client of a Docker engine; without one, the engine of the environment
    (``DOCKER_HOST``) is asked. `labels` mark the containers. Raises SandboxError where
    Docker is required and no engine answers, or the engine does not have the image.
    """
    from c2c_tasks.sandbox.process import ProcessLauncher

    if options.launcher == "process":
        return ProcessLauncher(options)
    from c2c_tasks.sandbox.docker import DockerLauncher, connect

    try:
        return DockerLauncher(client or connect(), options, labels or {})
    except SandboxError as error:
        if options.launcher == "docker":
            raise
        log.warning("no container: %s", error)
        return ProcessLauncher(options)
