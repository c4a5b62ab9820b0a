"""The whole composition at work: a build through the REST API, on two kinds of Celery workers,
with functions in the dedicated engine and the release in the S3 server.

`make composition` runs it, with stand-ins of the public images (docker/stand-ins), in some ten
minutes on two cores.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.composition.deployment import ROOT, Deployment, deployed, refused, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(2400),
    pytest.mark.skipif("C2C_COMPOSITION" not in os.environ, reason="`make composition` runs it"),
]

DAG = "case2code_build"
RUN = "composition"
OPTIONS = {
    "dump": "/dumps",
    "launcher": "docker",
    "licences": "permissive_or_unknown",
    "dump_shard_bytes": 60_000,
    "functions_per_shard": 25,
    "inputs_per_function": 12,
    "refine_rounds": 1,
    "audit_programs": 3,
}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, small_dump: Path) -> Iterator[Deployment]:
    """The composition, healthy."""
    run("docker/stand-ins/make")
    folder = tmp_path_factory.mktemp("composition")
    small_dump.chmod(0o755)  # workers have another user
    with deployed(folder, small_dump) as started:
        states = started.wait_until_healthy(900)
        services = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
        expected = {
            name
            for name, service in services.items()
            if set(service.get("profiles", ["s3"])) & {"engine", "s3"}
        }
        assert states.keys() == expected
        assert set(states.values()) <= {"healthy", "exited 0"}, states
        yield started
        if kept := os.environ.get("C2C_COMPOSITION_LOG"):
            Path(kept).write_text(started.compose("logs", "--no-color"))


@pytest.fixture(scope="module")
def instances(deployment: Deployment) -> list[dict[str, Any]]:
    """The task instances of a build that was triggered through the REST API."""
    deployment.log_in()
    deadline = time.monotonic() + 300
    while not deployment.call("GET", "/api/v2/dags?dag_id_pattern=" + DAG)["dags"]:
        assert time.monotonic() < deadline, "the DAG processor found no DAG"
        time.sleep(3)
    deployment.trigger(DAG, RUN, OPTIONS)
    return deployment.wait_for_run(DAG, RUN, 1200)


def release(deployment: Deployment, command: str) -> Any:
    """Return what `c2c release COMMAND latest` says in the default worker."""
    program = ("python", "-m", "c2c_tasks.cli", "release")
    return json.loads(deployment.execute("worker-default", *program, command, "latest", "--json"))


def test_the_build_succeeds(deployment: Deployment, instances: list[dict[str, Any]]) -> None:
    ended = {(i["task_id"], i["map_index"]): i["state"] for i in instances}
    assert {key[0] for key, state in ended.items() if state != "success"} == {"push_to_hub"}, ended


def test_each_queue_s_mapped_tasks_ran_on_its_own_worker(
    deployment: Deployment, instances: list[dict[str, Any]]
) -> None:
    hosts = {name: deployment.container(f"worker-{name}")[:12] for name in ("default", "sandbox")}
    assert hosts["default"] != hosts["sandbox"]
    ran = [i for i in instances if i["state"] == "success"]
    for instance in ran:
        kind = "sandbox" if instance["queue"] == "sandbox" else "default"
        assert instance["hostname"] == hosts[kind], instance["task_id"]
        assert "CeleryExecutor" in str(instance.get("executor") or "CeleryExecutor")
    mapped = [i["task_id"] for i in ran if i["map_index"] >= 0]
    for task in ("extract", "shard.write_inputs", "shard.execute", "shard.curate"):
        assert mapped.count(task) >= 2, task


def test_functions_ran_in_containers_of_the_dedicated_engine_alone(
    deployment: Deployment, instances: list[dict[str, Any]]
) -> None:
    def started(lines: str) -> list[dict[str, str]]:
        return [json.loads(line)["Actor"]["Attributes"] for line in lines.splitlines()]

    query = ["events", "--since=2h", f"--until={int(time.time())}", "--format={{json .}}"]
    query += ["--filter=event=start", f"--filter=label=case2code.deployment={deployment.name}"]
    containers = started(deployment.engine(*query))
    assert {c["airflow.task_id"] for c in containers} == {"shard.execute", "audit"}
    assert {c["airflow.run_id"] for c in containers} == {RUN}
    assert started(run("docker", *query)) == []
    left = deployment.engine("ps", "--all", "--quiet", "--filter=label=case2code.sandbox")
    assert left == ""


def test_the_engine_is_rootless_and_has_the_image_of_the_manifest(
    deployment: Deployment, instances: list[dict[str, Any]]
) -> None:
    options = json.loads(deployment.engine("info", "--format={{json .SecurityOptions}}"))
    assert "name=rootless" in options
    sandbox = release(deployment, "show")["manifest"]["sandbox"]
    image = deployment.engine("image", "inspect", "--format={{.Id}}", "case2code-sandbox:latest")
    assert sandbox["launcher"] == "docker"
    assert sandbox["missing"] == ["cgroup"]  # an engine in a container has none to give
    assert sandbox["image_id"] == image.strip()


def test_the_release_in_the_s3_server_is_whole(
    deployment: Deployment, instances: list[dict[str, Any]]
) -> None:
    assert release(deployment, "show")["uri"].startswith("s3://case2code/dataset/releases/")
    assert release(deployment, "verify")["sound"]


def test_only_the_sandbox_worker_reaches_the_engine(deployment: Deployment) -> None:
    code = (
        "import socket\ntry: socket.create_connection(('engine', 2376), 5); print('connected')\n"
        "except OSError: print('refused')"
    )
    others = ("worker-default", "api-server", "scheduler", "dag-processor", "triggerer")
    assert {deployment.execute(name, "python", "-c", code) for name in others} == {"refused\n"}
    assert deployment.execute("worker-sandbox", "python", "-c", code) == "connected\n"
    # And it does so by its key: without one, the engine answers nothing.
    code = (
        "import ssl, urllib.request as r; c = ssl._create_unverified_context()\n"
        "try: r.urlopen('https://engine:2376/info', timeout=9, context=c); print('answered')\n"
        "except OSError: print('refused')"
    )
    assert deployment.execute("worker-sandbox", "python", "-c", code) == "refused\n"


def test_stores_and_the_web_interface_ask_for_their_passwords(deployment: Deployment) -> None:
    assert refused(deployment, "admin") == 401
    without = ["env", "--unset=REDISCLI_AUTH", "redis-cli", "ping"]
    assert "NOAUTH" in deployment.execute("redis", *without)
    code = (
        "import psycopg\n"
        "try: psycopg.connect('postgresql://case2code:case2code@postgres/{}'); print('in')\n"
        "except psycopg.OperationalError: print('refused')"
    )
    for database in ("airflow", "case2code"):
        said = deployment.execute("worker-default", "python", "-c", code.format(database))
        assert said == "refused\n"


def test_no_secret_is_in_the_logs(deployment: Deployment, instances: list[dict[str, Any]]) -> None:
    said = deployment.compose("logs", "--no-color")
    secrets = {
        name: value
        for name, value in deployment.settings.items()
        if len(value) >= 40 and name.startswith("C2C_") and "/" not in value
    }
    assert len(secrets) == 10
    assert [name for name, value in secrets.items() if value in said] == []
