"""Alerts of unattended runs: one message where a run fails, one where it is past its deadline.

They go to the webhook that the Airflow Connection `CONNECTION` names, as ``{"text": …}``, which
Slack, Mattermost and many others take. Runs that a person started are not told of: whoever
started one looks at it. An alert that cannot be sent is a line in the log, never a second failure.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

# The stub of airflow.sdk leaves three of these out.
from airflow.sdk import (  # type: ignore[attr-defined]
    AsyncCallback,
    Connection,
    DeadlineAlert,
    DeadlineReference,
)
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowNotFoundException

from c2c_airflow.run_notes import XCOM_KEY

if TYPE_CHECKING:
    from airflow.sdk import Context

CONNECTION = "case2code_alerts"
"""Id of the Airflow Connection to the webhook: its address as host, a secret rest as password."""
ATTEMPTS = 3
PAUSE_SECONDS = 1.0
TIMEOUT_SECONDS = 5.0
DEADLINE_HOURS = 6.0
"""From when a run is queued until it is to have ended, unless ``C2C_DEADLINE_HOURS`` says."""
LONGEST_HOURS = 24 * 365
NAMED_TASKS = 3
ERROR_CHARACTERS = 500
"""Of a task's error in an alert; its log has all of it."""
UNATTENDED = frozenset({"scheduled", "backfill", "asset_triggered"})
"""Kinds of runs, by the prefix of their ids, that nobody watches."""
RUNBOOK = "docs/runbook.md"
TRAINING = "a-training-failed"
OVERDUE = {
    "case2code_build": "the-nightly-build-is-overdue",
    "case2code_evaluate": "an-evaluation-is-overdue",
    "case2code_train": TRAINING,
}
"""Entry of the runbook on a run that is past its deadline, by DAG."""
SHARD = "a-shard-failed-for-good"
STORE = "the-store-refuses"
EVALUATION = "an-evaluation-failed"
ENTRIES = {
    "AuditError": "the-audit-failed",
    "BenchmarkError": "plan-failed",
    "BuildError": "plan-failed",
    "CatalogueError": "the-catalogue-is-down-or-lost",
    "ConfigError": "plan-failed",
    "EngineDown": "the-language-model-is-down",
    "EvaluationError": EVALUATION,
    "EvaluationExists": EVALUATION,
    "InputError": "the-language-model-is-down",
    "OSError": "a-disk-is-full",
    "OptOutError": "plan-failed",
    "ProblemError": EVALUATION,
    "ProcessesError": SHARD,
    "PublishError": STORE,
    "RunnerError": "the-sandbox-engine-is-down-or-its-image-is-missing",
    "SandboxError": "the-sandbox-engine-is-down-or-its-image-is-missing",
    "SourceError": "plan-failed",
    "StoreError": STORE,
    "TrainerDown": TRAINING,
    "TrainingError": TRAINING,
    "duckdb.Error": "a-disk-is-full",
}
"""Entry of the runbook by what a step raised: its class, or one that this derives from."""
OTHERWISE = "a-task-died-without-a-word"
"""Entry for a task whose process ended, or that timed out."""

log = logging.getLogger(__name__)


def deadline(of: str = "nightly build", *, least_hours: float = 0) -> DeadlineAlert | None:
    """Return the deadline of unattended runs, called by what they are; None where its hours are 0.

    Runs that may well take longer have `least_hours`. It counts from when the run is queued, so
    the wait for builds of earlier dates is part of it. `airflow dags test` and ``dag.test()`` of
    Airflow 3.3 fail at the end of a DAG that has one. Raises ValueError for what is no number of
    hours.
    """
    text = os.environ.get("C2C_DEADLINE_HOURS") or str(DEADLINE_HOURS)
    try:
        hours = float(text)
    except ValueError:
        hours = -1
    if not 0 <= hours <= LONGEST_HOURS:
        raise ValueError(f"C2C_DEADLINE_HOURS: {text!r} is no number of hours, as 6 or 0.5")
    if not hours:
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=max(hours, least_hours)),
        callback=AsyncCallback(tell_overdue),
        name=f"case2code {of}",
    )


def runbook_entry(error: Exception) -> str:
    """Return the entry of the runbook on what a step raised."""
    names = [cls.__name__ for cls in type(error).__mro__]
    names += [f"{cls.__module__.lstrip('_')}.{cls.__name__}" for cls in type(error).__mro__]
    return next((ENTRIES[name] for name in names if name in ENTRIES), OTHERWISE)


def tell_failure(context: Context) -> None:
    """Tell of a run that failed: its first failed tasks with their errors. For a DAG's callback."""
    dag_id, run_id = context["dag"].dag_id, context["run_id"]
    failed, count = _failed_tasks(context)
    lines = [f"{dag_id} failed: run {run_id}"]
    lines += [f"- {task}: {error}" for task, error, _ in failed]
    if count > len(failed):
        lines.append(f"- and {count - len(failed)} more failed tasks")
    if not failed:
        lines.append(f"- {context.get('reason') or 'no task says why'}")
    entry = failed[0][2] if failed else OTHERWISE
    _send(_message(lines, dag_id, run_id, entry), run_id)


