"""Metrics: what is sent by Airflow's stats, and what Prometheus and the dashboard make of it."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from airflow.sdk._shared.observability.metrics.base_stats_logger import NoStatsLogger
from airflow.sdk._shared.observability.metrics.statsd_logger import get_statsd_logger
from airflow.sdk.observability import stats

from c2c_airflow import metrics
from c2c_tasks.catalogue import Catalogue
from c2c_tasks.config import BuildConfig, catalogue_url
from c2c_tasks.pipeline import Build, run_build
from c2c_tasks.publishing.reasons import REASONS, STAGES
from c2c_tasks.shards import StepReport, run_step, watching
from tests.conftest import unavailable
from tests.plugins.listening import HttpReceiver, StatsdListener, wait_for
from tests.plugins.statsd_exporter import Exporter

FOLDER = Path(__file__).resolve().parent.parent.parent / "docker" / "observability"
DASHBOARD = json.loads((FOLDER / "grafana" / "dashboards" / "case2code.json").read_text())


def use_statsd(port: int) -> None:
    """Have Airflow's stats sent as a task process does it with tags in the InfluxDB style."""
    from statsd import StatsClient

    def make() -> Any:
        return get_statsd_logger(
            stats_class=StatsClient,
            host="127.0.0.1",
            port=port,
            prefix="airflow",
            influxdb_tags_enabled=True,
            statsd_influxdb_enabled=True,
        )

    stats.initialize(factory=make, export_legacy_names=True)


@pytest.fixture(autouse=True)
def no_stats() -> Iterator[None]:
    yield
    stats.initialize(factory=NoStatsLogger, export_legacy_names=True)


@pytest.fixture
def statsd() -> Iterator[StatsdListener]:
    listener = StatsdListener()
    use_statsd(listener.port)
    yield listener
    listener.close()


def executed() -> StepReport:
    report = StepReport("execute", "", seconds=2.5)
    stage = report.stage("executed functions", "functions")
    stage.keep(90)
    stage.drop("killed", 2)
    stage.drop("failed_to_load", 8)
    report.counters = {"cases_run": 700, "functions_killed": 2, "runners_started": 4, "odd": 1}
    return report


def test_a_step_s_report_becomes_counters_with_few_tags(statsd: StatsdListener) -> None:
    metrics.count_step(executed())
    tags = "step=execute,stage=executed_functions"
    expected = {
        "step_duration,step=execute": [2500],
        f"rows_in,{tags}": [100],
        f"rows_out,{tags}": [90],
        f"rows_dropped,{tags},reason=killed": [2],
        f"rows_dropped,{tags},reason=failed_to_load": [8],
        "sandbox.cases_run": [700],
        "sandbox.cases_not_run": [0],
        "sandbox.functions_quarantined,reason=killed": [2],
        "sandbox.functions_quarantined,reason=protocol_violation": [0],
        "sandbox.runners_started": [4],
        "sandbox.runner_restarts": [0],
    }
    wait_for(lambda: len(statsd.metrics()) >= len(expected), 5)
    assert statsd.metrics() == expected


def test_work_that_was_found_done_is_not_counted_again(workspace: Path) -> None:
    source = workspace / "in"
    source.write_text("x")
    seen: list[StepReport] = []

    def step() -> None:
        with watching(seen.append):
            run_step(
                "curate",
                inputs=[f"file://{source}"],
                output=f"file://{workspace}/out.parquet",
                config={},
                work=lambda report: report.stage("cases", "cases").keep(3),
            )

    step()
    step()
    assert [report.stages[0].rows_in for report in seen] == [3]


def test_a_step_that_fails_is_not_counted(workspace: Path) -> None:
    source = workspace / "in"
    source.write_text("x")
    seen: list[StepReport] = []

    def fail(report: StepReport) -> None:
        raise RuntimeError

    with watching(seen.append), pytest.raises(RuntimeError):
        run_step(
            "curate",
            inputs=[f"file://{source}"],
            output=f"file://{workspace}/out.parquet",
            config={},
            work=fail,
        )
    assert seen == []


def test_metrics_that_cannot_be_sent_fail_nothing_and_hold_nothing_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    use_statsd(port)
    started = time.monotonic()
    for _ in range(50):
        metrics.count_step(executed())
    assert time.monotonic() - started < 2

    def broken() -> Any:
        raise ValueError("no such backend")

    stats.initialize(factory=broken, export_legacy_names=True)
    metrics.count_step(executed())
    assert "metrics are not sent: no such backend" in caplog.text


