"""Whose turn it is, by the runs that there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from c2c_airflow.turns import is_its_turn


@dataclass(frozen=True)
class Run:
    kind: str
    day: int
    state: str
    publish: str | None = None

    @property
    def run_id(self) -> str:
        date = f"2026-11-{self.day}"
        return f"{self.kind}__{date}T02:00:00+00:00__{date}__k3Js92ab"


class TaskInstance:
    """Answers as Airflow's: what it knows of the runs of the DAG."""

    dag_id = "case2code_build"

    def __init__(self, run_id: str, *others: Run) -> None:
        self.run_id = run_id
        self.states: dict[str, Any] = {run.run_id: {"publish": run.publish} for run in others}
        # Started by hand, without a partition key.
        self.states["manual__2026-11-01T09:00:00+00:00_x"] = {"publish": None}
        self.runs = {run.run_id: run.state for run in others}

    def get_task_states(self, dag_id: str, task_ids: list[str]) -> dict[str, Any]:
        assert (dag_id, task_ids) == (self.dag_id, ["publish"])
        return self.states

    def get_dagrun_state(self, dag_id: str, run_id: str) -> str:
        return self.runs[run_id]


@pytest.mark.parametrize(
    ("kind", "other", "waits"),
    [
        ("backfill", Run("backfill", 20, "running"), True),
        ("backfill", Run("backfill", 20, "running", "up_for_retry"), True),
        ("backfill", Run("scheduled", 20, "running"), True),
        ("backfill", Run("backfill", 22, "running"), False),
        ("backfill", Run("backfill", 21, "running"), False),
        ("backfill", Run("backfill", 20, "success", "success"), False),
        ("backfill", Run("backfill", 20, "success", "skipped"), False),
        # A night that failed, and one that was marked so while it ran, hold up none after it.
        ("scheduled", Run("scheduled", 20, "failed", "upstream_failed"), False),
        ("scheduled", Run("scheduled", 20, "failed"), False),
        # Backwards, or beyond its limit of active runs: those that are queued could never start.
        ("backfill", Run("backfill", 20, "queued"), False),
        ("scheduled", Run("backfill", 20, "queued"), True),
        ("scheduled", Run("scheduled", 20, "queued"), False),
    ],
)
def test_a_run_waits_for_those_of_earlier_dates_that_can_end(
    kind: str, other: Run, waits: bool
) -> None:
    mine = Run(kind, 21, "running")
    assert is_its_turn(TaskInstance(mine.run_id, mine, other), "2026-11-21") is not waits


def test_a_run_without_a_partition_key_waits_for_none() -> None:
    assert is_its_turn(TaskInstance("manual__1", Run("backfill", 20, "running")), None)


def test_run_ids_are_those_of_airflow() -> None:
    from airflow.timetables.trigger import CronPartitionTimetable
    from airflow.utils.types import DagRunType
    from pendulum import datetime

    timetable = CronPartitionTimetable("0 2 * * *", timezone="UTC", key_format="%Y-%m-%d")
    for kind in (DagRunType.BACKFILL_JOB, DagRunType.SCHEDULED):
        run_id = timetable.generate_run_id(
            run_type=kind,
            run_after=datetime(2026, 11, 20, 2),
            data_interval=None,
            partition_key="2026-11-20",
        )
        earlier = TaskInstance("scheduled__x")
        earlier.states[run_id], earlier.runs[run_id] = {"publish": None}, "running"
        assert not is_its_turn(earlier, "2026-11-21")
        assert is_its_turn(earlier, "2026-11-20")
        assert run_id.startswith(f"{kind.value}__")
