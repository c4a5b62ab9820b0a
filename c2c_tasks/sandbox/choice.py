"""The choice between the ways to start a runner."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from c2c_tasks.config import SandboxOptions
from c2c_tasks.sandbox.launchers import Launcher, SandboxError
from c2c_tasks.sandbox.process import ProcessLauncher

if TYPE_CHECKING:
    from docker.api import APIClient

log = logging.getLogger(__name__)


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
    if options.launcher == "process":
        return ProcessLauncher(options)
    from c2c_tasks.sandbox.docker import DockerLauncher, connect

    try:
        launcher = DockerLauncher(client or connect(), options, labels or {})
    except SandboxError as error:
        if options.launcher == "docker":
            raise
        log.info("%s", error)
        return ProcessLauncher(options)
    log.info("functions run in containers of %s", options.image)
    return launcher
