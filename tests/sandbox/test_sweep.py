"""Which containers are removed because they were left behind, and which never are."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from c2c_tasks.config import SandboxOptions
from c2c_tasks.sandbox.docker import DEADLINE, LABEL, DockerLauncher, list_containers
from c2c_tasks.sandbox.launchers import FIRST
from c2c_tasks.sandbox.sweep import IDLE_SECONDS, sweep

pytestmark = pytest.mark.docker


@pytest.fixture
def labels(docker_client: Any) -> Iterator[dict[str, str]]:
    """Labels of this test's containers; what is left of them is removed."""
    labels = {"case2code.test": uuid.uuid4().hex}
    yield labels
    for found in list_containers(docker_client, labels):
        docker_client.remove_container(found["Id"], force=True)


def nobody(labels: Mapping[str, str]) -> bool:
    return False


def states(client: Any, labels: dict[str, str]) -> list[str]:
    return sorted(found["State"] for found in list_containers(client, labels))


def create(client: Any, labels: dict[str, str]) -> str:
    """Make a container and do not start it, as a process that is killed in between does."""
    container: str = client.create_container(
        SandboxOptions().image, labels={LABEL: "1", **labels}, stdin_open=True
    )["Id"]
    return container


def test_a_container_that_is_in_use_is_kept(docker_client: Any, labels: dict[str, str]) -> None:
    connection = DockerLauncher(docker_client, SandboxOptions(), labels).launch(FIRST)
    assert sweep(docker_client, labels, nobody) == {"kept": 1}
    # However old: what runs is left to its owner and its deadline.
    old = time.time() + 20 * IDLE_SECONDS
    assert sweep(docker_client, labels, nobody, now=old) == {"kept": 1}
    assert states(docker_client, labels) == ["running"]
    connection.close()


def test_a_container_is_removed_past_its_deadline(
    docker_client: Any, labels: dict[str, str]
) -> None:
    now = time.time()
    due = {**labels, DEADLINE: str(int(now) + 100)}
    DockerLauncher(docker_client, SandboxOptions(), due).launch(FIRST)
    assert sweep(docker_client, labels, nobody, now=now + 99) == {"kept": 1}
    assert sweep(docker_client, labels, nobody, now=now + 102) == {"past_deadline": 1}
    assert states(docker_client, labels) == []


def test_a_container_that_names_no_deadline_has_one(
    docker_client: Any, labels: dict[str, str]
) -> None:
    DockerLauncher(docker_client, SandboxOptions(), labels).launch(FIRST)
    (found,) = list_containers(docker_client, labels)
    assert int(found["Labels"][DEADLINE]) == pytest.approx(time.time() + 86_400, abs=60)


def test_a_container_that_was_never_started_is_removed_after_a_while(
    docker_client: Any, labels: dict[str, str]
) -> None:
    create(docker_client, labels)
    assert sweep(docker_client, labels, nobody) == {"kept": 1}
    assert sweep(docker_client, labels, nobody, now=time.time() + IDLE_SECONDS + 60) == {
        "not_running": 1
    }
    assert states(docker_client, labels) == []


def test_a_container_whose_owner_has_ended_is_removed(
    docker_client: Any, labels: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    create(docker_client, {**labels, "owner": "ended"})
    live = DockerLauncher(docker_client, SandboxOptions(), {**labels, "owner": "live"}).launch(
        FIRST
    )

    def ended(its: Mapping[str, str]) -> bool:
        return its["owner"] == "ended"

    with caplog.at_level(logging.INFO):
        assert sweep(docker_client, labels, ended, dry_run=True) == {"owner_ended": 1, "kept": 1}
    assert "would remove container" in caplog.text and "owner=ended" in caplog.text
    assert states(docker_client, labels) == ["created", "running"]
    assert sweep(docker_client, labels, ended) == {"owner_ended": 1, "kept": 1}
    assert states(docker_client, labels) == ["running"]
    live.close()


def test_containers_of_others_are_not_looked_at(docker_client: Any, labels: dict[str, str]) -> None:
    create(docker_client, {**labels, DEADLINE: "1"})
    other = {"case2code.test": uuid.uuid4().hex}
    assert sweep(docker_client, other, lambda _: True) == {}
    assert states(docker_client, labels) == ["created"]


KILLED = """
import os, signal, sys
from c2c_tasks.config import SandboxOptions
from c2c_tasks.sandbox.docker import DockerLauncher, connect
from c2c_tasks.sandbox.launchers import FIRST

client = connect()
launcher = DockerLauncher(client, SandboxOptions(), {"case2code.test": sys.argv[1]})
runners = [launcher.launch(FIRST) for _ in range(2)]
client.start = lambda container: os.kill(os.getpid(), signal.SIGKILL)
launcher.launch(FIRST)
"""


def test_a_process_that_is_killed_leaves_what_was_not_started_alone(
    docker_client: Any, labels: dict[str, str]
) -> None:
    """Two runners are up, a third is made and not started: then SIGKILL."""
    process = subprocess.run(
        [sys.executable, "-c", KILLED, labels["case2code.test"]], env=os.environ, check=False
    )
    assert process.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 20
    # Those that ran end, and then the engine removes them.
    while states(docker_client, labels) != ["created"] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert states(docker_client, labels) == ["created"]
    assert sweep(docker_client, labels, nobody, now=time.time() + IDLE_SECONDS + 60) == {
        "not_running": 1
    }
    assert states(docker_client, labels) == []
