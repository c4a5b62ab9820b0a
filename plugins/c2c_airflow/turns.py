"""Whose turn it is: builds of several dates go one after the other, in order of date.

Airflow alone does not see to it. A backfill has a limit of active runs of its own, ten unless
`--max-active-runs` says otherwise, beside the DAG's `max_active_runs`; and `depends_on_past`
finds no earlier run where runs have partition keys in place of logical dates.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from c2c_airflow.metrics import count_waiting

LAST_TASK = "publish"
_ENDED = {"success", "failed", "skipped", "upstream_failed", "removed"}
_RUN_ID = re.compile(r"__(?P<date>\d{4}-\d\d-\d\d)__\w+$")
"""Of a run with a partition key: ``backfill__2026-11-24T02:00:00+00:00__2026-11-24__k3Js92ab``."""

log = logging.getLogger(__name__)


def is_its_turn(task_instance: Any, date: str | None) -> bool:
    """Tell whether no run for an earlier date has still to end, and name those that have.

    `date` is the partition key of the run; a run without one, started by hand, does not wait.
    Runs of a backfill start in order of date, so one of them waits for those that are running;
    any other run also waits for those of a backfill that are queued. A run that failed has ended.
    """
    earlier = _unfinished_before(task_instance, date) if date else []
    count_waiting(len(earlier))
    if earlier:
        log.info("waiting for %d runs of earlier dates: %s", len(earlier), ", ".join(earlier[:10]))
    return not earlier


def _unfinished_before(task_instance: Any, date: str) -> list[str]:
    dag_id = task_instance.dag_id
    states = task_instance.get_task_states(dag_id=dag_id, task_ids=[LAST_TASK])
    in_backfill = task_instance.run_id.startswith("backfill__")
    waited_for = []
    for run_id in sorted(states):
        found = _RUN_ID.search(run_id)
        if not found or found["date"] >= date or states[run_id].get(LAST_TASK) in _ENDED:
            continue
        state = task_instance.get_dagrun_state(dag_id, run_id)
        queued = state == "queued" and run_id.startswith("backfill__") and not in_backfill
        if state == "running" or queued:
            waited_for.append(run_id)
    return waited_for
