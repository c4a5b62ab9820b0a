"""Runners in hardened containers, with the engine's API alone: no mounts, no volumes.

The runner's stream is the container's standard input and output, so the engine may be on
another machine, and this process in a container itself.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import time
from collections.abc import Mapping
from typing import Any

from docker.api import APIClient
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import LogConfig, Ulimit
from docker.utils import kwargs_from_env

from c2c_tasks.config import SandboxOptions
from c2c_tasks.sandbox.launchers import RunnerError, SandboxError, Surroundings

LABEL = "case2code.sandbox"
"""Label of every container that is started here."""
UID = 65_534
"""User of the functions in the container; the supervisor is the container's root."""
OVERHEAD_MEGABYTES = 96
"""Memory of a container beyond a function's: the supervisor, and `TMP_MEGABYTES` of files."""
TMP_MEGABYTES = 16
PIDS = 64
CLIENT_SECONDS = 30

_STDOUT = 1

log = logging.getLogger(__name__)


def connect() -> APIClient:
    """Return a client of the engine that the environment names (``DOCKER_HOST``).

    Raises SandboxError where none answers.
    """
    place = kwargs_from_env()
    try:
        return APIClient(version="auto", timeout=CLIENT_SECONDS, **place)
    except DockerException:
        address = place.get("base_url", "its usual socket")
        raise SandboxError(f"no Docker engine answers at {address}") from None


def remove_containers(client: APIClient, labels: Mapping[str, str]) -> int:
    """Kill and remove every sandbox container that has all the labels; return their number."""
    wanted = [LABEL, *(f"{name}={value}" for name, value in labels.items())]
    containers = client.containers(all=True, quiet=True, filters={"label": wanted})
    for container in containers:
        _remove(client, container["Id"])
    return len(containers)


class DockerLauncher:
    """Starts runners in containers of one engine."""

    def __init__(
        self, client: APIClient, options: SandboxOptions, labels: Mapping[str, str]
    ) -> None:
        try:
            image = client.inspect_image(options.image)
        except ImageNotFound:
            raise SandboxError(
                f"the Docker engine at {client.base_url} has no image {options.image}: "
                "`make sandbox-image` builds it"
            ) from None
        except (DockerException, OSError) as error:
            raise SandboxError(f"the Docker engine does not answer: {error}") from None
        self._client = client
        self._image = image["Id"]
        self._labels = {LABEL: "1", **labels}
        self._host_config = _host_config(client, options)
        self.setup: dict[str, Any] = {"uid": UID, "read_only": False}
        self.facts: dict[str, Any] = {
            "launcher": "docker",
            "image": options.image,
            "image_id": image["Id"],
            "image_digests": image.get("RepoDigests") or [],
            "runtime": options.runtime or "default",
            "memory_megabytes": options.memory_megabytes,
            "missing": [],
        }

    def launch(self, surroundings: Surroundings) -> DockerConnection:
        """Start a runner. Raises RunnerError."""
        try:
            container = self._client.create_container(
                self._image,
                stdin_open=True,
                user="0:0",
                working_dir=surroundings.working_directory,
                environment=dict(surroundings.environment),
                labels=self._labels,
                host_config=self._host_config,
            )["Id"]
        except (DockerException, OSError) as error:
            raise RunnerError(f"no container of {self._image} can be made: {error}") from None
        try:
            return DockerConnection(self._client, container)
        except (DockerException, OSError) as error:
            _remove(self._client, container)
            raise RunnerError(f"container {container[:12]} does not start: {error}") from None


class DockerConnection:
    """A runner that is process 1 of a container, by the engine's attach stream."""

    def __init__(self, client: APIClient, container: str) -> None:
        self._client = client
        self._container = container
        self._buffer = bytearray()
        self._errors = bytearray()
        # Attached before the start: nothing that the runner says is lost.
        self._stream = client.attach_socket(
            container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        )
        self._socket: socket.socket = getattr(self._stream, "_sock", self._stream)
        client.start(container)

    def send(self, data: bytes, timeout: float) -> None:
        """Send all the data."""
        self._socket.settimeout(timeout)
        self._socket.sendall(data)

    def receive(self, timeout: float) -> bytes:
        """Return what the runner wrote next; empty once it has ended."""
        deadline = time.monotonic() + timeout
        while True:
            output = self._output()
            if output:
                return output
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            data = self._socket.recv(1 << 18)
            if not data:
                return b""
            self._buffer += data

    def _output(self) -> bytes:
        """Take what is whole out of the engine's stream; keep standard error apart."""
        output = bytearray()
        while len(self._buffer) >= 8:
            length = int.from_bytes(self._buffer[4:8], "big")
            if len(self._buffer) < 8 + length:
                break
            target = output if self._buffer[0] == _STDOUT else self._errors
            target += self._buffer[8 : 8 + length]
            del self._buffer[: 8 + length]
        del self._errors[:-2_000]
        return bytes(output)

    def errors(self) -> str:
        """Return the end of what the runner said on its standard error."""
        return self._errors.decode(errors="replace").strip()

    def close(self) -> None:
        """Kill the runner with all its processes, at once."""
        # The engine drops the output of a container that nobody is attached to. A full,
        # attached stream would hold up the kill.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._stream.close()
            self._socket.close()
        _remove(self._client, self._container)


def _host_config(client: APIClient, options: SandboxOptions) -> dict[str, Any]:
    memory = f"{options.memory_megabytes + OVERHEAD_MEGABYTES}m"
    tmpfs = f"rw,noexec,nosuid,nodev,size={TMP_MEGABYTES}m,nr_inodes=1024,mode=1777"
    config: dict[str, Any] = client.create_host_config(
        auto_remove=True,
        network_mode="none",
        ipc_mode="none",  # else /dev/shm is writable in spite of the read-only root
        read_only=True,
        tmpfs={"/tmp": tmpfs},
        cap_drop=["ALL"],
        cap_add=["SETUID", "SETGID", "KILL"],  # the supervisor's, to become another and to sweep
        security_opt=["no-new-privileges"],
        pids_limit=PIDS,
        mem_limit=memory,
        memswap_limit=memory,
        nano_cpus=1_000_000_000,
        ulimits=[Ulimit(name="nofile", soft=64, hard=64), Ulimit(name="core", soft=0, hard=0)],
        # A container's log is a file on the engine's host, and functions would fill it.
        log_config=LogConfig(type="none"),
        runtime=options.runtime or None,
    )
    return config


def _remove(client: APIClient, container: str) -> None:
    """Kill and remove a container; when this returns, it is gone."""
    try:
        client.remove_container(container, force=True)
    except APIError as error:
        if error.status_code == 409:  # it ended by itself, and the engine is removing it
            _wait_until_removed(client, container)
        elif error.status_code != 404:
            log.warning("container %s was not removed: %s", container[:12], error)
    except (DockerException, OSError) as error:
        log.warning("container %s was not removed: %s", container[:12], error)


def _wait_until_removed(client: APIClient, container: str) -> None:
    try:
        client.wait(container, timeout=CLIENT_SECONDS, condition="removed")
    except NotFound:
        return
    except (DockerException, OSError) as error:
        log.warning("container %s was not removed: %s", container[:12], error)
