"""What the engine is told, read back from it."""

from __future__ import annotations

import io
import tarfile
import uuid
from typing import Any

import pytest

from c2c_tasks.config import SandboxOptions
from c2c_tasks.sandbox.docker import LABEL, DockerLauncher, remove_containers
from c2c_tasks.sandbox.launchers import FIRST, RunnerError, SandboxError
from tests.sandbox.registry import running_registry

pytestmark = pytest.mark.docker


def label_filter(labels: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in labels.items()]


def test_an_engine_that_cannot_limit_its_containers_is_told_of(
    docker_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert DockerLauncher(docker_client, SandboxOptions(), {}).facts["missing"] == []
    # What an engine in a container says, which takes such limits and does not keep them.
    known = {**docker_client.info(), "PidsLimit": False}
    monkeypatch.setattr(docker_client, "info", lambda: known)
    assert DockerLauncher(docker_client, SandboxOptions(), {}).facts["missing"] == ["cgroup"]


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


def test_the_limits_of_a_container_are_options_and_facts(docker_client: Any) -> None:
    labels = {"case2code.test": uuid.uuid4().hex}
    limits = {"memory_megabytes": 128, "cpus": 0.5, "pids": 40, "tmp_megabytes": 32}
    launcher = DockerLauncher(docker_client, SandboxOptions(**limits), labels)
    assert launcher.facts.items() >= limits.items()
    connection = launcher.launch(FIRST)
    (found,) = docker_client.containers(filters={"label": label_filter(labels)})
    host = docker_client.inspect_container(found["Id"])["HostConfig"]
    connection.close()
    assert (host["NanoCpus"], host["PidsLimit"]) == (5 * 10**8, 40)
    assert "size=32m" in host["Tmpfs"]["/tmp"]
    assert host["Memory"] == host["MemorySwap"] == (128 + 80 + 32) << 20


def test_more_cores_than_the_engine_has_are_refused_in_its_words(docker_client: Any) -> None:
    launcher = DockerLauncher(docker_client, SandboxOptions(cpus=256), {})
    with pytest.raises(RunnerError, match="CPUs available"):
        launcher.launch(FIRST)


def test_an_image_may_be_named_by_its_id(docker_client: Any) -> None:
    identity = docker_client.inspect_image(SandboxOptions().image)["Id"]
    launcher = DockerLauncher(docker_client, SandboxOptions(image=identity), {})
    assert launcher.facts["image_id"] == identity


def small_image(content: bytes) -> bytes:
    """Return a root file system of one file, as a tar archive."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("content")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def test_an_image_pinned_by_digest_stays_the_same_when_its_tag_moves(docker_client: Any) -> None:
    if not docker_client.base_url.startswith("http+docker://localhost"):
        pytest.skip("docker: the engine is on another machine, and the registry on this one")
    with running_registry() as address:
        name = f"{address}/case2code-sandbox"
        docker_client.import_image_from_data(
            small_image(uuid.uuid4().bytes), repository=name, tag="1"
        )
        image = docker_client.inspect_image(f"{name}:1")["Id"]
        try:
            docker_client.push(name, "1")
            (pinned,) = docker_client.inspect_image(image)["RepoDigests"]
            docker_client.tag(SandboxOptions().image, name, "1")
            launcher = DockerLauncher(docker_client, SandboxOptions(image=pinned), {})
            moved = DockerLauncher(docker_client, SandboxOptions(image=f"{name}:1"), {})
        finally:
            docker_client.remove_image(f"{name}:1")
            docker_client.remove_image(image, force=True)
    assert pinned.startswith(f"{name}@sha256:")
    assert launcher.facts["image"] == pinned
    assert launcher.facts["image_id"] == image != moved.facts["image_id"]
    assert launcher.facts["image_digests"] == [pinned]


def test_a_pinned_image_that_is_not_there_can_be_pulled(docker_client: Any) -> None:
    image = f"registry.example/case2code-sandbox@sha256:{'0' * 64}"
    with pytest.raises(SandboxError, match=f"`docker pull {image}` fetches it"):
        DockerLauncher(docker_client, SandboxOptions(image=image), {})


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
