"""The DAG of a training: its form, and its steps' errors as Airflow's."""

from __future__ import annotations

import importlib
from datetime import timedelta
from typing import Any

import pytest


@pytest.fixture(scope="module")
def dag() -> Any:
    from case2code_train import case2code_train

    return case2code_train()


def test_every_option_is_a_param(dag: Any) -> None:
    from c2c_tasks.config import TrainingConfig

    values = {name: dag.params.get_param(name).resolve() for name in dag.params}
    assert TrainingConfig.from_flat(values) == TrainingConfig()
    assert next(iter(dag.params)) == "base_model"


def test_the_gpu_trains_and_tells_of_the_model(dag: Any) -> None:
    from c2c_airflow.assets import MODEL

    tasks = {task.task_id: task for task in dag.tasks}
    assert (tasks["train"].queue, tasks["train"].pool) == ("gpu", "gpu")
    assert tasks["train"].outlets == [MODEL]
    assert tasks["train"].upstream_task_ids == {"export"}
    assert tasks["export"].queue == "default"


@pytest.mark.parametrize(("name", "may_pass"), [("TrainerDown", True), ("TrainingError", False)])
def test_what_may_pass_is_tried_again(
    name: str, may_pass: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    from c2c_airflow import run_notes, training_steps
    from c2c_tasks.training import errors, run

    def fail(training: Any) -> None:
        raise getattr(errors, name)(f"base model {training.config.training.base_model}")

    left: dict[str, Any] = {}
    ti = SimpleNamespace(xcom_push=lambda key, value: left.update(value))
    context = {"params": {"base_model": "m"}, "dag_run": SimpleNamespace(run_id="run"), "ti": ti}
    for module in (training_steps, run_notes):
        monkeypatch.setattr(module, "get_current_context", lambda: context)
    monkeypatch.setattr(run, "export", fail)
    with pytest.raises(AirflowException, match="base model m") as raised:
        training_steps.run_training_step("export")
    assert isinstance(raised.value, AirflowFailException) != may_pass
    assert left == {"kind": "failed", "text": "base model m", "entry": "a-training-failed"}


def test_a_run_that_fails_or_is_late_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    import case2code_train
    from c2c_airflow.alerts import tell_failure

    monkeypatch.setenv("C2C_DEADLINE_HOURS", "6")  # which is read when the file is parsed
    dag = importlib.reload(case2code_train).case2code_train()
    assert dag.on_failure_callback in (tell_failure, [tell_failure])
    (deadline,) = dag.deadline
    longest = max(task.execution_timeout for task in dag.tasks)
    assert deadline.interval >= longest > timedelta(days=1)
