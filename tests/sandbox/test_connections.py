"""Connections to runners, by each launcher: what two threads may do to one at a time."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from typing import Any

import pytest

from c2c_tasks.config import SandboxOptions
from c2c_tasks.sandbox.launchers import FIRST, Connection, Launcher
from c2c_tasks.sandbox.process import ProcessLauncher


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def launcher(request: pytest.FixtureRequest) -> Launcher:
    if request.param == "process":
        return ProcessLauncher(SandboxOptions())
    from c2c_tasks.sandbox.docker import DockerLauncher

    client: Any = request.getfixturevalue("docker_client")
    return DockerLauncher(client, SandboxOptions(), {"case2code.test": uuid.uuid4().hex})


def receive(connection: Connection) -> None:
    with contextlib.suppress(OSError):
        connection.receive(60)


def test_closing_wakes_a_thread_that_is_reading(launcher: Launcher) -> None:
    # Several at a time: one's number is another's, or the engine's, as soon as it is closed.
    connections = [launcher.launch(FIRST) for _ in range(4)]
    threads = [
        threading.Thread(target=receive, args=(connection,), daemon=True)
        for connection in connections
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    for connection in connections:
        connection.close()
    for thread in threads:
        thread.join(5)
    assert not any(thread.is_alive() for thread in threads)


def test_closing_twice_is_closing_once(launcher: Launcher) -> None:
    connection = launcher.launch(FIRST)
    connection.close()
    connection.close()
    with pytest.raises(OSError):
        connection.send(b"x", 1)
