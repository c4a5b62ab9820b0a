"""Containers that were left behind, and Airflow's word on whose they are."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG

from c2c_airflow import maintenance
from c2c_airflow.sandbox_operator import SandboxOperator
from c2c_tasks.config import SandboxOptions
from c2c_tasks.sandbox.docker import (
    DEADLINE,
    DEPLOYMENT,
    LABEL,
    DockerLauncher,
    list_containers,
)
from c2c_tasks.sandbox.launchers import FIRST

pytestmark = pytest.mark.slow


@pytest.fixture
def labels(docker_client: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Labels of a deployment of this test's own; its containers are removed in the end."""
    monkeypatch.setenv("C2C_DEPLOYMENT", f"test-{uuid.uuid4().hex}")
    from c2c_tasks.config import deployment

    labels = {DEPLOYMENT: deployment()}
    yield labels
    for found in list_containers(docker_client, labels):
        docker_client.remove_container(found["Id"], force=True)


@pytest.fixture(autouse=True)
def places(workspace: Path) -> Path:
    """The folder of target, work area and catalogue: retention looks at them in each run."""
    return workspace


def maintain(task_id: str, **conf: Any) -> tuple[str, dict[str, int] | None]:
    """Run the DAG; return the state of a task and what it returned."""
    from case2code_maintain import case2code_maintain

    run = case2code_maintain().test(run_conf={"target": os.environ["C2C_TARGET"]} | conf)
    ti = run.get_task_instance(task_id)
    return ti.state, ti.xcom_pull(task_ids=task_id)


def sweep(**conf: Any) -> tuple[str, dict[str, int] | None]:
    """Sweep containers."""
    return maintain("sweep_containers", **conf)


PROBE = """
from airflow.sdk import DAG
from c2c_airflow.sandbox_operator import SandboxOperator

with DAG("probe", schedule=None):
    SandboxOperator(task_id="execute", python_callable=print, launcher="docker")
"""


