"""When retention works, and how its errors are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from c2c_airflow import maintenance
from c2c_airflow.maintenance import is_due, retain_releases
from c2c_airflow.params import retention_params
from c2c_tasks.config import ConfigError, RetentionOptions


def test_it_is_due_once_a_day() -> None:
    quarter = timedelta(minutes=15)
    start = datetime(2026, 11, 24, tzinfo=UTC)
    runs = [start + quarter * number for number in range(3 * 96)]
    due = [now for now, earlier in zip(runs[1:], runs, strict=False) if is_due(now, earlier)]
    assert due == [start + timedelta(days=day, hours=4) for day in range(3)]
    # The scheduler was down at four, or has never run.
    assert is_due(start + timedelta(hours=9), start - timedelta(hours=1))
    assert is_due(start, None)


@pytest.fixture
def run(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls the task's function as on a run of a type and date, after another run."""

    def call(run_type: str, now: datetime, earlier: datetime | None, **params: Any) -> Any:
        previous = SimpleNamespace(logical_date=earlier) if earlier else None
        context = {
            "dag_run": SimpleNamespace(run_type=run_type, logical_date=now),
            "ti": SimpleNamespace(get_previous_dagrun=lambda: previous),
            "params": {name: p.resolve() for name, p in retention_params().items()} | params,
        }
        monkeypatch.setattr(maintenance, "get_current_context", lambda: context)
        return retain_releases()

    return call


def test_scheduled_runs_but_one_a_day_are_skipped(run: Any) -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    with pytest.raises(AirflowSkipException, match=r"once a day, on the first run from 04:00 UTC"):
        run("scheduled", now, now - timedelta(minutes=15))
    assert run("scheduled", now, now - timedelta(hours=9)) == {"bytes": 0}
    assert run("manual", now, now - timedelta(minutes=15)) == {"bytes": 0}


def test_errors_are_one_line(run: Any, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    with pytest.raises(AirflowException, match="no such bucket"):
        run("manual", now, None, target=f"{s3_bucket}-missing")
    monkeypatch.setenv("C2C_CATALOGUE", "nonsense")
    with pytest.raises(AirflowException, match="not an SQLAlchemy URL"):
        run("manual", now, None)


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
