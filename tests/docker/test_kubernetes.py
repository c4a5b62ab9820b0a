"""docker/kubernetes: Helm values and pod templates, as far as no cluster is needed to check them.

The chart is not here: its keys were read in its values.yaml.
"""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

FOLDER = ROOT / "docker/kubernetes"
VALUES = yaml.safe_load((FOLDER / "values.yaml").read_text())
QUEUES = ("gpu", "sandbox")
# Keys of the chart that values.yaml may have; a mapping names those below.
CHART: dict[str, Any] = {
    **dict.fromkeys(("airflowVersion", "defaultAirflowRepository", "defaultAirflowTag")),
    **dict.fromkeys(("executor", "airflowLocalSettings", "extraEnvFrom", "config")),
    **dict.fromkeys(("fernetKeySecretName", "apiSecretKeySecretName", "jwtSecretName")),
    **{key: {"enabled": None} for key in ("postgresql", "redis", "statsd", "createUserJob")},
    "data": {"metadataSecretName": None},
    "scheduler": {
        **dict.fromkeys(("extraVolumes", "extraVolumeMounts")),
        **{key: {"command": None} for key in ("livenessProbe", "startupProbe")},
        "logGroomerSidecar": {"enabled": None},
    },
    "dagProcessor": {
        "enabled": None,
        "livenessProbe": {"command": None},
        "logGroomerSidecar": {"enabled": None},
    },
    "triggerer": {
        "persistence": {"enabled": None},
        "livenessProbe": {"command": None},
        "logGroomerSidecar": {"enabled": None},
    },
    "migrateDatabaseJob": dict.fromkeys(("command", "args", "env")),
}


def unknown(values: Any, known: Any, path: str = "") -> list[str]:
    """Return the keys of the values that the chart has not."""
    if known is None:
        return []
    return [
        name
        for key, value in values.items()
        for name in (
            unknown(value, known[key], f"{path}{key}.") if key in known else [f"{path}{key}"]
        )
    ]


def policy() -> Any:
    names: dict[str, Any] = {}
    exec(VALUES["airflowLocalSettings"], names)
    return names["task_policy"]


def pod(queue: str) -> Any:
    from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator

    return PodGenerator.deserialize_model_file(str(FOLDER / f"{queue}-pod-template.yaml"))


def test_values_are_the_chart_s() -> None:
    assert unknown(VALUES, CHART) == []
    assert "{{" not in VALUES["airflowLocalSettings"], "the chart would take it for a template"


def test_the_version_is_that_of_the_lock() -> None:
    lock = (ROOT / "requirements.txt").read_text()
    assert f"\napache-airflow=={VALUES['airflowVersion']} " in lock


def test_no_secret_is_among_the_values() -> None:
    for entry in VALUES["migrateDatabaseJob"]["env"]:
        if "PASSWORD" in entry["name"]:
            assert set(entry) == {"name", "valueFrom"}


@pytest.mark.parametrize(
    ("dag", "queues"),
    [
        ("case2code_build", {"gpu", "sandbox"}),
        ("case2code_evaluate", {"gpu", "sandbox"}),
        ("case2code_maintain", {"sandbox"}),
        ("case2code_train", {"gpu"}),
    ],
)
def test_each_task_of_a_queue_gets_its_template_and_the_others_none(
    dag: str, queues: set[str]
) -> None:
    module = importlib.import_module(dag)
    apply = policy()
    (mount,) = VALUES["scheduler"]["extraVolumeMounts"]
    seen = set()
    for task in getattr(module, dag)().tasks:
        apply(task)
        if task.queue in QUEUES:
            path = task.executor_config["pod_template_file"]
            assert path == f"{mount['mountPath']}/{task.queue}-pod-template.yaml"
            seen.add(task.queue)
        else:
            assert not task.executor_config
    assert seen == queues


@pytest.mark.parametrize("queue", QUEUES)
def test_airflow_makes_a_pod_of_the_template(queue: str) -> None:
    from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator

    template = pod(queue)
    made = PodGenerator.construct_pod(
        dag_id="case2code_build",
        task_id="shard.execute",
        pod_id="case2code-build-shard-execute-1",
        try_number=1,
        kube_image=VALUES["config"]["kubernetes_executor"]["worker_container_repository"] or None,
        date=None,
        args=["python", "-m", "airflow.sdk.execution_time.execute_workload"],
        pod_override_object=PodGenerator.from_obj({"pod_template_file": "any"}),
        base_worker_pod=template,
        namespace="case2code",
        scheduler_job_id="1",
        run_id="manual",
        map_index=3,
    )
    (container,) = made.spec.containers
    assert container.name == "base"
    # An image of the configuration would win over the template's.
    image = "case2code-gpu" if queue == "gpu" else "case2code-airflow"
    assert container.image == f"registry.example.com/{image}:local"
    assert container.args[0] == "python"
    assert made.metadata.labels["map_index"] == "3"
    assert made.spec.restart_policy == "Never"


@pytest.mark.parametrize("queue", QUEUES)
def test_a_pod_has_no_rights_and_what_its_queue_needs(queue: str) -> None:
    spec = pod(queue).spec
    (container,) = spec.containers
    assert spec.automount_service_account_token is False
    assert spec.security_context.run_as_non_root
    assert container.security_context.allow_privilege_escalation is False
    assert container.security_context.capabilities.drop == ["ALL"]
    names = {volume.name for volume in spec.volumes}
    assert {mount.name for mount in container.volume_mounts} == names
    assert not any(volume.host_path for volume in spec.volumes)
    environment = {entry.name: entry.value for entry in container.env}
    if queue == "gpu":
        assert container.resources.limits["nvidia.com/gpu"] == "1"
        assert "DOCKER_HOST" not in environment
    else:
        assert environment["DOCKER_TLS_VERIFY"] == "1"
        assert environment["DOCKER_HOST"].startswith("tcp://")
        assert "nvidia.com/gpu" not in container.resources.limits
