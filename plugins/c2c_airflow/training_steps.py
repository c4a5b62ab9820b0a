"""From Airflow's context to a training, and from its errors to Airflow's."""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from c2c_airflow.context import tell_error
from c2c_airflow.log_fields import log_fields
from c2c_airflow.run_options import changed
from c2c_tasks.config import ConfigError, TrainingConfig

log = logging.getLogger(__name__)


def run_training_step(step: str, *arguments: Any) -> Any:
    """Call a function of `c2c_tasks.training.run` with the training of the running task.

    What a user has to mend fails the task at once; a store that does not answer, or a trainer that
    was ended, is left to the task's retries, which go on from the last checkpoint of this worker.
    Both are also left for the run's note and the alert.
    """
    from c2c_tasks.publishing.release import PublishError
    from c2c_tasks.store import StoreError
    from c2c_tasks.training import run
    from c2c_tasks.training.errors import TrainerDown, TrainingError

    context: Any = get_current_context()
    with log_fields(training=context["dag_run"].run_id, step=step):
        try:
            config = TrainingConfig.from_flat(dict(context["params"]))
            log.info("%s", changed(config))
            return getattr(run, step)(run.Training(config), *arguments)
        except (OSError, StoreError, TrainerDown) as error:
            tell_error(error)
            raise AirflowException(str(error)) from None
        except (ConfigError, PublishError, TrainingError) as error:
            tell_error(error)
            raise AirflowFailException(str(error)) from None


def date_of(context: Any) -> str:
    """Return the date of the running task's run, for the partition key of what it emits."""
    run = context["dag_run"]
    return f"{run.logical_date or run.run_after:%Y-%m-%d}"
