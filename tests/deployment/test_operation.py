"""What happens to a build when a part of the deployment dies, is paused, or does things twice.

Every build ends in the release that one makes that was left alone, byte for byte, by itself or
after what failed is cleared. `make nightly` runs these; a line for each at the end says
which it was, of how many trials, and in how many seconds.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from tests.conftest import SANDBOX_IMAGE, unavailable
from tests.deployment.builds import DAG, Builds, Run
from tests.deployment.deployment import Deployment
from tests.deployment.engine import Engine

pytestmark = [pytest.mark.nightly, pytest.mark.postgres, pytest.mark.s3]

TRIALS = int(os.environ.get("C2C_OPERATION_TRIALS", "1"))
MOMENTS = ("extract", "shard.execute", "publish")
"""Tasks in the middle of which a fault comes."""

Disturb = Callable[[Deployment, Run], None]
Record = Callable[[str, object], None]


def kill_and_start(name: str) -> Disturb:
    def disturb(deployment: Deployment, run: Run) -> None:
        deployment.services[name].kill()
        deployment.services[name].start()

    return disturb


def kill_first_process(deployment: Deployment, run: Run) -> None:
    """The worker's own process dies; tasks that it started go on without it."""
    worker = deployment.worker("sandbox")
    worker.kill_alone()
    worker.start()


def restart_redis(deployment: Deployment, run: Run) -> None:
    deployment.redis.kill()
    time.sleep(2)
    deployment.redis.start()
    deployment.redis.wait()


def empty_redis(deployment: Deployment, run: Run) -> None:
    deployment.redis.kill()
    deployment.redis.lose_everything()
    deployment.redis.start()
    deployment.redis.wait()


def restart_postgres(deployment: Deployment, run: Run) -> None:
    deployment.postgres.stop_at_once()
    time.sleep(2)
    deployment.postgres.start()
    deployment.postgres.wait()


def pause_and_resume(deployment: Deployment, run: Run) -> None:
    deployment.api.unpause(DAG, paused=True)
    time.sleep(15)
    assert deployment.api.run(DAG, run.run_id)["state"] in ("running", "success")
    deployment.api.unpause(DAG)


FAULTS: dict[str, Disturb] = {
    "worker killed with all its processes": kill_and_start("worker-sandbox"),
    "first process of the worker killed": kill_first_process,
    "scheduler killed": kill_and_start("scheduler"),
    "DAG processor killed": kill_and_start("dag-processor"),
    "API server killed": kill_and_start("api-server"),
    "Redis killed, restarted from its log": restart_redis,
    "Redis killed, restarted empty": empty_redis,
    "PostgreSQL stopped at once, restarted": restart_postgres,
    "DAG paused for 15 s, resumed": pause_and_resume,
}


@contextmanager
def counted(record_property: Record, builds: Builds) -> Iterator[Callable[[Run], None]]:
    """Give a function that waits for a run, mends it as a person would, and compares its release.

    Counts what was needed.
    """
    counts: Counter[str] = Counter()
    record_property("outcomes", counts)
    expected = builds.undisturbed.files()
    started = time.monotonic()

    def settle(run: Run) -> None:
        state = run.wait()
        healed = "healed by itself"
        if state == "failed":
            healed = "healed by a clear"
            run.clear_failed()
            state = run.wait()
        assert state == "success"
        assert run.files() == expected
        counts["trials"] += 1
        counts[healed] += 1
        counts["attempts beyond the first"] += sum(
            max(0, task["try_number"] - 1) for task in run.tasks()
        )

    yield settle
    counts["seconds"] = round(time.monotonic() - started)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_mid_build_does_not_change_the_release(
    fault: str, moment: str, builds: Builds, deployment: Deployment, record_property: Record
) -> None:
    with counted(record_property, builds) as settle, deployment.kept_up():
        for _ in range(TRIALS):
            run = builds.start()
            run.wait_for(moment)
            FAULTS[fault](deployment, run)
            settle(run)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("task_id", ["merge_functions", "shard.execute", "merge_programs", "audit"])
