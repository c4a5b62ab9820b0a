"""From Airflow's context to a build, and from our errors to Airflow's."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from c2c_tasks.config import BuildConfig, ConfigError

if TYPE_CHECKING:
    from c2c_tasks.pipeline import Build

log = logging.getLogger(__name__)


def run_step(step: str, *arguments: Any, **options: Any) -> Any:
    """Call a function of `c2c_tasks.pipeline` with the build of the running task.

    What a user has to mend (an option, a path, a permission) fails the task at once, without
    retries, with the one line that says so. Everything else may pass (a store, a database or
    an engine that does not answer), and is left to the task's retries. That nothing is new
    skips the task.
    """
    # Imported here: a DAG file is parsed every few seconds, and these are heavy.
    from c2c_tasks import pipeline
    from c2c_tasks.curation.benchmarks import BenchmarkError
    from c2c_tasks.inputs.writer import InputError
    from c2c_tasks.publishing.audit import AuditError
    from c2c_tasks.publishing.release import PublishError
    from c2c_tasks.sandbox.launchers import SandboxError
    from c2c_tasks.sources import SourceError

    try:
        return getattr(pipeline, step)(_current_build(), *arguments, **options)
    except pipeline.NothingNew as reason:
        log.info("%s", reason)
        raise AirflowSkipException(str(reason)) from None
    except (
        AuditError,
        BenchmarkError,
        ConfigError,
        InputError,
        PublishError,
        SandboxError,
        SourceError,
        pipeline.BuildError,
    ) as error:
        log.error("%s", error)
        raise AirflowFailException(str(error)) from None


def _current_build() -> Build:
    from c2c_tasks.pipeline import Build

    context = get_current_context()
    run = context["dag_run"]
    date = context.get("partition_key") or f"{run.logical_date or run.run_after:%Y-%m-%d}"
    return Build(run.run_id, date, BuildConfig.from_flat(dict(context["params"])))