@pytest.fixture
def run_task(airflow_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a function as the sandbox task `execute` of the DAG `probe`; returns the run."""
    # Airflow runs what it is given, and wants to find a DAG of that name in a file.
    (tmp_path / "probe.py").write_text(PROBE)

    def run(function: Callable[..., Any], **arguments: Any) -> Any:
        with DAG("probe", schedule=None) as dag:
            SandboxOperator(
                task_id="execute", python_callable=function, launcher="docker", **arguments
            )
        with monkeypatch.context() as patch:
            patch.setattr("airflow.settings.DAGS_FOLDER", str(tmp_path))
            return dag.test()

    return run


def create(client: Any, labels: dict[str, str]) -> None:
    client.create_container(SandboxOptions().image, labels={LABEL: "1", **labels}, stdin_open=True)


@pytest.mark.docker
def test_what_was_left_behind_is_removed_and_the_rest_is_kept(
    run_task: Any, docker_client: Any, labels: dict[str, str]
) -> None:
    ended: dict[str, str] = {}

    def note(client: Any, labels: dict[str, str]) -> None:
        ended.update(labels)

    assert run_task(note).state == "success"
    assert ended.items() >= labels.items()
    # Of a task that has ended, of an Airflow that this one does not know, and of a shell.
    connections = [
        DockerLauncher(docker_client, SandboxOptions(), owner).launch(FIRST)
        for owner in (ended, {**ended, "airflow.run_id": "unknown"}, labels)
    ]
    create(docker_client, ended)
    create(docker_client, {**labels, DEADLINE: "1"})

    found = {"owner_ended": 2, "past_deadline": 1, "kept": 2}
    assert sweep(dry_run=True) == ("success", found)
    assert len(list_containers(docker_client, labels)) == 5
    assert sweep() == ("success", found)
    assert len(list_containers(docker_client, labels)) == 2
    for connection in connections:
        connection.close()
    assert sweep() == ("success", {})


@pytest.mark.docker
def test_containers_of_a_running_attempt_are_kept(
    run_task: Any, docker_client: Any, labels: dict[str, str]
) -> None:
    """The task itself asks for the sweep while it runs, by the same question to Airflow."""
    from airflow.sdk import get_current_context

    from c2c_airflow.attempts import Attempts
    from c2c_tasks.sandbox import sweep as sweeping

    swept: list[dict[str, int]] = []

    def run(client: Any, labels: dict[str, str]) -> None:
        connection = DockerLauncher(client, SandboxOptions(), labels).launch(FIRST)
        attempts = Attempts(get_current_context())
        attempts._own = dict.fromkeys(attempts._own, "another task")
        swept.append(dict(sweeping.sweep(client, own, attempts.ended)))
        assert attempts._states, "Airflow was not asked"
        connection.close()

    own = dict(labels)
    assert run_task(run).state == "success"
    assert swept == [{"kept": 1}]


def run_endless(client: Any, labels: dict[str, str]) -> None:
    """Run functions that never end, nine of them on two runners."""
    from c2c_tasks.sandbox.execution import execute
    from c2c_tasks.shards import StepReport
    from tests.sandbox.conftest import Sandbox

    options = SandboxOptions(function_seconds=60, case_seconds=60, workers=2)
    launcher = DockerLauncher(client, options, labels)
    endless = [Sandbox.function(f"def f(x):\n    while x: {n}\n", "{'x': 1}") for n in range(9)]
    list(execute(endless, options, StepReport("execute", "memory:"), launcher=launcher))


@pytest.mark.docker
def test_a_task_that_times_out_leaves_no_container(
    run_task: Any, docker_client: Any, labels: dict[str, str]
) -> None:
    run = run_task(run_endless, execution_timeout=timedelta(seconds=3))
    assert run.state == "failed"
    assert list_containers(docker_client, labels) == []


@pytest.mark.docker
def test_a_task_that_is_killed_ends_and_leaves_no_container(
    run_task: Any, docker_client: Any, labels: dict[str, str]
) -> None:
    """By the signal that Airflow's supervisor sends; it has five seconds before the next one."""
    before = signal.getsignal(signal.SIGTERM)
    killed: list[float] = []

    def kill_when_running() -> None:
        while len(list_containers(docker_client, labels)) < 2:
            time.sleep(0.1)
        time.sleep(0.5)
        killed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=kill_when_running, daemon=True)
    thread.start()
    try:
        run = run_task(run_endless, execution_timeout=timedelta(seconds=60))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert time.monotonic() - killed[0] < 5
    assert run.state == "failed"
    assert list_containers(docker_client, labels) == []


def test_without_an_engine_there_is_nothing_to_do(
    airflow_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    assert sweep() == ("skipped", None)


def test_retention_works_once_a_day(airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By Airflow's word on earlier runs. Those that a test starts are not scheduled ones."""
    from case2code_maintain import case2code_maintain

    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    asked = maintenance.get_current_context

    def as_scheduled() -> Any:
        context = dict(asked())
        date = context["dag_run"].logical_date
        context["dag_run"] = SimpleNamespace(run_type="scheduled", logical_date=date)
        return context

    monkeypatch.setattr(maintenance, "get_current_context", as_scheduled)
    four = datetime(2026, 11, 24, 4, tzinfo=UTC)
    states = []
    for date in (four, four + timedelta(minutes=15), four + timedelta(days=1)):
        run = case2code_maintain().test(
            logical_date=date, run_conf={"target": os.environ["C2C_TARGET"]}
        )
        states.append(run.get_task_instance("retain").state)
    assert states == ["success", "skipped", "success"]


def test_retention_is_a_dry_run_until_it_is_told_otherwise(
    airflow_home: Path, places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    broken_off = places / "target" / ".c2c-write"
    broken_off.parent.mkdir()
    broken_off.touch()
    os.utime(broken_off, (1, 1))
    found = {"unfinished_write": 1, "bytes": 0}
    assert maintain("retain") == ("success", found)
    assert broken_off.exists()
    assert maintain("retain", retention_dry_run=False) == ("success", found)
    assert not broken_off.exists()
