"""What the DAG `case2code_maintain` does, between Airflow and `c2c_tasks`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from c2c_airflow.attempts import sweep_engine

if TYPE_CHECKING:
    from docker.api import APIClient

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
