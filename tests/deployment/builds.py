"""Builds on a deployment: started, waited for, disturbed, and compared file by file."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from c2c_tasks.consuming.finding import find_release
from c2c_tasks.consuming.verifying import verify
from c2c_tasks.publishing.manifest import read_manifest
from tests.deployment.deployment import Deployment

DAG = "case2code_build"
OPTIONS: dict[str, Any] = {
    "licences": "any",
    "launcher": "auto",
    "dump_shard_bytes": 100_000,
    "functions_per_shard": 20,
    "inputs_per_function": 12,
    "refine_rounds": 1,
    "audit_programs": 3,
}


@dataclass(frozen=True)
class Run:
    """A DAG run of a deployment, which publishes to a target of its own."""

    deployment: Deployment
    run_id: str
    target: str

    def tasks(self) -> list[dict[str, Any]]:
        return self.deployment.api.tasks(DAG, self.run_id)

    def wait(self, seconds: float = 280) -> str:
        """Wait until it has ended; return its state."""
        return self.deployment.api.wait(DAG, self.run_id, seconds)

    def wait_for(
        self, task_id: str, state: str = "running", seconds: float = 120
    ) -> dict[str, Any]:
        """Wait until an instance of a task is in a state; return it."""
        deadline = time.monotonic() + seconds
        while True:
            for task in self.tasks():
                if (task["task_id"], task["state"]) == (task_id, state):
                    return task
            assert time.monotonic() < deadline, f"no {task_id} of {self.run_id} was {state}"
            time.sleep(0.2)

    def wait_for_try(
        self, task: dict[str, Any], number: int, seconds: float = 180
    ) -> dict[str, Any]:
        """Wait until a task instance is at its `number`-th attempt and running, or has ended."""
        deadline = time.monotonic() + seconds
        key = (task["task_id"], task["map_index"])
        while True:
            for other in self.tasks():
                started = other["state"] in ("running", "success") and other["try_number"] >= number
                if started and (other["task_id"], other["map_index"]) == key:
                    return other
            assert time.monotonic() < deadline, f"{key} of {self.run_id} was not tried again"
            time.sleep(0.2)

    def clear_failed(self) -> None:
        """Do what a person does who has read the log: clear what failed, and what follows."""
        failed = [
            [task["task_id"], task["map_index"]] if task["map_index"] >= 0 else task["task_id"]
            for task in self.tasks()
            if task["state"] == "failed"
        ]
        self.deployment.api.clear(DAG, self.run_id, task_ids=failed)

    def files(self) -> dict[str, str]:
        """Return the SHA-256 of each file of data of the release, which is whole, by path."""
        release = find_release(self.target)
        assert verify(release).faults == []
        manifest = read_manifest(release.uri)
        return {file.path: file.sha256 for file in manifest.files if file.path.endswith(".parquet")}


class Builds:
    """Builds of one dump by one deployment."""

    def __init__(self, deployment: Deployment, dump: str, first_target: str) -> None:
        self.deployment = deployment
        self.dump = dump
        self.first_target = first_target
        self._count = 0

    @cached_property
    def undisturbed(self) -> Run:
        """A build that was left alone."""
        run = self.start(target=self.first_target)
        assert run.wait() == "success"
        return run

    def start(self, *, target: str = "", date: str | None = None, **options: Any) -> Run:
        """Trigger a build."""
        self._count += 1
        run_id = f"build-{self._count}"
        target = target or str(self.deployment.folder / "data" / f"target-{self._count}")
        run = Run(self.deployment, run_id, target)
        conf = OPTIONS | {"dump": self.dump, "target": target} | options
        self.deployment.api.trigger(DAG, run_id, conf, date)
        return run
