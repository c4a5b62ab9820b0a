"""The whole DAG on Airflow, in this process, on a small dump."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks import pipeline
from c2c_tasks.config import BuildConfig
from c2c_tasks.pipeline import Build, run_build
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.records import Program
from c2c_tasks.shards import read_shard
from c2c_tasks.store import normalise

pytestmark = pytest.mark.slow

OPTIONS: dict[str, Any] = {
    "licences": "any",
    "launcher": "process",
    "dump_shard_bytes": 60_000,
    "functions_per_shard": 25,
    "inputs_per_function": 12,
    "refine_rounds": 1,
    "audit_programs": 3,
}


@pytest.fixture
def run_dag(airflow_home: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the DAG and returns its DagRun."""
    monkeypatch.setenv("C2C_DEADLINE_HOURS", "0")
    from case2code_build import case2code_build

    def run(**conf: Any) -> Any:
        return case2code_build().test(run_conf=conf)

    return run


def states(run: Any) -> Counter[tuple[str, str]]:
    return Counter((ti.task_id, str(ti.state)) for ti in run.get_task_instances())


def test_a_run_publishes_and_the_next_one_is_skipped(
    run_dag: Any, small_dump: Path, workspace: Path
) -> None:
    target = normalise(str(workspace / "target"))
    conf = OPTIONS | {"dump": str(small_dump), "target": target}
    run = run_dag(**conf)
    assert run.state == "success"
    found = states(run)
    # No option names a dataset on the Hub.
    assert [name for name, state in found if state != "success"] == ["push_to_hub"]
    assert found["push_to_hub", "skipped"] == 1
    assert found["extract", "success"] > 1
    assert found["shard.execute", "success"] > 1
    labels = {ti.rendered_map_index for ti in run.get_task_instances() if ti.task_id == "extract"}
    assert labels == {f"{n + 1} of {len(labels)}" for n in range(len(labels))}

    pointer = read_pointer(target)
    assert pointer is not None
    manifest = read_manifest(pointer.uri)
    assert manifest.splits["programs"]["train"] > 20

    # The same build without Airflow gives the same files.
    other = conf | {"target": normalise(str(workspace / "other"))}
    alone = run_build(Build("alone", "2026-11-24", BuildConfig.from_flat(other)))
    data = [entry for entry in manifest.files if entry.path.endswith(".parquet")]
    again = [e for e in read_manifest(alone["uri"]).files if e.path.endswith(".parquet")]
    assert data == again

    second = run_dag(**conf)
    assert set(states(second)) == {
        ("turn", "success"),
        *[("plan", "skipped"), ("extract", "skipped"), ("merge_functions", "skipped")],
        *[(f"shard.{task}", "skipped") for task in ("write_inputs", "execute", "curate")],
        *[("merge_programs", "skipped"), ("compose", "skipped")],
        *[("audit", "skipped"), ("publish", "skipped"), ("push_to_hub", "skipped")],
    }
    assert read_pointer(target) == pointer


def test_bad_input_fails_at_once_with_one_message(
    run_dag: Any, workspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = run_dag(**OPTIONS, dump=str(workspace / "missing"))
    assert run.state == "failed"
    assert states(run)["plan", "failed"] == 1
    assert states(run)["audit", "skipped"] == states(run)["publish", "upstream_failed"] == 1
    (plan,) = (ti for ti in run.get_task_instances() if ti.task_id == "plan")
    assert plan.try_number == 1
    messages = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert any("missing: no such file or folder" in message for message in messages), messages


def test_a_build_keeps_its_options_whatever_the_environment_says_later(
    run_dag: Any, small_dump: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in mapped tasks, and in the operator that looks for an engine."""
    planned = pipeline.plan

    def plan(build: Build) -> Any:
        found = planned(build)
        monkeypatch.setenv("C2C_OPTIONS", '{"max_cases": 5, "launcher": "docker"}')
        monkeypatch.setenv("C2C_TARGET", str(workspace / "elsewhere"))
        return found

    monkeypatch.setattr(pipeline, "plan", plan)
    monkeypatch.setenv("C2C_TARGET", str(workspace / "target"))
    given = {"max_cases": 6, "launcher": "process", "dump": str(small_dump)}
    monkeypatch.setenv("C2C_OPTIONS", json.dumps(OPTIONS | given | {"functions_per_shard": 200}))
    assert run_dag(preset="nightly").state == "success"
    assert read_pointer(normalise(str(workspace / "elsewhere"))) is None
    pointer = read_pointer(normalise(str(workspace / "target")))
    assert pointer is not None
    manifest = read_manifest(pointer.uri)
    assert manifest.config["cases"]["max_cases"] == 6
    files = [entry.path for entry in manifest.files if entry.config == "programs"]
    programs = [p for path in files for p in read_shard(f"{pointer.uri}/{path}", Program)]
    assert max(len(program.cases) for program in programs) == 6
