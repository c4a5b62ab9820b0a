"""What the tasks of builds, evaluations and trainings have in common."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from c2c_airflow.params import retry_seconds


def task_defaults() -> dict[str, Any]:
    """Return the arguments of every task that a DAG does not give it: owner, retries, time, queue.

    Raises ConfigError where ``C2C_RETRY_SECONDS`` is no whole number.
    """
    return {
        "owner": "case2code",
        "retries": 2,
        "retry_delay": timedelta(seconds=retry_seconds()),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=10),
        "execution_timeout": timedelta(hours=6),
        "queue": "default",
    }