def test_a_finished_task_that_is_cleared_makes_the_same_again(
    task_id: str, builds: Builds, deployment: Deployment, record_property: Record
) -> None:
    with counted(record_property, builds) as settle:
        run = builds.start()
        run.wait_for(task_id, "success")
        deployment.api.clear(DAG, run.run_id, task_ids=[task_id])
        settle(run)


@pytest.mark.timeout(600)
def test_a_task_that_failed_for_good_is_cleared_once_its_cause_is_mended(
    builds: Builds, deployment: Deployment, record_property: Record
) -> None:
    with counted(record_property, builds) as settle:
        target = deployment.folder / "data" / "not-a-folder"
        target.touch()
        run = builds.start(target=str(target))
        assert run.wait() == "failed"
        target.unlink()
        settle(run)


@pytest.mark.timeout(600)
def test_a_published_run_that_is_cleared_leaves_the_release_as_it_is(
    builds: Builds, deployment: Deployment
) -> None:
    run = builds.start()
    assert run.wait() == "success"
    before = run.files()
    deployment.api.clear(DAG, run.run_id, task_ids=["publish"])
    assert run.wait() == "success"
    assert run.files() == before
    deployment.api.clear(DAG, run.run_id, task_ids=["plan"])
    assert run.wait() == "success"
    states = {task["task_id"]: task["state"] for task in run.tasks()}
    assert states == dict.fromkeys(states, "skipped") | {"turn": "success"}
    assert run.files() == before


@pytest.mark.timeout(600)
def test_two_runs_of_one_date_publish_once(
    builds: Builds, deployment: Deployment, record_property: Record
) -> None:
    with counted(record_property, builds) as settle:
        first = builds.start()
        second = builds.start(target=first.target)
        settle(first)
        assert second.wait() == "success"
        states = {task["task_id"]: task["state"] for task in second.tasks()}
        assert states == dict.fromkeys(states, "skipped") | {"turn": "success"}
        assert second.files() == first.files()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_attempt_that_wakes_when_its_successor_has_run_does_no_harm(
    moment: str, builds: Builds, deployment: Deployment, record_property: Record
) -> None:
    with counted(record_property, builds) as settle:
        run = builds.start()
        task = run.wait_for(moment)
        stopped = attempt(deployment, task)
        for process in stopped:
            process.send_signal(signal.SIGSTOP)
        try:
            again = run.wait_for_try(task, 2)
            assert again["try_number"] == 2
        finally:
            for process in stopped:
                process.send_signal(signal.SIGCONT)
        settle(run)
        _, alive = psutil.wait_procs(stopped[:1], timeout=60)
        assert alive == [], "the late attempt goes on for ever"


def attempt(deployment: Deployment, task: dict[str, Any]) -> list[psutil.Process]:
    """Return the process of a running task, all that it started, and its supervisor."""
    mine = psutil.Process(task["pid"])
    supervisor = mine.parent()
    assert supervisor is not None
    assert supervisor in deployment.worker(task["queue"]).family()
    return [mine, *mine.children(recursive=True), supervisor]


@pytest.mark.docker
@pytest.mark.timeout(600)
def test_the_engine_killed_in_mid_execute(
    builds: Builds, deployment: Deployment, record_property: Record, docker_client: Any
) -> None:
    if shutil.which("dockerd") is None or os.geteuid():
        unavailable("docker", "a second engine needs dockerd and root")
    folder = deployment.folder / "engine"
    folder.mkdir()
    engine = Engine(folder, deployment.logs / "engine.log")
    worker = deployment.worker("sandbox")
    engine.start()
    try:
        engine.wait()
        engine.load(SANDBOX_IMAGE)
        worker.kill()
        worker.environment["DOCKER_HOST"] = engine.url
        worker.start()
        with counted(record_property, builds) as settle:
            run = builds.start(launcher="docker")
            run.wait_for("shard.execute")
            deadline = time.monotonic() + 60
            while not engine.containers():
                assert time.monotonic() < deadline, "no container was started"
                time.sleep(0.1)
            engine.kill_engine()
            time.sleep(2)
            engine.start()
            engine.wait()
            settle(run)
        assert engine.containers() == []
    finally:
        worker.environment.pop("DOCKER_HOST", None)
        engine.stop()
