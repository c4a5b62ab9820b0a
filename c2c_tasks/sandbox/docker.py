"""Runners in hardened containers, with the engine's API alone: no mounts, no volumes.

The runner's stream is the container's standard input and output, so the engine may be on
another machine, and this process in a container itself.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from docker.api import APIClient
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import LogConfig, Ulimit
from docker.utils import kwargs_from_env

from c2c_tasks.config import SandboxOptions, deployment
from c2c_tasks.sandbox.launchers import RunnerError, SandboxError, Surroundings

LABEL = "case2code.sandbox"
"""Label of every container that is started here."""
DEPLOYMENT = "case2code.deployment"
"""Label that names the deployment (`c2c_tasks.config.deployment`)."""
DEADLINE = "case2code.deadline"
"""Label that says when nobody can need the container any more, in seconds of the epoch."""
DEADLINE_SECONDS = 24 * 3600
"""From a container's start to its deadline, where the caller's labels name none."""
UID = 65_534
"""User of the functions in the container; the supervisor is the container's root."""
SUPERVISOR_MEGABYTES = 80
"""Memory of a container beyond a function's and that of its files."""
CLIENT_SECONDS = 30
REMOVALS = 8
"""Containers removed at a time. The engine takes some 0.1 s for each, and a task that is killed
has five seconds."""

_STDOUT = 1
_LIMITS = ("MemoryLimit", "PidsLimit", "CpuCfsQuota")

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
    containers = [found["Id"] for found in list_containers(client, labels)]
    with ThreadPoolExecutor(REMOVALS, "sandbox-removal") as pool:
        return sum(pool.map(lambda container: remove_container(client, container), containers))


