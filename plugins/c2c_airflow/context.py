"""From Airflow's context to a build or an evaluation, and from our errors to Airflow's."""

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
from c2c_airflow.evaluation_options import NotConfigured
from c2c_airflow.log_fields import log_fields
from c2c_airflow.metrics import count_build, count_step
from c2c_airflow.run_notes import leave
from c2c_airflow.run_options import DECIDING, config_of, decide, is_evaluation
from c2c_tasks.config import BuildConfig, ConfigError, EngineOptions, EvaluationConfig

if TYPE_CHECKING:
    from airflow.sdk import Context

VLLM_CONNECTION = "case2code_vllm"
"""Id of the Airflow Connection to the OpenAI-compatible endpoint: host, port, password."""

log = logging.getLogger(__name__)


def run_step(step: str, *arguments: Any, **options: Any) -> Any:
    """Call a function of `c2c_tasks.pipeline` with the build or evaluation of the running task.

    What a user has to mend (an option, a path, a permission) fails the task at once, without
    retries; what may pass by itself (a store, a database, an engine or an endpoint that does
    not answer) is left to the task's retries. Both say it in one line, which is also left for the
    run's note and the alert. That nothing is new, that a step before has failed, or that nothing
    asks for the step, skips the task. Every line logged meanwhile carries build or evaluation, step
    and shard.
    """
    # Imported here: a DAG file is parsed every few seconds, and these are heavy.
    import duckdb

    from c2c_tasks import pipeline
    from c2c_tasks.catalogue import CatalogueError
    from c2c_tasks.curation.benchmarks import BenchmarkError
    from c2c_tasks.curation.opt_outs import OptOutError
    from c2c_tasks.evaluation.errors import ProblemError
    from c2c_tasks.evaluation.report import EvaluationExists
    from c2c_tasks.extraction.processes import ProcessesError
    from c2c_tasks.inputs.writer import EngineDown, InputError
    from c2c_tasks.publishing.audit import AuditError
    from c2c_tasks.publishing.release import PublishError
    from c2c_tasks.sandbox.launchers import RunnerError, SandboxError
    from c2c_tasks.shards import watching
    from c2c_tasks.sources import SourceError
    from c2c_tasks.store import StoreError

    context = get_current_context()
    kind = "evaluation" if is_evaluation(context) else "build"
    with log_fields(**{kind: context["dag_run"].run_id}, step=step, **_shard(arguments)):
        try:
            run = _run_of(context, step)
            _use_connection(run.config)
            started = time.monotonic()
            with watching(count_step):
                result = getattr(pipeline, step)(run, *arguments, **options)
            log.info("%s: %.2f s of its own", step, time.monotonic() - started)
            if step == "publish":
                count_build(run.config, result, context["dag_run"].start_date)
            return result
        except (
            NotConfigured,
            pipeline.NothingNew,
            pipeline.NotReached,
            pipeline.SwitchedOff,
        ) as reason:
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
            tell_error(error)
            raise AirflowException(str(error)) from None
        except (
            AuditError,
            BenchmarkError,
            ConfigError,
            EvaluationExists,
            InputError,
            OptOutError,
            ProblemError,
            PublishError,
            SandboxError,
            SourceError,
            pipeline.BuildError,
            pipeline.EvaluationError,
        ) as error:
            tell_error(error)
            raise AirflowFailException(str(error)) from None


def tell_error(error: Exception) -> None:
    """Log an error, and leave it for the run's note and the alert."""
    log.error("%s", error)
    leave("failed", str(error), entry=runbook_entry(error))


def _shard(arguments: tuple[Any, ...]) -> dict[str, str]:
    """Return the label of the shard that a mapped task is given, as the UI shows it."""
    first = arguments[0] if arguments else None
    return {"shard": str(first["shard"])} if isinstance(first, dict) and "shard" in first else {}


def _run_of(context: Context, step: str) -> Any:
    """Return the build or evaluation of the running task; its first step logs what it is about."""
    from c2c_tasks.pipeline import Build, Evaluation

    if step in DECIDING:
        config, said = decide(context)
        log.info("%s", said)
    else:
        config = config_of(context)
    run = context["dag_run"]
    date = f"{run.logical_date or run.run_after:%Y-%m-%d}"
    if isinstance(config, EvaluationConfig):
        return Evaluation(run.run_id, date, config)
    return Build(run.run_id, context.get("partition_key") or date, config)


def _use_connection(config: BuildConfig | EvaluationConfig) -> None:
    """Let the Connection `VLLM_CONNECTION` name the endpoint, where nothing else does."""
    if not _asks_an_endpoint(config) or "C2C_VLLM_ENDPOINT" in os.environ:
        return  # the Connection's password is for its own host
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


def _asks_an_endpoint(config: BuildConfig | EvaluationConfig) -> bool:
    """Tell whether a language model is asked whose endpoint no option names."""
    engine: EngineOptions
    if isinstance(config, EvaluationConfig):
        asks, engine = config.model.solver == "vllm", config.model
    else:
        asks, engine = config.inputs.writer == "vllm", config.inputs
    return asks and engine.engine == "endpoint" and not engine.endpoint
