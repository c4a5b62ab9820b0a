"""From Airflow's context to a build or an evaluation, and from our errors to Airflow's."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Asset
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
)

from c2c_airflow import alerts, context, run_notes
from c2c_airflow.assets import DATASET, MODEL
from c2c_airflow.context import run_step
from c2c_airflow.run_options import options_of
from c2c_tasks import pipeline
from c2c_tasks.catalogue import CatalogueError
from c2c_tasks.config import BuildConfig, EvaluationConfig
from c2c_tasks.curation.benchmarks import BenchmarkError
from c2c_tasks.evaluation.errors import ProblemError
from c2c_tasks.evaluation.report import EvaluationExists
from c2c_tasks.inputs.writer import EngineDown, InputError
from c2c_tasks.publishing.audit import AuditError
from c2c_tasks.publishing.release import PublishError
from c2c_tasks.sandbox.launchers import RunnerError, SandboxError
from c2c_tasks.sources import SourceError
from c2c_tasks.store import StoreUnavailable


class TaskInstance:
    """Keeps what is pushed as XCom."""

    def __init__(self, dag_id: str = "case2code_build") -> None:
        self.dag_id, self.task_id = dag_id, "a_later_task"
        self.pushed: dict[str, Any] = {}
        self.unpushable = ""

    def xcom_push(self, key: str, value: Any) -> None:
        if key == self.unpushable:
            raise OSError("the API server does not answer")
        self.pushed[key] = value

    def xcom_pull(self, task_ids: str, key: str, map_indexes: None) -> Any:
        assert task_ids == {"case2code_build": "plan"}.get(self.dag_id, "prepare_problems")
        return self.pushed.get(key)


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The context of the running task, which a test may change."""
    run = SimpleNamespace(
        run_id="manual__1",
        logical_date=datetime(2026, 11, 24, 2, tzinfo=UTC),
        run_after=datetime(2026, 11, 25, 2, tzinfo=UTC),
        start_date=None,
    )
    values = {"dag_run": run, "params": {}, "ti": TaskInstance()}
    for module in (context, run_notes):
        monkeypatch.setattr(module, "get_current_context", lambda: values)
    return values


def fail_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def step(build: pipeline.Build) -> None:
        raise error

    monkeypatch.setattr(pipeline, "plan", step)


