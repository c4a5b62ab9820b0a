"""
### Case2Code: from a release to a model trained on it

| task | does | queue |
| --- | --- | --- |
| `export` | writes the release, or a mixture with it, as TRL reads it | `default` |
| `train` | trains the base model by the recipe, emits `case2code_model` | `gpu` |

Triggered by hand, with a **base model**. The data goes to `exports/` of the target, the checkpoint
to `models/`, with `training.json`, which says how it was made and how the loss went. A training
that was interrupted goes on from its last checkpoint when the task is tried again on the same
worker; one that is complete is not run again. The run's note says where it is.

The event of the new model starts `case2code_evaluate`, which asks it for the test split. Recipes
and mixtures are in `recipes/`; docs/training.md tells of both.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import dag, get_current_context, task

from c2c_airflow.alerts import deadline, tell_failure
from c2c_airflow.announcing import training_note
from c2c_airflow.assets import MODEL, tell
from c2c_airflow.params import add_training_params
from c2c_airflow.run_notes import leave
from c2c_airflow.task_defaults import task_defaults
from c2c_airflow.training_steps import date_of, run_training_step

LONGEST_TRAINING = timedelta(days=7)


@dag(
    dag_id="case2code_train",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    deadline=deadline("training", least_hours=LONGEST_TRAINING / timedelta(hours=1)),
    on_failure_callback=tell_failure,
    doc_md=__doc__,
    tags=["case2code"],
    default_args=task_defaults(),
)
def case2code_train() -> None:
    """From a release to a checkpoint."""

    @task
    def export() -> Any:
        """Write the release, or a mixture with it, as TRL reads it."""
        return run_training_step("export")

    @task(queue="gpu", pool="gpu", execution_timeout=LONGEST_TRAINING, outlets=[MODEL])
    def train(exported: Any) -> Any:
        """Train the base model by the recipe."""
        checkpoint = run_training_step("train", exported)
        context: Any = get_current_context()
        tell(context, MODEL, checkpoint, date=date_of(context))
        leave("trained", training_note(checkpoint))
        return checkpoint

    trained: Any = train(export())
    add_training_params(trained.operator.dag)


case2code_train()
