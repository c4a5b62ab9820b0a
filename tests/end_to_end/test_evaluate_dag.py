"""The DAG of evaluations on Airflow, in this process, on a small release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.records import Program
from tests.publishing.conftest import make_program, make_samples, publish

__all__ = ["make_program", "make_samples", "publish"]

pytestmark = pytest.mark.slow

OPTIONS: dict[str, Any] = {
    "launcher": "process",
    "problem_held_cases": 1,
    "problems_per_shard": 2,
    "differential_inputs": 20,
}


@pytest.fixture
def release(workspace: Path, publish: Any, make_program: Callable[[int], Program]) -> str:
    """The URI of a release with four programs in its test split."""
    target = (workspace / "target").as_uri()
    return str(publish(target, [make_program(n) for n in range(20)], card=False))


@pytest.fixture
def run_dag(airflow_home: Path, release: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the DAG and returns its DagRun."""
    monkeypatch.setenv("C2C_DEADLINE_HOURS", "0")
    from case2code_evaluate import case2code_evaluate

    def run(**conf: Any) -> Any:
        dag = case2code_evaluate()
        for task in dag.tasks:
            task.retries = 0  # each would wait
        return dag.test(run_conf=OPTIONS | conf)

    return run


def states(run: Any) -> Counter[tuple[str, str]]:
    return Counter((ti.task_id, str(ti.state)) for ti in run.get_task_instances())


def test_a_run_writes_a_report_beside_the_release(run_dag: Any, release: str) -> None:
    run = run_dag(solver="reference")
    assert run.state == "success"
    assert states(run) == {
        ("prepare_problems", "success"): 1,
        ("shard.answer", "success"): 2,
        ("shard.grade", "success"): 2,
        ("report", "success"): 1,
    }
    labels = {ti.rendered_map_index for ti in run.get_task_instances() if ti.map_index >= 0}
    assert labels == {"1 of 2", "2 of 2"}
