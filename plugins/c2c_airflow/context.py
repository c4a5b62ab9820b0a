"""From Airflow's context to a build, and from our errors to Airflow's."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Any

from airflow.sdk import Connection, get_current_context
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSkipException,
)

from c2c_airflow.alerts import runbook_entry
from c2c_airflow.log_fields import log_fields
from c2c_airflow.metrics import count_build, count_step
from c2c_airflow.run_notes import leave
from c2c_airflow.run_options import PLAN, decide, options_of
from c2c_tasks.config import BuildConfig, ConfigError

if TYPE_CHECKING:
    from airflow.sdk import Context

    from c2c_tasks.pipeline import Build

VLLM_CONNECTION = "case2code_vllm"
"""Id of the Airflow Connection to the OpenAI-compatible endpoint: host, port, password."""

log = logging.getLogger(__name__)


def run_step(step: str, *arguments: Any, **options: Any) -> Any:
    """Call a function of `c2c_tasks.pipeline` with the build of the running task.

    What a user has to mend (an option, a path, a permission) fails the task at once, without
    retries; what may pass by itself (a store, a database, an engine or an endpoint that does
    not answer) is left to the task's retries. Both say it in one line, which is also left for the
    run's note and the alert. That nothing is new, that a step before has failed, or that the
    options leave the step out, skips the task. Every line logged meanwhile carries build, step
    and shard.
    """
    # Imported here: a DAG file is parsed every few seconds, and these are heavy.
    import duckdb

    from c2c_tasks import pipeline
    from c2c_tasks.catalogue import CatalogueError
    from c2c_tasks.curation.benchmarks import BenchmarkError
    from c2c_tasks.curation.opt_outs import OptOutError
    from c2c_tasks.extraction.processes import ProcessesError
    from c2c_tasks.inputs.writer import EngineDown, InputError
    from c2c_tasks.publishing.audit import AuditError
    from c2c_tasks.publishing.release import PublishError
    from c2c_tasks.sandbox.launchers import RunnerError, SandboxError
    from c2c_tasks.shards import watching
    from c2c_tasks.sources import SourceError
    from c2c_tasks.store import StoreError

    context = get_current_context()
    with log_fields(build=context["dag_run"].run_id, step=step, **_shard(arguments)):
        try:
            build = _build_of(context, step)
            _use_connection(build.config)
            started = time.monotonic()
            with watching(count_step):
                result = getattr(pipeline, step)(build, *arguments, **options)
            log.info("%s: %.2f s of its own", step, time.monotonic() - started)
            if step == "publish":
                count_build(build.config, result, context["dag_run"].start_date)
            return result
        except (pipeline.NothingNew, pipeline.NotReached, pipeline.SwitchedOff) as reason:
            log.info("%s", reason)
            leave("skipped", str(reason))
            raise AirflowSkipException(str(reason)) from None
        except (
            CatalogueError,
            EngineDown,
            OSError,
            ProcessesError,
            RunnerError,
            StoreError,
            duckdb.Error,
        ) as error:
            _tell(error)
            raise AirflowException(str(error)) from None
        except (
            AuditError,
            BenchmarkError,
            ConfigError,
            InputError,
            OptOutError,
            PublishError,
            SandboxError,
            SourceError,
            pipeline.BuildError,
        ) as error:
            _tell(error)
            raise AirflowFailException(str(error)) from None


def _tell(error: Exception) -> None:
    """Log an error, and leave it for the run's note and the alert."""
    log.error("%s", error)
    leave("failed", str(error), entry=runbook_entry(error))


def _shard(arguments: tuple[Any, ...]) -> dict[str, str]:
    """Return the label of the shard that a mapped task is given, as the UI shows it."""
    first = arguments[0] if arguments else None
    return {"shard": str(first["shard"])} if isinstance(first, dict) and "shard" in first else {}


def _build_of(context: Context, step: str) -> Build:
    """Return the build of the running task; `plan` logs which preset and options it has."""
    from c2c_tasks.pipeline import Build

    if step == PLAN:
        config, said = decide(context)
        log.info("%s", said)
    else:
        config = BuildConfig.from_flat(options_of(context))
    run = context["dag_run"]
    date = context.get("partition_key") or f"{run.logical_date or run.run_after:%Y-%m-%d}"
    return Build(run.run_id, date, config)


def _use_connection(config: BuildConfig) -> None:
    """Let the Connection `VLLM_CONNECTION` name the endpoint, where nothing else does."""
    if config.inputs.writer != "vllm" or config.inputs.endpoint:
        return
    if "C2C_VLLM_ENDPOINT" in os.environ:  # the Connection's password is for its own host
        return
    try:
        connection = Connection.get(VLLM_CONNECTION)
    except AirflowNotFoundException:
        return
    host = connection.host or "localhost"
    if "://" not in host:
        host = f"{connection.schema or 'http'}://{host}"
    port = f":{connection.port}" if connection.port else ""
    os.environ["C2C_VLLM_ENDPOINT"] = f"{host}{port}/v1"
    if connection.password:
        os.environ["C2C_VLLM_API_KEY"] = connection.password
