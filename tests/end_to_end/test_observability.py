"""What an operator is told by a real scheduler's runs: metrics, log fields, and alerts."""

from __future__ import annotations

import json
import re
import signal
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from c2c_airflow import standalone
from c2c_airflow.embedded import EmbeddedAirflow
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.store import normalise
from tests.end_to_end.test_backfill import free_ports
from tests.plugins.listening import HttpReceiver, StatsdListener, wait_for
from tests.plugins.test_metrics import AIRFLOW_LINES

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]

DEADLINE_HOURS = 0.002
OPTIONS: dict[str, Any] = {
    "launcher": "process",
    "inputs_per_function": 6,
    "refine_rounds": 0,
    "audit_programs": 2,
    "benchmarks": [],
    "licences": "any",
}
DAY = "2024-05-01"
STEPS = {
    *("plan", "extract", "merge_functions", "write_inputs", "execute", "curate"),
    *("merge_programs", "compose", "audit", "publish"),
}


@dataclass
class Operation:
    """An Airflow that runs, and those whom it tells."""

    airflow: EmbeddedAirflow
    statsd: StatsdListener
    webhook: HttpReceiver
    target: str

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the REST API; a body is posted."""
        url = f"{standalone.URL}{path}"
        headers = {"Content-Type": "application/json"}
        if not path.startswith("/auth"):
            headers["Authorization"] = f"Bearer {self.token}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(url, data, headers)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)

    @cached_property
    def token(self) -> str:
        return str(self.ask("/auth/token")["access_token"])

    def run(self, run_of: str, **conf: Any) -> tuple[str, str]:
        """Run the build as a person does (``manual``) or for a day; return id and last state."""
        runs = "/api/v2/dags/case2code_build/dagRuns"
        if run_of == "manual":
            body = {"logical_date": None, "conf": OPTIONS | conf}
            run_id = self.ask(runs, body)["dag_run_id"]
        else:
            days = {"from_date": f"{run_of}T00:00:00Z", "to_date": f"{run_of}T23:00:00Z"}
            body = {"dag_id": "case2code_build", **days, "dag_run_conf": OPTIONS | conf}
            # Of backfills one goes on at a time, and it ends some seconds after its runs.
            wait_for(lambda: self._started(body | {"max_active_runs": 1}), 120, every=1)
            found = wait_for(lambda: self._backfilled(run_of), 60, every=1)
            run_id = found["dag_run_id"]

        def ended() -> Any:
            state = self.ask(f"{runs}/{run_id}")["state"]
            return state if state in ("success", "failed") else None

        return run_id, wait_for(ended, 400, every=1)

    def _started(self, backfill: dict[str, Any]) -> bool:
        try:
            self.ask("/api/v2/backfills", backfill)
        except urllib.error.HTTPError as error:
            assert error.code == 409, error
            return False
        return True

    def _backfilled(self, day: str) -> Any:
        listed = self.ask("/api/v2/dags/case2code_build/dagRuns?limit=100")["dag_runs"]
        return next((run for run in listed if f"__{day}__" in run["dag_run_id"]), None)

    def logged(self, run_id: str, task_id: str) -> list[dict[str, Any]]:
        """Return the lines of the log files of a task."""
        folder = self.airflow.home / "logs" / "dag_id=case2code_build" / f"run_id={run_id}"
        files = sorted((folder / f"task_id={task_id}").rglob("*.log"))
        return [json.loads(line) for path in files for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def operation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operation]:
    folder = tmp_path_factory.mktemp("operation")
    statsd, webhook = StatsdListener(), HttpReceiver()
    api, logs, trigger_logs = free_ports(3)
    airflow = EmbeddedAirflow(folder / "airflow")
    airflow.environment |= {
        "AIRFLOW__API__PORT": str(api),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{api}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{api}/execution/",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(logs),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(trigger_logs),
        # Runs are those that the tests ask for.
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
        "AIRFLOW__METRICS__STATSD_PORT": str(statsd.port),
        "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
        "AIRFLOW_CONN_CASE2CODE_ALERTS": f"http://:hooks%2Fsecret@127.0.0.1:{webhook.port}",
        "C2C_DEADLINE_HOURS": str(DEADLINE_HOURS),
        "C2C_WORK": str(folder / "work"),
        "C2C_CATALOGUE": f"sqlite:///{folder / 'catalogue.sqlite'}",
        "C2C_TARGET": str(folder / "target"),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(standalone, "URL", f"http://127.0.0.1:{api}")
        standalone.up(airflow)
        operation = Operation(airflow, statsd, webhook, normalise(str(folder / "target")))
        wait_for(lambda: operation.ask("/api/v2/dags?limit=10")["total_entries"] == 2, 120, every=1)
        yield operation
        # `make ui` has ended when `make ui-down` comes; here, its child would stay as a zombie.
        before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        standalone.down(airflow)
        signal.signal(signal.SIGCHLD, before)
    statsd.close()
    webhook.close()


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dump")
    for name in ("ntpath", "colorsys"):
        source = Path(sysconfig.get_path("stdlib"), f"{name}.py")
        (folder / source.name).write_bytes(source.read_bytes())
    # It ends its process: the sandbox quarantines it.
    text = (
        "import ctypes\n\ndef crash(number):\n    n = ctypes.string_at(0)\n    return [n, number]\n"
    )
    (folder / "crashing.py").write_text(text)
    return folder


def test_a_nightly_run_that_fails_tells_the_webhook_which_task_and_why(
    operation: Operation, tmp_path: Path
) -> None:
    run_id, state = operation.run("2024-04-30", dump=str(tmp_path / "missing"))
    assert state == "failed"
    posted = wait_for(
        lambda: [p for p in operation.webhook.posted if "failed" in p.json["text"]], 60
    )
    (alert,) = posted
    assert alert.path == "/hooks/secret"
    lines = alert.json["text"].splitlines()
    assert lines[0] == f"case2code_build failed: run {run_id}"
    assert lines[1] == f"- plan: {tmp_path}/missing: no such file or folder"
    assert lines[2].startswith(f"Run: {standalone.URL}/dags/case2code_build/runs/backfill__")
    assert lines[3] == "What to do: docs/runbook.md#plan-failed"


def test_a_run_that_a_person_started_tells_nobody(operation: Operation, tmp_path: Path) -> None:
    before = len(operation.webhook.posted)
    run_id, state = operation.run("manual", dump=str(tmp_path / "missing"))
    assert state == "failed"
    processed = operation.airflow.home / "logs" / "dag_processor"

    def told() -> bool:
        return any(
            "no alert, as a person started this run" in path.read_text()
            and run_id in path.read_text()
            for path in processed.rglob("*.log")
        )

    wait_for(told, 60)
    assert run_id not in str([p.body for p in operation.webhook.posted[before:]])


def test_an_overdue_run_tells_the_webhook_and_metrics_and_logs_tell_of_the_work(
    operation: Operation, dump: Path
) -> None:
    run_id, state = operation.run(DAY, dump=str(dump))
    assert state == "success"
    overdue = [p for p in operation.webhook.posted if f"overdue: run {run_id}" in p.json["text"]]
    (alert,) = overdue
    assert alert.json["text"].endswith("docs/runbook.md#the-nightly-build-is-overdue")

    metrics = operation.statsd.metrics()
    totals = {name: sum(values) for name, values in metrics.items()}
    funnel = read_manifest(read_pointer(operation.target).uri).funnel
    for stage in funnel:
        name = stage.name.replace(" ", "_")
        (sent,) = [v for k, v in totals.items() if re.fullmatch(rf"rows_in,.*stage={name}", k)]
        assert sent == stage.rows_in, stage
        for reason, rows in stage.dropped.items():
            (key,) = [
                k for k in totals if re.fullmatch(f"rows_dropped,.*{name},reason={reason}", k)
            ]
            assert totals[key] == rows, stage
    steps = {key.partition("step=")[2] for key in metrics if key.startswith("step_duration")}
    assert steps == STEPS - {"plan", "publish"}  # which make no shard
    assert totals["sandbox.cases_run"] > 0 and totals["sandbox.runners_started"] > 0
    (programs,) = metrics["release_rows,config=programs,split=train"]
    assert programs == sum(row.rows_out for row in funnel if row.name == "behavioural duplicates")
    assert 5 < totals["build_seconds,mode=incremental"] < 300
    assert time.time() - metrics["last_success_timestamp"][-1] < 300
    assert 0.0 in metrics["turn_waiting"]
    # Airflow's own, under the names that docker/observability maps.
    lines = " ".join(operation.statsd.lines)
    for line in AIRFLOW_LINES.splitlines():
        name = re.split("[,:]", line)[0]
        assert re.search(rf"{re.escape(name)}[,:]", lines), name

    for step in STEPS:
        task = f"shard.{step}" if step in ("write_inputs", "execute", "curate") else step
        ours = [
            line
            for line in operation.logged(run_id, task)
            if line.get("logger", "").startswith("c2c_tasks")
        ]
        assert ours, task
        mapped = step in ("extract", "write_inputs", "execute", "curate", "compose")
        for line in ours:
            place = (line.get("build"), line.get("step"), line.get("shard"))
            assert place == (run_id, step, "1 of 1" if mapped else None), line
