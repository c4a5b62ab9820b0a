"""What the engine is told, read back from it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from c2c_tasks.config import SandboxOptions
from c2c_tasks.sandbox.docker import LABEL, DockerLauncher, remove_containers
from c2c_tasks.sandbox.launchers import FIRST

pytestmark = pytest.mark.docker


def label_filter(labels: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in labels.items()]


def test_a_container_is_hardened_labelled_and_removed(docker_client: Any) -> None:
    labels = {"case2code.test": uuid.uuid4().hex}
    launcher = DockerLauncher(docker_client, SandboxOptions(memory_megabytes=128), labels)
    connection = launcher.launch(FIRST)
    (found,) = docker_client.containers(
        filters={"label": [f"case2code.test={labels['case2code.test']}"]}
    )
    container = docker_client.inspect_container(found["Id"])
    assert container["Config"]["Labels"].items() >= {LABEL: "1", **labels}.items()
    host = container["HostConfig"]
    assert host["NetworkMode"] == host["IpcMode"] == "none"
    assert host["ReadonlyRootfs"] and not host["Privileged"] and not host["Binds"]
    assert host["CapDrop"] == ["ALL"]
    assert {cap.removeprefix("CAP_") for cap in host["CapAdd"]} == {"SETUID", "SETGID", "KILL"}
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["PidsLimit"] == 64 and host["NanoCpus"] == 10**9
    assert host["Memory"] == host["MemorySwap"] == (128 + 96) << 20
    assert host["LogConfig"]["Type"] == "none"
    assert "noexec" in host["Tmpfs"]["/tmp"]
    assert container["Mounts"] == []
    assert remove_containers(docker_client, labels) == 1
    assert docker_client.containers(
        all=True, filters={"label": [LABEL]}
    ) == [] or not remove_containers(docker_client, labels)
    connection.close()


def test_a_container_ends_when_its_client_goes_away(docker_client: Any) -> None:
    labels = {"case2code.test": uuid.uuid4().hex}
    launcher = DockerLauncher(docker_client, SandboxOptions(), labels)
    connection = launcher.launch(FIRST)
    (found,) = docker_client.containers(
        filters={"label": f"case2code.test={labels['case2code.test']}"}
    )
    connection._stream.close()
    connection._socket.close()
    docker_client.wait(found["Id"], timeout=20, condition="removed")
    assert remove_containers(docker_client, labels) == 0
