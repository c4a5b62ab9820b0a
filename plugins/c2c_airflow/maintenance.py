"""What the DAG `case2code_maintain` does, between Airflow and `c2c_tasks`."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from c2c_airflow.attempts import sweep_engine
from c2c_tasks.config import RetentionOptions

if TYPE_CHECKING:
    from docker.api import APIClient

RETENTION_HOUR = 4
"""Of the day, in UTC, from which the day's retention is due: the nightly build began at two."""

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

    Skipped on scheduled runs but for the first one after the hour of the day that it is due.
    """
    # Imported here: a DAG file is parsed every few seconds, and these are heavy.
    from c2c_tasks.catalogue import CatalogueError
    from c2c_tasks.pipeline.retention import retain
    from c2c_tasks.publishing.release import PublishError
    from c2c_tasks.store import StoreError

    context = get_current_context()
    run = context["dag_run"]
    if run.run_type == "scheduled" and run.logical_date is not None:
        earlier = context["ti"].get_previous_dagrun()
        if not is_due(run.logical_date, earlier.logical_date if earlier else None):
            raise AirflowSkipException(
                f"retention works once a day, on the first run from {RETENTION_HOUR:02}:00 UTC; "
                "trigger the DAG to have it now"
            )
    params = context["params"]
    options = {name: params[name] for name in RetentionOptions.model_fields}
    try:
        return retain(RetentionOptions.model_validate(options)).counts()
    except (CatalogueError, OSError, PublishError, StoreError) as error:
        log.error("%s", error)
        raise AirflowException(str(error)) from None


def is_due(now: datetime, earlier: datetime | None) -> bool:
    """Tell whether no run since the last retention hour comes before the one of `now`.

    `earlier` is the date of the run before it, if there is any.
    """
    due = now.astimezone(UTC).replace(hour=RETENTION_HOUR, minute=0, second=0, microsecond=0)
    if due > now:
        due -= timedelta(days=1)
    return earlier is None or earlier < due
