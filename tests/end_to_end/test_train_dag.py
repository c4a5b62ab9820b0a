"""The DAG of a training on Airflow, in this process, with a stand-in of the trainer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from c2c_tasks.records import Program
from tests.publishing.conftest import make_program, make_samples, publish
from tests.training.test_counting import folder as tokenizer

__all__ = ["make_program", "make_samples", "publish", "tokenizer"]

pytestmark = pytest.mark.slow

TRAINER = """#!{python}
import json, pathlib, sys
given = dict(zip(sys.argv, sys.argv[1:]))
data, output = (pathlib.Path(given[name]) for name in ("--data", "--output"))
if not (data / "train.jsonl").is_file():
    sys.exit("sft_trl: error: no data")
if "--set=max_steps=1" in sys.argv:
    sys.exit("sft_trl: error: setting 'max_steps': is too small for a test")
print("step 3 of 3, loss 5.5000", flush=True)
output.mkdir(parents=True)
(output / "config.json").write_text("{{}}")
told = {{"steps": 3, "seconds": 1.0, "loss": [[1, 7.0], [3, 5.5]], "validation_loss": 6.0,
        "tokens_per_second": 10}}
(output / "training.json").write_text(json.dumps(told))
"""


@pytest.fixture
def run_dag(
    airflow_home: Path,
    workspace: Path,
    tokenizer: Path,
    publish: Any,
    make_program: Callable[[int], Program],
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """Runs the DAG on a small release, and returns its DagRun."""
    monkeypatch.setenv("C2C_CACHE", str(workspace / "cache"))
    monkeypatch.setenv("C2C_DEADLINE_HOURS", "0")
    python = workspace / "python"
    python.write_text(TRAINER.format(python=sys.executable))
    python.chmod(0o755)
    monkeypatch.setenv("C2C_TRAINING_PYTHON", str(python))
    target = (workspace / "target").as_uri()
    publish(target, [make_program(n) for n in range(20)], card=False)
    # Another test of this process may have read it with a deadline, which `dag.test` breaks at.
    monkeypatch.delitem(sys.modules, "case2code_train", raising=False)
    from case2code_train import case2code_train

    def run(**conf: Any) -> Any:
        return case2code_train().test(run_conf={"base_model": str(tokenizer)} | conf)

    return run


def event_of(run: Any) -> Any:
    """Return the event of the model that a run has emitted."""
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session

    with create_session() as session:
        return session.scalars(select(AssetEvent).filter_by(source_run_id=run.run_id)).one()


def test_a_run_leaves_a_checkpoint_and_tells_of_it(run_dag: Any, workspace: Path) -> None:
    run = run_dag()
    assert {ti.task_id: ti.state for ti in run.get_task_instances()} == {
        "export": "success",
        "train": "success",
    }
    ti = run.get_task_instance("train")
    made = ti.xcom_pull(task_ids="train")
    assert Path(made["model"]).parent == workspace / "target" / "models"
    assert Path(made["model"], "training.json").is_file()
    note = ti.xcom_pull(task_ids="train", key="case2code_note")
    assert note["kind"] == "trained" and "3 steps, loss 5.500" in note["text"]

    event = event_of(run)
    assert event.extra["model"] == made["model"] and event.extra["prompt_style"] == "chat"
    assert event.partition_key == f"{run.logical_date or run.run_after:%Y-%m-%d}"
    again = run_dag()
    assert again.get_task_instance("train").xcom_pull(task_ids="train") == made


def test_what_the_trainer_refuses_fails_the_run_in_a_line(run_dag: Any) -> None:
    run = run_dag(recipe_settings={"max_steps": 1})
    assert run.state == "failed"
    ti = run.get_task_instance("train")
    assert (ti.state, ti.try_number) == ("failed", 1), "nothing is tried again"
    note = ti.xcom_pull(task_ids="train", key="case2code_note")
    assert note["text"] == "setting 'max_steps': is too small for a test"
