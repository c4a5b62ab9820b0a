"""The alerts of the nightly build, to a real web server."""

from __future__ import annotations

import asyncio
import inspect
import logging
import re
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from c2c_airflow import alerts
from c2c_airflow.context import run_step
from c2c_airflow.training_steps import run_training_step
from c2c_tasks.pipeline import BuildError, NotReached
from c2c_tasks.sandbox.launchers import RunnerError
from c2c_tasks.store import StoreUnavailable
from tests.plugins.listening import HttpReceiver

ROOT = Path(__file__).resolve().parent.parent.parent
RUN_ID = "scheduled__2026-11-24T02:00:00+00:00__2026-11-24__k3Js92ab"


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    monkeypatch.setattr(alerts, "PAUSE_SECONDS", 0.01)
    receiver = HttpReceiver()
    monkeypatch.setenv(
        "AIRFLOW_CONN_CASE2CODE_ALERTS", f"http://:T1%2Fsecret@127.0.0.1:{receiver.port}"
    )
    yield receiver
    receiver.close()


@pytest.fixture
def context(airflow_home: Path) -> Any:
    from case2code_build import case2code_build

    return {"dag": case2code_build(), "run_id": RUN_ID, "reason": "task_failure"}


@pytest.fixture
def failed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """States and errors of tasks, as Airflow's API server tells them."""
    from airflow.sdk.execution_time import task_runner, xcom

    told: dict[str, Any] = {"states": {}, "errors": {}}
    monkeypatch.setattr(
        task_runner.RuntimeTaskInstance,
        "get_task_states",
        staticmethod(lambda dag_id, run_ids: {run_ids[0]: told["states"]}),
    )
    monkeypatch.setattr(
        xcom.XCom,
        "get_one",
        lambda key, dag_id, task_id, run_id, map_index: told["errors"].get((task_id, map_index)),
    )
    return told


def left(error: Exception) -> dict[str, str]:
    """What a step leaves that fails with an error."""
    return {"kind": "failed", "text": str(error), "entry": alerts.runbook_entry(error)}


def test_the_tasks_that_failed_first_are_named_with_their_errors(
    webhook: HttpReceiver, context: Any, failed: dict[str, Any]
) -> None:
    failed["states"] = {
        "audit": "failed",
        "plan": "success",
        "publish": "upstream_failed",
        "shard.execute_10": "failed",
        "shard.execute_2": "failed",
        "shard.execute_3": "success",
        "shard.curate_2": "upstream_failed",
        "merge_programs": "failed",
    }
    failed["errors"] = {
        ("shard.execute", 2): left(RunnerError("the runner does not start")),
        ("merge_programs", None): left(BuildError("2 of 12 function shards failed")),
    }
    alerts.tell_failure(context)
    (alert,) = webhook.posted
    assert alert.path == "/T1/secret"
    assert alert.json["text"].splitlines() == [
        f"case2code_build failed: run {RUN_ID}",
        "- shard.execute[2]: the runner does not start",
        "- shard.execute[10]: no word of why; it died, timed out, or its log has a traceback",
        "- merge_programs: 2 of 12 function shards failed",
        "- and 1 more failed tasks",
        "Run: http://localhost:8080/dags/case2code_build/runs/"
        "scheduled__2026-11-24T02%3A00%3A00%2B00%3A00__2026-11-24__k3Js92ab",
        "What to do: docs/runbook.md#the-sandbox-engine-is-down-or-its-image-is-missing",
    ]