def list_containers(client: APIClient, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what the engine says of each sandbox container, of any state, with all the labels."""
    wanted = [LABEL, *(f"{name}={value}" for name, value in labels.items())]
    containers: list[dict[str, Any]] = client.containers(all=True, filters={"label": wanted})
    return containers


class DockerLauncher:
    """Starts runners in containers of one engine."""

    def __init__(
        self, client: APIClient, options: SandboxOptions, labels: Mapping[str, str]
    ) -> None:
        try:
            image = client.inspect_image(options.image)
            missing = _unenforced(client)
        except ImageNotFound:
            pinned = "@" in options.image
            remedy = (
                f"`docker pull {options.image}` fetches"
                if pinned
                else "`make sandbox-image` builds"
            )
            raise SandboxError(
                f"the Docker engine at {client.base_url} has no image {options.image}: {remedy} it"
            ) from None
        except (DockerException, OSError) as error:
            raise SandboxError(f"the Docker engine does not answer: {error}") from None
        self._client = client
        self._image = image["Id"]
        self._labels = {LABEL: "1", DEPLOYMENT: deployment(), **labels}
        self._host_config = _host_config(client, options)
        self.setup: dict[str, Any] = {"uid": UID, "read_only": False}
        self.facts: dict[str, Any] = {
            "launcher": "docker",
            "image": options.image,
            "image_id": image["Id"],
            "image_digests": image.get("RepoDigests") or [],
            "runtime": options.runtime or "default",
            "memory_megabytes": options.memory_megabytes,
            "cpus": options.cpus,
            "pids": options.pids,
            "tmp_megabytes": options.tmp_megabytes,
            "missing": missing,
        }

    def launch(self, surroundings: Surroundings) -> DockerConnection:
        """Start a runner. Raises RunnerError."""
        deadline = {DEADLINE: str(int(time.time()) + DEADLINE_SECONDS)}
        try:
            container = self._client.create_container(
                self._image,
                stdin_open=True,
                user="0:0",
                working_dir=surroundings.working_directory,
                environment=dict(surroundings.environment),
                labels=deadline | self._labels,
                host_config=self._host_config,
            )["Id"]
        except (DockerException, OSError) as error:
            raise RunnerError(f"no container of {self._image} can be made: {error}") from None
        try:
            return DockerConnection(self._client, container)
        except (DockerException, OSError) as error:
            remove_container(self._client, container)
            raise RunnerError(f"container {container[:12]} does not start: {error}") from None


class DockerConnection:
    """A runner that is process 1 of a container, by the engine's attach stream."""

    def __init__(self, client: APIClient, container: str) -> None:
        self._client = client
        self._container = container
        self._buffer = bytearray()
        self._errors = bytearray()
        self._in_use = threading.Lock()
        # Attached before the start: nothing that the runner says is lost.
        self._stream = client.attach_socket(
            container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        )
        self._socket: socket.socket = getattr(self._stream, "_sock", self._stream)
        client.start(container)

    def send(self, data: bytes, timeout: float) -> None:
        """Send all the data."""
        with self._in_use:
            self._socket.settimeout(timeout)
            self._socket.sendall(data)

    def receive(self, timeout: float) -> bytes:
        """Return what the runner wrote next; empty once it has ended."""
        deadline = time.monotonic() + timeout
        while True:
            output = self._output()
            if output:
                return output
            with self._in_use:
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
        # A thread that is reading wakes and lets go of the socket first: else it would go on
        # reading whatever is opened next under the same number, the call below for one.
        with self._in_use, contextlib.suppress(OSError):
            self._stream.close()
            self._socket.close()
        remove_container(self._client, self._container)


def _unenforced(client: APIClient) -> list[str]:
    """Return what the engine cannot do: limit memory, processes or CPU, as one in a container."""
    engine = client.info()
    if all(engine.get(limit) for limit in _LIMITS):
        return []
    log.warning("the engine does not limit memory, processes and CPU of its containers")
    return ["cgroup"]


def _host_config(client: APIClient, options: SandboxOptions) -> dict[str, Any]:
    # Files in a tmpfs are memory of the container: filling it leaves the others their share.
    memory = f"{options.memory_megabytes + SUPERVISOR_MEGABYTES + options.tmp_megabytes}m"
    tmpfs = f"rw,noexec,nosuid,nodev,size={options.tmp_megabytes}m,nr_inodes=1024,mode=0755"
    config: dict[str, Any] = client.create_host_config(
        auto_remove=True,
        network_mode="none",
        ipc_mode="none",  # else /dev/shm is writable in spite of the read-only root
        read_only=True,
        tmpfs={"/tmp": tmpfs},  # which none but the supervisor may write
        cap_drop=["ALL"],
        cap_add=["SETUID", "SETGID", "KILL"],  # the supervisor's, to become another and to sweep
        security_opt=["no-new-privileges"],
        pids_limit=options.pids,
        mem_limit=memory,
        memswap_limit=memory,
        nano_cpus=round(options.cpus * 1e9),
        ulimits=[Ulimit(name="nofile", soft=64, hard=64), Ulimit(name="core", soft=0, hard=0)],
        # A container's log is a file on the engine's host, and functions would fill it.
        log_config=LogConfig(type="none"),
        runtime=options.runtime or None,
    )
    return config


def remove_container(client: APIClient, container: str) -> bool:
    """Kill and remove a container; when this returns True, it is gone."""
    try:
        client.remove_container(container, force=True)
    except APIError as error:
        if error.status_code == 404:
            return True
        if error.status_code == 409:  # it ended by itself, and the engine is removing it
            return _wait_until_removed(client, container)
        return _not_removed(container, error)
    except (DockerException, OSError) as error:
        return _not_removed(container, error)
    return True


def _wait_until_removed(client: APIClient, container: str) -> bool:
    try:
        client.wait(container, timeout=CLIENT_SECONDS, condition="removed")
    except NotFound:
        return True
    except (DockerException, OSError) as error:
        return _not_removed(container, error)
    return True


def _not_removed(container: str, error: Exception) -> bool:
    log.warning("container %s was not removed: %s", container[:12], error)
    return False