async def tell_overdue(context: Mapping[str, Any]) -> None:
    """Tell of a run that has not ended by its deadline. For a `DeadlineAlert`, in the triggerer."""
    run = context["dag_run"]
    dag_id, run_id = run["dag_id"], run["dag_run_id"]
    lines = [
        f"{dag_id} is overdue: run {run_id} was to end by {context['deadline']['deadline_time']}",
        f"- queued at {run.get('queued_at')}, state {run.get('state')}",
    ]
    message = _message(lines, dag_id, run_id, OVERDUE.get(dag_id, OTHERWISE))
    if not _is_told(run_id, message):
        return
    try:
        connection = await Connection.async_get(CONNECTION)
    except AirflowNotFoundException:
        connection = None
    # Requests block, and the triggerer has one thread for everybody's waiting.
    await asyncio.to_thread(_deliver, connection, message)


def _failed_tasks(context: Context) -> tuple[list[tuple[str, str, str]], int]:
    """Return the first tasks of a run that failed: name, error, runbook entry; and how many did."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    dag, run_id = context["dag"], context["run_id"]
    try:
        answer = RuntimeTaskInstance.get_task_states(dag.dag_id, run_ids=[run_id])
        states: dict[str, str | None] = answer.get(run_id, {})
        failed = [
            (task.task_id, map_index)
            for task in dag.topological_sort()  # type: ignore[no-untyped-call]
            for map_index in _failed(task.task_id, states)
        ]
    except Exception as fault:  # an alert that says less is better than none
        log.warning("what failed in %s is not known: %s", run_id, fault)
        return [], 0
    return [_told(dag.dag_id, run_id, *task) for task in failed[:NAMED_TASKS]], len(failed)


def _told(dag_id: str, run_id: str, task_id: str, map_index: int | None) -> tuple[str, str, str]:
    """Return a failed task's name, the error that it left, and the runbook's entry on it."""
    from airflow.sdk.execution_time.xcom import XCom

    name = task_id if map_index is None else f"{task_id}[{map_index}]"
    try:
        left: Any = XCom.get_one(
            key=XCOM_KEY, dag_id=dag_id, task_id=task_id, run_id=run_id, map_index=map_index
        )
    except Exception as fault:
        log.warning("why %s of %s failed is not known: %s", name, run_id, fault)
        return name, "its log says why", OTHERWISE
    if not left or left["kind"] != "failed":
        return name, "no word of why; it died, timed out, or its log has a traceback", OTHERWISE
    text = " ".join(left["text"].split())
    cut = text if len(text) <= ERROR_CHARACTERS else f"{text[:ERROR_CHARACTERS]} …"
    return name, cut, left["entry"]


def _failed(task_id: str, states: Mapping[str, str | None]) -> Iterator[int | None]:
    """Yield the map indexes of a task's failed instances; None for one that is not mapped."""
    if states.get(task_id) == "failed":
        yield None
    prefix = f"{task_id}_"
    yield from sorted(
        int(key.removeprefix(prefix))
        for key, state in states.items()
        if state == "failed" and key.startswith(prefix) and key.removeprefix(prefix).isdigit()
    )


def _message(lines: list[str], dag_id: str, run_id: str, entry: str) -> str:
    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    runbook = os.environ.get("C2C_RUNBOOK_URL") or RUNBOOK
    return "\n".join(
        [
            *lines,
            f"Run: {base}/dags/{dag_id}/runs/{quote(run_id)}",
            f"What to do: {runbook}{'#' if entry else ''}{entry}",
        ]
    )


def _is_told(run_id: str, message: str) -> bool:
    if run_id.partition("__")[0] in UNATTENDED:
        return True
    log.info("no alert, as a person started this run: %s", message)
    return False


def _send(message: str, run_id: str) -> None:
    if not _is_told(run_id, message):
        return
    try:
        connection = Connection.get(CONNECTION)
    except AirflowNotFoundException:
        connection = None
    _deliver(connection, message)


def _deliver(connection: Any, message: str) -> None:
    """Post a message; where that cannot be done, the log says so."""
    import httpx

    if connection is None:
        log.warning("no Connection %s, so this alert goes nowhere: %s", CONNECTION, message)
        return
    reason = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        try:
            answer = httpx.post(_url(connection), json={"text": message}, timeout=TIMEOUT_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = type(error).__name__  # its text may hold the address, which is a secret
            continue
        if answer.is_success:
            log.info("the alert was sent: %s", message)
            return
        reason = f"status {answer.status_code}"
        if answer.status_code < 500 and answer.status_code != 429:
            break
    log.error("the webhook of %s does not take this alert (%s): %s", CONNECTION, reason, message)


def _url(connection: Any) -> str:
    host = connection.host or "localhost"
    if "://" not in host:
        host = f"{connection.schema or 'http'}://{host}"
    port = f":{connection.port}" if connection.port else ""
    secret = (connection.password or "").lstrip("/")
    return f"{host.rstrip('/')}{port}{'/' if secret else ''}{secret}"
