"""Task attempts and their containers: labels, whether their attempt still runs, what it left."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from c2c_airflow.metrics import count_swept

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import RuntimeTaskInstanceProtocol
    from docker.api import APIClient

PREFIX = "airflow."
INSTANCE = tuple(f"{PREFIX}{name}" for name in ("dag_id", "run_id", "task_id", "map_index"))
"""Labels that name a task instance."""
TRY = f"{PREFIX}try_number"
GRACE_SECONDS = 600
"""Beyond its execution timeout, an attempt's time to end; clocks of workers may differ by less."""
RUNNING = frozenset({"running", "restarting"})
"""States of a task instance, one of whose attempts has a process: Airflow sets them before it
starts one."""

log = logging.getLogger(__name__)


def attempt_labels(context: Context, timeout: timedelta) -> dict[str, str]:
    """Return the labels that tell a task attempt's containers from all others.

    `timeout` is the attempt's execution timeout: after it, and some grace, nobody can need
    the containers.
    """
    from c2c_tasks.config import deployment
    from c2c_tasks.sandbox.docker import DEADLINE, DEPLOYMENT

    return {
        DEPLOYMENT: deployment(),
        **_names(context["ti"]),
        DEADLINE: str(int(time.time() + timeout.total_seconds()) + GRACE_SECONDS),
    }


def _names(ti: RuntimeTaskInstanceProtocol) -> dict[str, str]:
    return {label: str(getattr(ti, label.removeprefix(PREFIX))) for label in (*INSTANCE, TRY)}


def sweep_engine(client: APIClient, context: Context, *, dry_run: bool = False) -> Counter[str]:
    """Remove what ended attempts of this deployment left on an engine; return `sweep`'s counts.

    Raises DockerException or OSError where the engine does not answer.
    """
    from c2c_tasks.config import deployment
    from c2c_tasks.sandbox.docker import DEPLOYMENT
    from c2c_tasks.sandbox.sweep import sweep

    counts = sweep(client, {DEPLOYMENT: deployment()}, Attempts(context).ended, dry_run=dry_run)
    if not dry_run:
        count_swept(counts)
    return counts


class Attempts:
    """Says which attempts have ended, by what the Airflow of the running task knows.

    Tasks have no access to Airflow's database; the state of task instances is asked for through
    the supervisor of the running one. Answers are kept: an instance of this is for one sweep.
    """

    def __init__(self, context: Context) -> None:
        self._ti: RuntimeTaskInstanceProtocol = context["ti"]
        self._own = _names(self._ti)
        self._states: dict[tuple[str, str, str], dict[str, str | None]] = {}

    def ended(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the attempt that made a container is known to have ended.

        An attempt ends when its task instance does not run, or has a later attempt that does.
        Airflow tells the state of an instance, not of its attempts: an earlier one is known of
        the own task instance alone. Another instance's that runs no more without Airflow having
        noticed, and instances that this Airflow does not know, have not ended.
        """
        try:
            dag_id, run_id, task_id, map_index = (labels[name] for name in INSTANCE)
            try_number = int(labels[TRY])
        except (KeyError, ValueError):
            return False
        if all(labels[name] == self._own[name] for name in INSTANCE):
            return try_number < int(self._own[TRY])
        states = self._states_of(dag_id, run_id, task_id)
        key = task_id if map_index == "-1" else f"{task_id}_{map_index}"
        return key in states and states[key] not in RUNNING

    def _states_of(self, dag_id: str, run_id: str, task_id: str) -> dict[str, str | None]:
        """Return the states of a task's instances in a run; of those that are not known, none."""
        key = (dag_id, run_id, task_id)
        if key not in self._states:
            try:
                answer = self._ti.get_task_states(dag_id, task_ids=[task_id], run_ids=[run_id])
            except Exception as error:  # the question is not worth failing for
                log.warning("the state of %s in %s is not known: %s", task_id, run_id, error)
                answer = {}
            self._states[key] = answer.get(run_id, {})
        return self._states[key]
