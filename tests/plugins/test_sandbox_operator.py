from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, XComArg

from c2c_airflow.sandbox_operator import SandboxOperator, attempt_labels

NOWHERE = "unix:///nonexistent/docker.sock"


def context_of(**params: Any) -> Any:
    ti = SimpleNamespace(
        dag_id="build", run_id="manual__1", task_id="shard.execute", map_index=3, try_number=2
    )
    return {"ti": ti, "params": params}


def operator_of(**arguments: Any) -> tuple[SandboxOperator, list[dict[str, Any]]]:
    calls: list[dict[str, Any]] = []

    def run(**given: Any) -> str:
        calls.append(given)
        return "what was returned"

    options = {"task_id": "execute", "docker_url": NOWHERE, "op_kwargs": {"shard": 1}, **arguments}
    return SandboxOperator(python_callable=run, **options), calls


def test_the_callable_is_called_with_labels_of_the_attempt() -> None:
    operator, calls = operator_of(labels={"team": "data"})
    assert operator.execute(context_of(launcher="process")) == "what was returned"
    labels = {
        "team": "data",
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


@pytest.mark.docker
def test_killing_the_task_leaves_no_container(docker_client: Any) -> None:
    from c2c_tasks.config import SandboxOptions
    from c2c_tasks.sandbox.docker import DockerLauncher
    from c2c_tasks.sandbox.launchers import FIRST

    def start(client: Any, labels: dict[str, str]) -> Any:
        connection = DockerLauncher(client, SandboxOptions(), labels).launch(FIRST)
        connection.send(b"", 1)
        return connection

    operator = SandboxOperator(task_id="execute", python_callable=start, launcher="docker")
    context = context_of()
    operator.execute(context)
    labels = [f"{name}={value}" for name, value in attempt_labels(context).items()]
    assert len(docker_client.containers(filters={"label": labels})) == 1
    operator.on_kill()
    assert docker_client.containers(all=True, filters={"label": labels}) == []