def test_of_a_thousand_failed_tasks_the_first_are_asked_why(
    webhook: HttpReceiver, context: Any, failed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Airflow ends a callback that takes as long as a request for each would.
    failed["states"] = {f"shard.execute_{n}": "failed" for n in range(1_000)}
    asked = []

    def get_one(key: str, dag_id: str, task_id: str, run_id: str, map_index: int) -> Any:
        asked.append(map_index)
        if map_index == 1:
            raise OSError("the API server does not answer")
        if map_index == 2:  # killed after it had said that it was done
            return {"kind": "published", "text": "**2026.11.24-1**"}
        return left(RunnerError("line\n" * 10_000))

    monkeypatch.setattr("airflow.sdk.execution_time.xcom.XCom.get_one", get_one)
    alerts.tell_failure(context)
    assert asked == [0, 1, 2]
    _, first, *others, more, _, _ = webhook.posted[0].json["text"].splitlines()
    assert first.startswith("- shard.execute[0]: line line ") and first.endswith(" …")
    assert len(first) < 600
    assert others == [
        "- shard.execute[1]: its log says why",
        "- shard.execute[2]: no word of why; it died, timed out, or its log has a traceback",
    ]
    assert more == "- and 997 more failed tasks"


def test_where_airflow_does_not_say_what_failed_the_alert_goes_out_without(
    webhook: HttpReceiver, context: Any
) -> None:
    alerts.tell_failure(context)
    (alert,) = webhook.posted
    assert alert.json["text"].splitlines()[1] == "- task_failure"


def test_runs_that_a_person_started_are_not_told_of(
    webhook: HttpReceiver, context: Any, failed: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    alerts.tell_failure(context | {"run_id": "manual__2026-11-24"})
    assert webhook.posted == []
    assert "no alert, as a person started this run" in caplog.text


def overdue(run_id: str, dag_id: str = "case2code_build") -> None:
    run = {"dag_id": dag_id, "dag_run_id": run_id, "state": "running"}
    deadline = {"id": "1", "deadline_time": "2026-11-24T08:00:00Z"}
    asyncio.run(alerts.tell_overdue({"dag_run": run, "deadline": deadline}))


def test_a_run_past_its_deadline_is_told_of(webhook: HttpReceiver) -> None:
    overdue("manual__1")
    overdue(RUN_ID)
    (alert,) = webhook.posted
    assert alert.json["text"].startswith(
        f"case2code_build is overdue: run {RUN_ID} was to end by 2026-11-24T08:00:00Z\n"
    )


def test_an_evaluation_that_a_release_has_started_is_told_of(webhook: HttpReceiver) -> None:
    overdue("asset_triggered__2026-11-24T03:00:00+00:00_k3Js92ab", "case2code_evaluate")
    (alert,) = webhook.posted
    assert alert.json["text"].endswith("docs/runbook.md#an-evaluation-is-overdue")


def test_a_training_has_longer_than_a_night(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C2C_DEADLINE_HOURS", "6")
    made = alerts.deadline("training", least_hours=48)
    assert made is not None and made.interval == timedelta(hours=48)
    monkeypatch.setenv("C2C_DEADLINE_HOURS", "60")
    made = alerts.deadline("training", least_hours=48)
    assert made is not None and made.interval == timedelta(hours=60)
    monkeypatch.setenv("C2C_DEADLINE_HOURS", "0")
    assert alerts.deadline("training", least_hours=48) is None


def test_without_a_connection_the_log_has_the_alert(
    context: Any, failed: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    alerts.tell_failure(context)
    (line,) = [r.getMessage() for r in caplog.records if "goes nowhere" in r.getMessage()]
    assert line.startswith("no Connection case2code_alerts, so this alert goes nowhere: ")


def test_a_webhook_that_is_busy_is_asked_again(webhook: HttpReceiver, context: Any) -> None:
    webhook.statuses = [500, 429]
    alerts.tell_failure(context)
    assert len(webhook.posted) == 3


@pytest.mark.parametrize(("statuses", "tries"), [([404], 1), ([500, 500, 500], 3)])
def test_a_webhook_that_refuses_is_an_error_in_the_log_that_does_not_tell_its_address(
    statuses: list[int],
    tries: int,
    webhook: HttpReceiver,
    context: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "c2c_airflow")
    webhook.statuses = list(statuses)
    alerts.tell_failure(context)
    assert len(webhook.posted) == tries
    assert f"does not take this alert (status {statuses[0]})" in caplog.text
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("c2c_airflow")]
    assert ours and "secret" not in str(ours)


def test_a_webhook_that_is_silent_holds_nobody_up(
    context: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(alerts, "TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr(alerts, "PAUSE_SECONDS", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("AIRFLOW_CONN_CASE2CODE_ALERTS", f"http://127.0.0.1:{port}")
        started = time.monotonic()
        alerts.tell_failure(context)
        assert time.monotonic() - started < 3
    assert "does not take this alert (ReadTimeout)" in caplog.text


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        ({"host": "https://hooks.example.com", "password": "a/b"}, "https://hooks.example.com/a/b"),
        ({"host": "chat", "port": 8065, "schema": "https"}, "https://chat:8065"),
        ({"host": "chat/hooks/", "password": "/x"}, "http://chat/hooks/x"),
    ],
)
def test_the_address_is_the_connection_s(connection: dict[str, Any], url: str) -> None:
    assert (
        alerts._url(SimpleNamespace(**dict.fromkeys(("port", "schema", "password")) | connection))
        == url
    )


@pytest.mark.parametrize(("hours", "seconds"), [(None, 21600), ("", 21600), ("0.5", 1800)])
def test_the_deadline_is_an_environment_variable_s(
    hours: str | None, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("C2C_DEADLINE_HOURS", raising=False)
    if hours is not None:
        monkeypatch.setenv("C2C_DEADLINE_HOURS", hours)
    deadline = alerts.deadline()
    assert deadline is not None and deadline.interval.total_seconds() == seconds


def test_there_may_be_no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C2C_DEADLINE_HOURS", "0")
    assert alerts.deadline() is None


@pytest.mark.parametrize("hours", ["abc", "-1", "nan", "inf"])
def test_hours_that_are_none_are_named(hours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C2C_DEADLINE_HOURS", hours)
    with pytest.raises(ValueError, match=f"^C2C_DEADLINE_HOURS: '{hours}' is no number of hours"):
        alerts.deadline()


@pytest.mark.parametrize(
    ("error", "entry"),
    [
        (StoreUnavailable("x"), "the-store-refuses"),  # of the class that it derives from
        (NotReached("x"), "plan-failed"),
        (PermissionError("x"), "a-disk-is-full"),
        (duckdb.IOException("x"), "a-disk-is-full"),
        (KeyError("x"), "a-task-died-without-a-word"),
    ],
)
def test_the_entry_is_that_of_the_error_s_class(error: Exception, entry: str) -> None:
    assert alerts.runbook_entry(error) == entry


def test_every_error_that_a_step_fails_with_has_an_entry() -> None:
    source = inspect.getsource(run_step) + inspect.getsource(run_training_step)
    others = "EngineDown|EvaluationExists|TrainerDown"
    names = set(re.findall(rf"\b(?:(?:duckdb\.)?\w*Error|{others})\b", source))
    assert names == set(alerts.ENTRIES)


def test_every_alert_leads_to_an_entry_of_the_runbook() -> None:
    rules = (ROOT / "docker" / "observability" / "alerts.yaml").read_text()
    linked = {*alerts.ENTRIES.values(), *alerts.OVERDUE.values(), alerts.OTHERWISE}
    linked |= set(re.findall(r"docs/runbook\.md#([\w-]+)", rules))
    headings = re.findall(r"^##+ (.+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert linked <= anchors
