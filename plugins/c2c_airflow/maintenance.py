"""What the DAG `case2code_maintain` does, between Airflow and `c2c_tasks`."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from c2c_airflow.attempts import sweep_engine
from c2c_airflow.metrics import measure_target
from c2c_tasks.config import RetentionOptions

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol
    from docker.api import APIClient

MINUTES = 15
"""Between two runs of the DAG."""
RETENTION_HOUR = 4
"""Of the day, in UTC, from which the day's retention is due: the nightly build began at two."""
_NOT_DONE = frozenset({"failed", "skipped", "upstream_failed", "removed"})
"""States of a task instance that has ended and did not do its work."""

log = logging.getLogger(__name__)


def sweep_containers(*, client: APIClient | None, **_: Any) -> dict[str, int]:
    """Remove containers that were left behind; return their numbers, by reason.

    For `SandboxOperator`. The Param ``dry_run`` counts and logs alone. Where no engine answers,
    the task is skipped.
    """
    from docker.errors import DockerException

    if client is None:
        raise AirflowSkipException("no Docker engine answers: there are no containers to sweep")
    context = get_current_context()
    dry_run = bool(context["params"]["dry_run"])
    try:
        counts = sweep_engine(client, context, dry_run=dry_run)
    except (DockerException, OSError) as error:
        raise AirflowException(f"the Docker engine does not answer: {error}") from None
    log.info("containers of this deployment: %s", dict(counts) or "none")
    return dict(counts)


def retain_releases() -> dict[str, int]:
    """Remove what retention does not keep; return how much that was, by kind, and in bytes.

    Scheduled runs skip it from the hour of the day that it is due, once one has done it or is
    at it.
    """
    # Imported here: a DAG file is parsed every few seconds, and these are heavy.
    from c2c_tasks.catalogue import CatalogueError
    from c2c_tasks.pipeline.retention import retain
    from c2c_tasks.publishing.release import PublishError
    from c2c_tasks.store import StoreError

    context = get_current_context()
    run = context["dag_run"]
    date = run.logical_date if run.run_type == "scheduled" else None
    if date is not None and not _is_due(context["ti"], date):
        raise AirflowSkipException(
            f"retention works once a day, from {RETENTION_HOUR:02}:00 UTC, and has, or is at it; "
            "trigger the DAG to have it now"
        )
    params = context["params"]
    options = {name: params[name] for name in RetentionOptions.model_fields}
    try:
        return retain(RetentionOptions.model_validate(options)).counts()
    except (CatalogueError, OSError, PublishError, StoreError) as error:
        log.error("%s", error)
        raise AirflowException(str(error)) from None


def measure_builds() -> None:
    """Tell the metrics when a build towards the Param ``target`` last came to its end."""
    params = get_current_context()["params"]
    measure_target(RetentionOptions.model_validate({"target": params["target"]}).target)


def _is_due(ti: RuntimeTaskInstanceProtocol, now: datetime) -> bool:
    """Tell whether no earlier run of the day has done the task or is at it."""
    if not (dates := runs_since_due(now)):
        return True
    runs = ti.get_task_states(ti.dag_id, task_ids=[ti.task_id], logical_dates=dates)
    return all(states.get(ti.task_id, "removed") in _NOT_DONE for states in runs.values())


def runs_since_due(now: datetime) -> list[datetime]:
    """Return the dates of scheduled runs from the last retention hour on, before that of `now`."""
    date = now.astimezone(UTC).replace(hour=RETENTION_HOUR, minute=0, second=0, microsecond=0)
    if date > now:
        date -= timedelta(days=1)
    dates = []
    while date < now:
        dates.append(date)
        date += timedelta(minutes=MINUTES)
    return dates