def test_a_step_is_given_the_build_of_the_run(
    running: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    running["params"] = {"max_cases": 7, "model": None}
    monkeypatch.setattr(pipeline, "curate", lambda *given, **named: (*given, named))
    build, shard, named = run_step("curate", {"index": 3}, client=None)
    assert (shard, named) == ({"index": 3}, {"client": None})
    assert build.build_id == "manual__1"
    assert build.config == BuildConfig.from_flat({"max_cases": 7})


def test_the_date_is_the_partition_s_then_the_logical_then_that_of_the_run(
    running: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "plan", lambda build: build.date)
    running["partition_key"] = "2026-11-01"
    assert run_step("plan") == "2026-11-01"
    running["partition_key"] = None
    assert run_step("plan") == "2026-11-24"
    running["dag_run"].logical_date = None
    assert run_step("plan") == "2026-11-25"


@pytest.mark.parametrize("kind", [pipeline.NothingNew, pipeline.NotReached, pipeline.SwitchedOff])
def test_nothing_to_do_skips_the_task(
    kind: type[Exception], running: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(kind("all 3 objects are there"), monkeypatch)
    with pytest.raises(AirflowSkipException, match="all 3 objects are there"):
        run_step("plan")
    said = {"kind": "skipped", "text": "all 3 objects are there"}
    assert running["ti"].pushed[run_notes.XCOM_KEY] == said


def test_a_build_keeps_the_options_that_it_was_planned_with(
    running: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in ("plan", "audit"):
        monkeypatch.setattr(pipeline, step, lambda build: build.config)
    monkeypatch.setenv("C2C_TARGET", "s3://bucket/first")
    monkeypatch.setenv("C2C_OPTIONS", '{"max_cases": 7}')
    running["params"] = {"preset": "nightly", "max_cases": None}
    planned = run_step("plan")
    assert (planned.cases.max_cases, planned.publishing.target) == (7, "s3://bucket/first")
    monkeypatch.setenv("C2C_TARGET", "s3://bucket/second")
    monkeypatch.setenv("C2C_OPTIONS", '{"max_cases": 8}')
    assert run_step("audit") == planned
    again = run_step("plan")
    assert (again.cases.max_cases, again.publishing.target) == (8, "s3://bucket/second")
    assert run_step("audit") == again


def test_plan_says_which_preset_a_build_has(
    running: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running["params"] = {"preset": "full", "mode": None, "launcher": "process", "max_cases": 7}
    for step in ("plan", "audit"):
        monkeypatch.setattr(pipeline, step, lambda build: build)
    caplog.set_level("INFO")
    build = run_step("plan")
    assert build == run_step("audit")
    assert build.config.source.mode == "full"
    lines = [record.getMessage() for record in caplog.records]
    (line,) = (line for line in lines if not line.endswith("s of its own"))
    assert line.startswith("preset full: mode=full, dump_shard_bytes=64000000, ")
    assert line.endswith("; set by the run: launcher=process, max_cases=7")


def test_an_unknown_preset_fails_in_one_line(running: dict[str, Any]) -> None:
    running["params"] = {"preset": "daily"}
    with pytest.raises(AirflowFailException, match=r"^option 'preset': no preset 'daily'"):
        run_step("plan")


@pytest.mark.parametrize(
    "kind",
    [
        AuditError,
        BenchmarkError,
        InputError,
        PublishError,
        SandboxError,
        SourceError,
        pipeline.BuildError,
    ],
)
def test_what_a_user_has_to_mend_fails_without_retries_in_one_line(
    kind: type[Exception],
    running: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fail_with(kind("/data: no such folder"), monkeypatch)
    with pytest.raises(AirflowFailException, match=r"^/data: no such folder$") as failure:
        run_step("plan")
    assert failure.value.__suppress_context__
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert errors == ["/data: no such folder"]
    said = running["ti"].pushed[run_notes.XCOM_KEY]
    assert said.pop("entry") != alerts.OTHERWISE
    assert said == {"kind": "failed", "text": "/data: no such folder"}


def test_an_error_that_cannot_be_kept_for_the_alert_is_told_all_the_same(
    running: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running["ti"].unpushable = run_notes.XCOM_KEY
    fail_with(SourceError("/data: no such folder"), monkeypatch)
    with pytest.raises(AirflowFailException, match=r"^/data: no such folder$"):
        run_step("plan")
    levels = [record.levelname for record in caplog.records]
    assert levels == ["INFO", "ERROR", "WARNING"]  # the first line is of the preset


def test_an_option_out_of_bounds_is_named(running: dict[str, Any]) -> None:
    running["params"] = {"max_cases": 0}
    with pytest.raises(AirflowFailException, match=r"option 'max_cases': .*greater than or equal"):
        run_step("plan")


@pytest.mark.parametrize("kind", [CatalogueError, EngineDown, RunnerError, StoreUnavailable])
@pytest.mark.usefixtures("running")
def test_what_may_pass_is_left_to_the_retries_in_one_line(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fail_with(kind("it does not answer"), monkeypatch)
    with pytest.raises(AirflowException, match="it does not answer") as failure:
        run_step("plan")
    assert not isinstance(failure.value, AirflowFailException)
    assert failure.value.__suppress_context__
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert errors == ["it does not answer"]


@pytest.mark.parametrize(
    ("connection", "endpoint"),
    [
        ("http://:secret@gpu-host:8000", "http://gpu-host:8000/v1"),
        ("http://:secret@gpu-host/https", "https://gpu-host/v1"),
        ("http://:secret@https%3A%2F%2Fgpu-host:8443", "https://gpu-host:8443/v1"),
    ],
)
def test_a_connection_names_the_endpoint(
    connection: str, endpoint: str, running: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("C2C_VLLM_ENDPOINT", "C2C_VLLM_API_KEY"):  # set, so that they are restored
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("AIRFLOW_CONN_CASE2CODE_VLLM", connection)
    names = ("C2C_VLLM_ENDPOINT", "C2C_VLLM_API_KEY")
    monkeypatch.setattr(pipeline, "plan", lambda build: [os.environ.get(name) for name in names])
    assert run_step("plan") == [None, None]
    running["params"] = {"writer": "vllm"}
    assert run_step("plan") == [endpoint, "secret"]


@pytest.fixture
def evaluating(running: dict[str, Any]) -> dict[str, Any]:
    """The context of the running task of an evaluation, which a test may change."""
    running["ti"] = TaskInstance("case2code_evaluate")
    return running


def event(asset: Asset, minute: int, **extra: Any) -> SimpleNamespace:
    return SimpleNamespace(asset=asset, timestamp=datetime(2026, 11, 24, 2, minute), extra=extra)


RELEASE = {"version": "2026.11.24-1", "uri": "s3://bucket/case2code/releases/2026.11.24-1"}


def test_a_run_by_hand_has_the_options_of_its_form(
    evaluating: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in ("prepare_problems", "grade"):
        monkeypatch.setattr(pipeline, step, lambda run, *_, **__: run)
    evaluating["params"] = {"solver": "lookup", "model": None, "target": "s3://bucket/case2code"}
    evaluation = run_step("prepare_problems")
    assert (evaluation.evaluation_id, evaluation.date) == ("manual__1", "2026-11-24")
    assert evaluation.config == EvaluationConfig.from_flat(
        {"solver": "lookup", "target": "s3://bucket/case2code"}
    )
    evaluating["params"] = {"solver": "reference"}
    assert run_step("grade", {"index": 0}, client=None) == evaluation


def test_a_release_is_evaluated_by_the_model_that_the_deployment_names(
    evaluating: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "prepare_problems", lambda evaluation: evaluation.config)
    monkeypatch.setenv("C2C_EVALUATION_OPTIONS", '{"model": "qwen", "max_problems": 100}')
    monkeypatch.setenv("C2C_PRESET", "nightly")
    earlier = event(DATASET, 1, version="2026.11.23-1", uri="s3://bucket/releases/2026.11.23-1")
    evaluating["triggering_asset_events"] = {DATASET: [event(DATASET, 2, **RELEASE), earlier]}
    config = run_step("prepare_problems")
    assert (config.problems.release, config.problems.max_problems) == (RELEASE["uri"], 100)
    assert (config.model.model, config.model.engine) == ("qwen", "endpoint")
    assert config.report.target == "s3://bucket/case2code"
    assert config.sandbox.launcher == "docker"  # as nights run strangers' code


def test_a_release_is_not_evaluated_where_no_model_is_configured(
    evaluating: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("C2C_EVALUATION_OPTIONS", raising=False)
    evaluating["triggering_asset_events"] = {DATASET: [event(DATASET, 1, **RELEASE)]}
    assert options_of(evaluating) == {}  # the operator that looks for an engine comes first
    with pytest.raises(AirflowSkipException, match=r'set C2C_EVALUATION_OPTIONS=\{"model"'):
        run_step("prepare_problems")
    assert evaluating["ti"].pushed[run_notes.XCOM_KEY]["kind"] == "skipped"


def test_a_model_that_was_trained_is_loaded_in_process(
    evaluating: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "prepare_problems", lambda evaluation: evaluation.config)
    monkeypatch.setenv(
        "C2C_EVALUATION_OPTIONS", '{"model": "qwen", "revision": "v1", "endpoint": "http://gpu/v1"}'
    )
    told = {
        "model": "/store/models/run-1",
        "model_name": "qwen-case2code",
        "release": RELEASE["uri"],
        "uri": "file:///store/models/run-1",
    }
    evaluating["triggering_asset_events"] = {MODEL: [event(MODEL, 1, **told)]}
    config = run_step("prepare_problems")
    options = config.model
    assert (options.engine, options.model, options.revision) == (
        "in_process",
        "/store/models/run-1",
        "",
    )
    assert options.endpoint == ""
    assert (config.report.model_name, config.problems.release) == ("qwen-case2code", RELEASE["uri"])
    assert config.report.target == "file:///store", "where the training was told to publish"


def test_the_first_step_does_not_ask_for_what_it_has_not_decided(
    evaluating: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluating["params"] = {"launcher": "process"}
    evaluating["ti"].task_id = "prepare_problems"
    monkeypatch.setattr(TaskInstance, "xcom_pull", None)  # Airflow would log an error
    assert options_of(evaluating) == {"launcher": "process"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{", r"^C2C_EVALUATION_OPTIONS: no JSON"),
        ("[]", r"^C2C_EVALUATION_OPTIONS: must be a JSON object"),
        ('{"modell": "x"}', r"^C2C_EVALUATION_OPTIONS: unknown option: modell"),
    ],
)
def test_what_the_deployment_says_wrong_of_evaluations_fails_in_one_line(
    options: str, message: str, evaluating: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("C2C_EVALUATION_OPTIONS", options)
    evaluating["triggering_asset_events"] = {DATASET: [event(DATASET, 1, **RELEASE)]}
    with pytest.raises(AirflowFailException, match=message):
        run_step("prepare_problems")


def test_an_event_that_tells_nothing_fails_in_one_line(evaluating: dict[str, Any]) -> None:
    evaluating["triggering_asset_events"] = {MODEL: [event(MODEL, 1)]}
    with pytest.raises(AirflowFailException, match=r"event of case2code_model does not tell"):
        run_step("prepare_problems")


@pytest.mark.parametrize("kind", [pipeline.EvaluationError, EvaluationExists, ProblemError])
def test_what_a_user_has_to_mend_of_an_evaluation_fails_without_retries(
    kind: type[Exception], evaluating: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(evaluation: pipeline.Evaluation) -> None:
        raise kind("no program in the split test")

    monkeypatch.setattr(pipeline, "report", step)
    with pytest.raises(AirflowFailException, match=r"^no program in the split test$"):
        run_step("report")
    assert evaluating["ti"].pushed[run_notes.XCOM_KEY]["entry"] == alerts.EVALUATION


def test_the_connection_names_the_endpoint_of_an_evaluation(
    evaluating: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("C2C_VLLM_ENDPOINT", "C2C_VLLM_API_KEY"):  # set, so that they are restored
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("AIRFLOW_CONN_CASE2CODE_VLLM", "http://:secret@gpu-host:8000")
    monkeypatch.setattr(pipeline, "report", lambda _: os.environ.get("C2C_VLLM_ENDPOINT"))
    evaluating["params"] = {"solver": "lookup"}
    assert run_step("report") is None
    evaluating["params"] = {}
    assert run_step("report") == "http://gpu-host:8000/v1"
