"""The DAG on a deployment with Celery: which worker runs what, and two faults of every week."""

from __future__ import annotations

import pytest

from tests.deployment.builds import DAG, Builds
from tests.deployment.deployment import WORKERS, Deployment

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.s3]


def test_a_build_that_is_triggered_over_http_runs_on_the_workers_of_its_queues(
    builds: Builds, deployment: Deployment
) -> None:
    run = builds.undisturbed
    tasks = run.tasks()
    ran = {task["task_id"]: (task["queue"], task["hostname"]) for task in tasks}
    assert ran == dict.fromkeys(ran, ("default", "worker-default")) | {
        "shard.write_inputs": ("gpu", "worker-sandbox"),
        "shard.execute": ("sandbox", "worker-sandbox"),
        "audit": ("sandbox", "worker-sandbox"),
    }
    mapped = [task for task in tasks if task["task_id"] == "shard.execute"]
    assert len(mapped) > 1
    # A host's name is what the task says of itself; these are the workers' own counts.
    for worker, queues in WORKERS.items():
        mine = [task for task in tasks if task["queue"] in queues.split(",")]
        assert deployment.finished_by(f"worker-{worker}") >= len(mine)
    assert len(run.files()) > 5


@pytest.mark.nightly
def test_a_worker_that_is_killed_in_mid_execute_costs_an_attempt_and_nothing_else(
    builds: Builds, deployment: Deployment
) -> None:
    expected = builds.undisturbed.files()
    run = builds.start()
    run.wait_for("shard.execute")
    worker = deployment.worker("sandbox")
    worker.kill()
    worker.start()
    assert run.wait() == "success"
    assert max(task["try_number"] for task in run.tasks()) == 2
    assert run.files() == expected


def test_a_run_that_is_triggered_twice_is_made_once(builds: Builds, deployment: Deployment) -> None:
    first = builds.undisturbed
    again = deployment.api.ask(
        "POST", f"dags/{DAG}/dagRuns", {"dag_run_id": first.run_id, "logical_date": None}
    )
    assert again.status_code == 409
    second = builds.start(target=first.target)
    assert second.wait() == "success"
    states = {task["task_id"]: task["state"] for task in second.tasks()}
    assert states == dict.fromkeys(states, "skipped") | {"turn": "success"}
    assert second.files() == first.files()
