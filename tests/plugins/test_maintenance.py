"""When retention works, and how its errors are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from c2c_airflow import maintenance
from c2c_airflow.maintenance import retain_releases, runs_since_due
from c2c_airflow.params import retention_params
from c2c_tasks.config import ConfigError, RetentionOptions

QUARTER = timedelta(minutes=15)
DAY = datetime(2026, 11, 24, tzinfo=UTC)


def test_a_days_runs_begin_at_four() -> None:
    four = DAY + timedelta(hours=4)
    assert runs_since_due(four) == []
    assert runs_since_due(four + 2 * QUARTER) == [four, four + QUARTER]
    assert len(runs_since_due(four - QUARTER)) == 95
    assert runs_since_due(four - QUARTER)[0] == four - timedelta(days=1)


@pytest.fixture
def run(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls the task's function as on a run of a type and date; `states` are of earlier runs."""

    def call(
        run_type: str,
        now: datetime,
        states: dict[datetime, str | None] | None = None,
        **params: Any,
    ) -> Any:
        def get_task_states(dag_id: str, task_ids: list[str], logical_dates: list[datetime]) -> Any:
            assert (dag_id, task_ids) == ("case2code_maintain", ["retain"])
            known = states or {}
            return {str(d): {"retain": known[d]} for d in logical_dates if d in known}

        context = {
            "dag_run": SimpleNamespace(run_type=run_type, logical_date=now),
            "ti": SimpleNamespace(
                dag_id="case2code_maintain", task_id="retain", get_task_states=get_task_states
            ),
            "params": {name: p.resolve() for name, p in retention_params().items()} | params,
        }
        monkeypatch.setattr(maintenance, "get_current_context", lambda: context)
        return retain_releases()

    return call


@pytest.mark.parametrize("state", ["success", "running", "up_for_retry", "queued", None])
def test_scheduled_runs_after_one_that_did_it_or_is_at_it_are_skipped(
    run: Any, state: str | None
) -> None:
    four = DAY + timedelta(hours=4)
    states = {four: "failed", four + QUARTER: state, four + 2 * QUARTER: "skipped"}
    with pytest.raises(AirflowSkipException, match=r"once a day, from 04:00 UTC"):
        run("scheduled", four + 3 * QUARTER, states)
    assert run("manual", four + 3 * QUARTER, states) == {"bytes": 0}
    assert run("scheduled", four + timedelta(days=1), states) == {"bytes": 0}


def test_it_is_due_until_a_run_has_done_it(run: Any) -> None:
    four = DAY + timedelta(hours=4)
    # The run before four did the day before; those since have failed, or were never made.
    states = {four - QUARTER: "success", four: "failed", four + QUARTER: "skipped"}
    assert run("scheduled", four + 2 * QUARTER, states) == {"bytes": 0}
    assert run("scheduled", four + 9 * QUARTER) == {"bytes": 0}


def test_errors_are_one_line(run: Any, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    with pytest.raises(AirflowException, match="no such bucket"):
        run("manual", now, target=f"{s3_bucket}-missing")
    monkeypatch.setenv("C2C_CATALOGUE", "nonsense")
    with pytest.raises(AirflowException, match="not an SQLAlchemy URL"):
        run("manual", now)


def test_the_environment_sets_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    assert RetentionOptions().retention_dry_run and RetentionOptions().keep_releases == 0
    monkeypatch.setenv("C2C_KEEP_RELEASES", "30")
    monkeypatch.setenv("C2C_KEEP_FAILED_DAYS", "3")
    monkeypatch.setenv("C2C_RETENTION", "apply")
    params = {name: param.resolve() for name, param in retention_params().items()}
    assert params["keep_releases"] == 30 and params["keep_failed_days"] == 3
    assert params["retention_dry_run"] is False
    assert RetentionOptions.model_validate(params) == RetentionOptions()
    monkeypatch.setenv("C2C_RETENTION", "yes")
    with pytest.raises(ConfigError, match="C2C_RETENTION='yes': must be dry-run or apply"):
        RetentionOptions()
    monkeypatch.setenv("C2C_RETENTION", "dry-run")
    monkeypatch.setenv("C2C_KEEP_RELEASES", "many")
    with pytest.raises(ConfigError, match="C2C_KEEP_RELEASES='many': must be a whole number"):
        RetentionOptions()
