from __future__ import annotations

import time
import uuid
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, XComArg

from c2c_airflow.attempts import GRACE_SECONDS
from c2c_airflow.sandbox_operator import EXECUTION_TIMEOUT, SandboxOperator
from c2c_tasks.config import SandboxOptions, deployment
from c2c_tasks.sandbox.docker import DEADLINE, DEPLOYMENT, DockerLauncher, list_containers
from c2c_tasks.sandbox.launchers import FIRST, Connection

NOWHERE = "unix:///nonexistent/docker.sock"


def context_of(*, run_id: str = "manual__1", try_number: int = 2, **params: Any) -> Any:
    ti = SimpleNamespace(
        dag_id="build",
        run_id=run_id,
        task_id="shard.execute",
        map_index=3,
        try_number=try_number,
        get_task_states=lambda dag_id, task_ids, run_ids: {},
        xcom_pull=lambda **_: None,
    )
    return {"ti": ti, "params": params}


def operator_of(**arguments: Any) -> tuple[SandboxOperator, list[dict[str, Any]]]:
    calls: list[dict[str, Any]] = []

    def run(**given: Any) -> str:
        calls.append(given)
        return "what was returned"

    options = {"task_id": "execute", "docker_url": NOWHERE, "op_kwargs": {"shard": 1}, **arguments}
    return SandboxOperator(python_callable=run, **options), calls


def test_an_engine_behind_tls_is_found_as_docker_s_own_clients_find_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://engine:2376")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", "/certs")
    operator = SandboxOperator(task_id="execute", python_callable=print, tls_ca_cert="/own.pem")
    assert operator.docker_url == "tcp://engine:2376"
    assert operator.tls_ca_cert == "/own.pem"
    assert operator.tls_client_cert == "/certs/cert.pem"
    assert operator.tls_client_key == "/certs/key.pem"
    monkeypatch.delenv("DOCKER_TLS_VERIFY")
    assert SandboxOperator(task_id="execute", python_callable=print).tls_client_key is None


def test_the_callable_is_called_with_labels_of_the_attempt() -> None:
    operator, calls = operator_of(labels={"team": "data"}, execution_timeout=timedelta(minutes=10))
    assert operator.execute(context_of(launcher="process")) == "what was returned"
    ((call),) = calls
    deadline = int(call["labels"].pop(DEADLINE))
    assert deadline == pytest.approx(time.time() + 600 + GRACE_SECONDS, abs=60)
    labels = {
        "team": "data",
        DEPLOYMENT: deployment(),
        "airflow.dag_id": "build",
        "airflow.run_id": "manual__1",
        "airflow.task_id": "shard.execute",
        "airflow.map_index": "3",
        "airflow.try_number": "2",
    }
    assert calls == [{"shard": 1, "client": None, "labels": labels}]


def test_no_engine_is_contacted_for_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    def contact(operator: SandboxOperator) -> None:
        raise AssertionError("an engine was contacted")

    monkeypatch.setattr(SandboxOperator, "cli", property(contact))
    operator, calls = operator_of(launcher="process", docker_url="tcp://192.0.2.1:2376")
    operator.execute(context_of(launcher="docker"))
    assert calls[0]["client"] is None
    operator.on_kill()


def test_auto_goes_on_without_an_engine() -> None:
    operator, calls = operator_of()
    operator.execute(context_of())
    assert calls[0]["client"] is None


def test_docker_needs_an_engine() -> None:
    operator, calls = operator_of(launcher="docker")
    with pytest.raises(Exception, match="Docker"):
        operator.execute(context_of())
    assert calls == []


def test_it_can_be_mapped_and_takes_outputs_of_other_tasks() -> None:
    with DAG("mapped", schedule=None):
        first, _ = operator_of(task_id="first")
        plain, _ = operator_of(task_id="plain", op_kwargs={"shard": first.output})
        mapped = SandboxOperator.partial(task_id="mapped", python_callable=print).expand(
            op_kwargs=[{"shard": 1}, {"shard": 2}]
        )
    assert plain.upstream_task_ids == {"first"}
    assert isinstance(mapped.output, XComArg)
    assert {"op_kwargs", "labels", "launcher"} <= set(SandboxOperator.template_fields)


def test_a_task_always_has_a_deadline() -> None:
    assert operator_of()[0].execution_timeout == EXECUTION_TIMEOUT
    (operator, _) = operator_of(execution_timeout=timedelta(hours=6))
    assert operator.execution_timeout == timedelta(hours=6)


@pytest.fixture
def run_id(docker_client: Any) -> Any:
    """The id of a run whose containers are this test's."""
    run_id = f"manual__{uuid.uuid4().hex}"
    yield run_id
    for found in list_containers(docker_client, {"airflow.run_id": run_id}):
        docker_client.remove_container(found["Id"], force=True)


def start_runner(client: Any, labels: dict[str, str]) -> Connection:
    return DockerLauncher(client, SandboxOptions(), labels).launch(FIRST)


@pytest.mark.docker
def test_killing_the_task_leaves_no_container_and_ends_it(docker_client: Any, run_id: str) -> None:
    reached: list[str] = []

    def run(client: Any, labels: dict[str, str]) -> None:
        connections = [start_runner(client, labels) for _ in range(2)]
        assert len(list_containers(docker_client, {"airflow.run_id": run_id})) == 2
        reached.append("started")
        operator.on_kill()  # as a signal handler does, in the middle of the work
        reached.append("went on")
        assert not connections

    operator = SandboxOperator(task_id="execute", python_callable=run, launcher="docker")
    with pytest.raises(SystemExit, match="killed"):
        operator.execute(context_of(run_id=run_id))
    assert reached == ["started"]
    assert list_containers(docker_client, {"airflow.run_id": run_id}) == []
    operator.on_kill()  # once more, after the end: Airflow does that for a task that timed out


@pytest.mark.docker
def test_a_new_try_removes_the_containers_of_earlier_ones_alone(
    docker_client: Any, run_id: str
) -> None:
    def operator() -> SandboxOperator:
        return SandboxOperator(task_id="execute", python_callable=start_runner, launcher="docker")

    other = context_of(run_id=run_id, try_number=1)
    other["ti"].map_index = 4
    connections = [
        operator().execute(context)
        for context in (
            other,
            context_of(run_id=run_id, try_number=1),
            context_of(run_id=run_id, try_number=3),
            context_of(run_id=run_id, try_number=2),
        )
    ]
    assert {
        (found["Labels"]["airflow.map_index"], found["Labels"]["airflow.try_number"])
        for found in list_containers(docker_client, {"airflow.run_id": run_id})
    } == {("4", "1"), ("3", "3"), ("3", "2")}
    for connection in connections:
        connection.close()