def test_a_build_towards_another_target_is_no_success_of_the_nightly_one(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    monkeypatch.setattr(metrics, "_set", lambda name, *_, **__: told.append(name))
    manifest = SimpleNamespace(files=[], splits={})
    monkeypatch.setattr("c2c_tasks.publishing.manifest.read_manifest", lambda uri: manifest)
    demo = BuildConfig.from_flat({"target": f"{workspace}/demo"})
    metrics.count_build(demo, {"uri": "file:///release"}, None)
    assert not told
    monkeypatch.setenv("C2C_PRESET", "nightly")
    monkeypatch.setenv("C2C_OPTIONS", json.dumps({"target": f"{workspace}/demo"}))
    metrics.count_build(demo, {"uri": "file:///release"}, None)
    assert told == ["release_bytes", "last_success_timestamp"]
    assert not caplog.records


@pytest.mark.parametrize("state", ["published", "nothing_new"])
def test_the_last_success_is_the_catalogue_s(
    state: Any, statsd: StatsdListener, workspace: Path
) -> None:
    target = f"file://{workspace}/target"
    metrics.measure_target(target)  # nothing is known yet, and nothing said
    catalogue = Catalogue(catalogue_url())
    facts = {"date": "2026-11-24", "mode": "full", "config": {}, "code_version": "1"}
    catalogue.record_build(target, "one", state, **facts)
    ended = datetime.now(UTC)
    catalogue.record_build(target, "two", "failed", **facts)
    metrics.measure_target(target)
    (sent,) = wait_for(lambda: statsd.metrics().get("last_success_timestamp"), 5)
    assert abs(sent - ended.timestamp()) < 5


def test_names_of_stages_and_reasons_can_be_tags() -> None:
    # What StatsD's client of Airflow refuses is logged with a traceback, each time.
    for name in (*(stage.replace(" ", "_") for stage in STAGES), *REASONS):
        assert re.fullmatch(r"[a-z0-9_]+", name), name


def queries() -> list[tuple[str, str]]:
    """The dashboard's queries, each with the title of its panel."""
    return [
        (panel["title"], target["expr"])
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", [])
    ]


def test_the_dashboard_is_one_that_grafana_can_load() -> None:
    assert DASHBOARD["uid"] and DASHBOARD["title"] and DASHBOARD["schemaVersion"] >= 39
    identities = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(identities) == len(set(identities))
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert taken.isdisjoint(cells) and place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells
        assert panel["type"] in ("row", "stat", "timeseries", "bargauge")
        for target in panel.get("targets", []):
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_every_metric_is_mapped_and_shown_and_every_one_shown_is_mapped() -> None:
    mapped = {
        rule["match"]: rule["name"]
        for rule in yaml.safe_load((FOLDER / "statsd-mapping.yaml").read_text())["mappings"]
    }
    source = Path(metrics.__file__).read_text()
    sent = {name for name, _ in metrics.COUNTERS.values()}
    sent |= set(re.findall(r'_(?:increment|set)\(\s*"([\w.]+)"', source)) | {"step_duration"}
    ours = {name for name in mapped if name.startswith("airflow.case2code.")}
    assert ours == {f"airflow.case2code.{name}" for name in sent}
    (group,) = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    rules = " ".join(rule["expr"] for rule in group["rules"])
    shown = " ".join(query for _, query in queries())
    names = set(mapped.values()) - {"dropped"}
    for name in names:
        assert re.search(rf"\b{name}(_sum|_count)?\b", shown), name
    expressions = re.sub(r'"[^"]*"', "", f"{shown} {rules}")
    used = set(re.findall(r"\b(?:case2code|airflow)_\w+", expressions))
    assert {re.sub(r"_(sum|count)$", "", name) for name in used} <= names
    documented = (FOLDER.parent.parent / "docs" / "observability.md").read_text()
    for name in sent:
        assert f"`case2code.{name}`" in documented, name


AIRFLOW_LINES = """\
airflow.scheduler_heartbeat:5|c
airflow.dag_processor_heartbeat:5|c
airflow.dag_processing.import_errors:0|g
airflow.dagrun.duration.success,dag_id=case2code_build,run_type=backfill:90000|ms
airflow.dagrun.duration.failed,dag_id=case2code_build,run_type=scheduled:5000|ms
airflow.ti_failures,dag_id=case2code_build,task_id=plan:1|c
airflow.pool.open_slots,pool_name=sandbox:2|g
airflow.pool.queued_slots,pool_name=sandbox:0|g
airflow.pool.running_slots,pool_name=sandbox:1|g
airflow.executor.queued_tasks,executor_class_name=LocalExecutor:0|g
airflow.executor.running_tasks,executor_class_name=LocalExecutor:1|g
airflow.deadline_alerts.deadline_missed,dagrun_id=scheduled__1:1|c
"""
"""As a scheduler sends them (tests/end_to_end/test_observability.py compares the names)."""


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[tuple[Exporter, str]]:
    """A Prometheus with the project's rules, and the exporter that it asks every half second."""
    program = shutil.which("prometheus")
    if program is None:
        unavailable("prometheus", "it is not installed (Debian's package of that name)")
    exporter = Exporter(FOLDER / "statsd-mapping.yaml")
    config = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    config["global"] = {"scrape_interval": "500ms", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{exporter.port}"]
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(config))
    shutil.copy(FOLDER / "alerts.yaml", tmp_path)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    process = subprocess.Popen(
        [
            program,
            f"--config.file={tmp_path}/prometheus.yaml",
            f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ]
    )
    yield exporter, f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(20)
    exporter.close()


def ask(url: str, path: str, **parameters: str) -> Any:
    whole = f"{url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    try:
        with urllib.request.urlopen(whole, timeout=10) as answer:
            return json.load(answer)["data"]
    except OSError:
        return None


@pytest.mark.slow
def test_prometheus_has_data_for_every_panel_from_a_real_build(
    prometheus: tuple[Exporter, str], workspace: Path, small_dump: Path
) -> None:
    exporter, url = prometheus
    use_statsd(exporter.statsd_port)
    options = {"licences": "any", "launcher": "process", "inputs_per_function": 6}
    options |= {"refine_rounds": 0, "benchmarks": [], "dump": str(small_dump)}
    reports: list[StepReport] = []
    build = Build("one", "2026-11-24", BuildConfig.from_flat(options | {"functions_per_shard": 40}))
    started = datetime.now(UTC) - timedelta(seconds=30)
    with watching(reports.append):
        release = run_build(build)
    # What a build with a language model, and a worker that dies, would count as well.
    reports.append(
        StepReport("write_inputs", "", counters={"prompt_tokens": 9, "completion_tokens": 3})
    )
    poisoned = executed()
    poisoned.stage("cases", "cases").drop("timed_out", 3)
    reports.append(poisoned)

    def tell() -> None:
        for line in AIRFLOW_LINES.splitlines():
            exporter.take(line)
        for report in reports:
            metrics.count_step(report)
        metrics.count_build(build.config, release, started)
        metrics.count_waiting(0)
        metrics.count_swept({"owner_ended": 2, "kept": 1})

    def scraped(name: str) -> Any:
        return (ask(url, "query", query=name) or {}).get("result")

    tell()
    wait_for(lambda: scraped("case2code_turn_waiting"), 30)
    time.sleep(1.5)
    tell()
    time.sleep(2.5)
    for title, query in queries():
        result = (ask(url, "query", query=query) or {}).get("result")
        assert result, (title, query)
        assert all(entry["value"][1] != "NaN" for entry in result), (title, query)
    (programs,) = scraped('sum(case2code_release_rows{config="programs"})')
    assert int(programs["value"][1]) == sum(release["rows"]["programs"].values())
    (dropped,) = scraped("sum(increase(case2code_rows_dropped_total[1h]))")
    assert float(dropped["value"][1]) > 0
    assert exporter.dropped == {"airflow.deadline_alerts.deadline_missed"}
    rules = ask(url, "rules")["groups"][0]["rules"]
    assert {rule["health"] for rule in rules} == {"ok"}
    firing = {rule["name"] for rule in rules if rule["state"] == "firing"}
    assert firing == {"BuildFailed"}


def test_alerts_fire_when_they_should() -> None:
    program = shutil.which("promtool")
    if program is None:
        unavailable("prometheus", "promtool is not installed (Debian's package prometheus)")
    tests = Path(__file__).with_name("alerts_test.yaml")
    done = subprocess.run(
        [program, "test", "rules", str(tests)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


OTEL_TASK = """
from airflow.sdk.configuration import conf
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics import stats_utils
# As airflow.sdk.execution_time.task_runner begins.
stats.initialize(
    factory=stats_utils.get_stats_factory(),
    export_legacy_names=conf.getboolean("metrics", "legacy_names_on"),
)
from c2c_airflow.metrics import count_step
from tests.plugins.test_metrics import executed
count_step(executed())
"""


def test_opentelemetry_gets_the_same_when_the_process_ends(airflow_home: Path) -> None:
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
        ExportMetricsServiceRequest,
    )

    collector = HttpReceiver()
    subprocess.run(
        [sys.executable, "-c", OTEL_TASK],
        cwd=FOLDER.parent.parent,
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "AIRFLOW__METRICS__OTEL_ON": "True",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
        },
        check=True,
        timeout=60,
    )
    collector.close()
    found: dict[str, list[Any]] = {}
    for posted in collector.posted:
        gzipped = posted.headers.get("Content-Encoding") == "gzip"
        body = gzip.decompress(posted.body) if gzipped else posted.body
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    found.setdefault(metric.name, []).append(metric)
    assert "airflow.case2code.step_duration" in found
    dropped = {
        {a.key: a.value.string_value for a in point.attributes}["reason"]: point.as_int
        for metric in found["airflow.case2code.rows_dropped"]
        for point in metric.sum.data_points
    }
    assert dropped == {"killed": 2, "failed_to_load": 8}
    (rows,) = found["airflow.case2code.rows_in"]
    assert rows.sum.aggregation_temporality == 1  # delta: what of this process is new
