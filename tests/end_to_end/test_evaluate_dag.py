"""The DAG of evaluations on Airflow, in this process, on a small release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from c2c_tasks.config import EvaluationConfig
from c2c_tasks.evaluation.results import read_result
from c2c_tasks.pipeline import Evaluation, run_evaluation
from c2c_tasks.records import Program
from tests.publishing.conftest import make_program, make_samples, publish

__all__ = ["make_program", "make_samples", "publish"]

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent
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
        return case2code_evaluate().test(run_conf=OPTIONS | conf)

    return run


def states(run: Any) -> Counter[tuple[str, str]]:
    return Counter((ti.task_id, str(ti.state)) for ti in run.get_task_instances())


def files_of(folder: str) -> dict[str, bytes]:
    root = Path(folder.removeprefix("file://"))
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize(("solver", "passed"), [("reference", 1.0), ("lookup", 0.0)])
def test_a_run_writes_a_report_beside_the_release(
    solver: str, passed: float, run_dag: Any, release: str
) -> None:
    run = run_dag(solver=solver)
    assert run.state == "success"
    assert states(run) == {
        ("prepare_problems", "success"): 1,
        ("shard.answer", "success"): 2,
        ("shard.grade", "success"): 2,
        ("report", "success"): 1,
    }
    labels = {ti.rendered_map_index for ti in run.get_task_instances() if ti.map_index >= 0}
    assert labels == {"1 of 2", "2 of 2"}
    ti = run.get_task_instance("report")
    written = ti.xcom_pull(task_ids="report")
    result = read_result(written["uri"])
    assert result.release is not None and result.release.uri == release
    (task,) = result.tasks
    assert {rate.value for rate in task.pass_at} == {passed}
    note = ti.xcom_pull(task_ids="report", key="case2code_note")
    assert note["kind"] == "evaluated" and f"pass@1 {passed:.1%} on held-out cases" in note["text"]

    # Tasks that are cleared find what they have made: no byte of the report changes. The same
    # without Airflow, too.
    files = files_of(written["uri"])
    config = EvaluationConfig.from_flat(OPTIONS | {"solver": solver})
    again = Evaluation(run.run_id, f"{run.logical_date or run.run_after:%Y-%m-%d}", config)
    assert run_evaluation(again) == written
    assert files_of(written["uri"]) == files


def test_each_release_starts_a_run_whether_a_schedule_or_a_person_has_built_it(
    airflow_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Airflow's own scheduler: it hands events with a key to DAGs that wait for partitions."""
    from airflow.assets.manager import asset_manager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models.asset import AssetModel
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    monkeypatch.setenv("C2C_DEADLINE_HOURS", "0")
    bag = DagBag(ROOT / "dags")
    assert not bag.import_errors
    sync_bag_to_db(bag, "dags-folder", None)
    told = {"version": "2026.11.24-1", "uri": "s3://bucket/releases/2026.11.24-1"}
    with create_session() as session:
        query = select(DagModel).where(DagModel.dag_id == "case2code_evaluate")
        session.scalars(query).one().is_paused = False
    with create_session() as session:
        asset = session.scalars(select(AssetModel).filter_by(name="case2code_dataset")).one()
        for key in ("2026-11-24", "2026-11-25"):  # of runs without one, assets.tell sets it
            asset_manager.register_asset_change(
                asset=asset, extra=told, partition_key=key, session=session
            )
        session.flush()
        runner = SchedulerJobRunner(Job())
        assert runner._create_dagruns_for_partitioned_asset_dags(session) == {"case2code_evaluate"}
        runs = session.scalars(select(DagRun).filter_by(dag_id="case2code_evaluate")).all()
        started = {run.partition_key: run for run in runs if run.run_type == "asset_triggered"}
        assert set(started) == {"2026-11-24", "2026-11-25"}
        (event,) = started["2026-11-25"].consumed_asset_events
        assert event.extra == told
        session.rollback()
