from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from c2c_tasks import pipeline
from c2c_tasks.browsing import reports as reading
from c2c_tasks.browsing.builds import describe_build, list_builds
from c2c_tasks.browsing.refusals import InvalidRequest, NothingThere
from c2c_tasks.browsing.reports import reports_in_work_area
from c2c_tasks.browsing.targets import catalogue
from c2c_tasks.catalogue import Catalogue
from c2c_tasks.config import BuildConfig
from c2c_tasks.pipeline import Build
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.shards import Stage, StepReport, run_step
from c2c_tasks.store import store_for
from tests.pipeline.conftest import make_build

__all__ = ["make_build"]

pytestmark = pytest.mark.usefixtures("deployment")
of_files = pytest.mark.parametrize("target", ["file"], indirect=True)
BUILD_ID = "manual__2026-11-24T02:00:00+00:00"


@pytest.fixture(autouse=True)
def always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FRESH_SECONDS", 0.0)


@pytest.fixture
def build(target: str, deployment: Any, monkeypatch: pytest.MonkeyPatch) -> Build:
    """A build of whose target the store is that of its work area, too."""
    monkeypatch.setenv("C2C_WORK", f"{target}-work")
    build = Build(BUILD_ID, "2026-11-24", BuildConfig.from_flat({"target": target}))
    record(build, "running")
    return build


def record(build: Build, state: Any, **fields: Any) -> None:
    target = build.config.publishing.target
    fields = {"config": {}, "code_version": "1", "mode": "incremental"} | fields
    catalogue().record_build(target, build.build_id, state, date=build.date, **fields)


def report(output: str, step: str, stages: list[Stage], **facts: Any) -> StepReport:
    def work(report: StepReport) -> None:
        report.stages = stages
        report.facts = facts
        if step == "write_inputs":
            report.count("prompt_tokens", 100)
            report.count("completion_tokens", 20)

    return run_step(step, inputs=[], output=output, config=time.time(), work=work)


def functions(name: str, rows: int, **dropped: int) -> Stage:
    return Stage(name, "functions", rows, rows - sum(dropped.values()), dropped)


def report_merge(build: Build, shards: int) -> None:
    stages = [functions("exact duplicates", 10 * shards + 3, exact_duplicate=3)]
    rows = [10] * shards
    report(build.folder("merge_functions"), "merge_functions", stages, shard_rows=rows)


def steps_of(build: Build) -> dict[str, dict[str, Any]]:
    found = describe_build(None, build.build_id)
    assert found is not None
    return {step["step"]: step for step in found["progress"]["steps"]}


def test_builds_are_listed_latest_first(target: str, build: Build) -> None:
    other = Build("other", "2026-11-25", build.config)
    record(other, "failed", message="no such dump: https://me:secret@host/x")
    items = list_builds(None)["items"]
    assert [(item["build"], item["state"]) for item in items] == [
        ("other", "failed"),
        (BUILD_ID, "running"),
    ]
    assert items[0]["message"] == "no such dump: https://***@host/x"
    assert items[0]["target"] == target
    assert items[1]["seconds"] >= 0
    assert [item["build"] for item in list_builds(target, limit=1)["items"]] == ["other"]
    with pytest.raises(NothingThere):
        list_builds("file:///elsewhere")
    with pytest.raises(InvalidRequest):
        list_builds(None, limit=0)


@of_files
def test_a_build_that_nobody_knows_is_none(target: str, build: Build) -> None:
    for name in ("nothing", "", "../..", "x" * 1_000, "%"):
        assert describe_build(None, name) is None
    for asked in (target, None):
        found = describe_build(asked, BUILD_ID)
        assert found is not None and found["build"]["target"] == target


def test_progress_counts_shards_rows_and_tokens(build: Build) -> None:
    found = describe_build(None, BUILD_ID)
    assert found is not None
    assert found["progress"] is None
    assert found["build"]["state"] == "running"
    plan = f"{build.folder('plan')}/plan.json"
    store_for(plan).write(plan, b'{"shards": 2}')
    files = [Stage("source files", "files", 5, 4, {"empty": 1}), functions("functions", 9)]
    report(build.shard("extract", 0), "extract", files)
    extract = steps_of(build)["extract"]
    assert (extract["done"], extract["total"]) == (1, 2)
    assert (extract["rows_in"], extract["rows_out"]) == (9, 9)
    assert steps_of(build)["execute"]["total"] is None
    report_merge(build, 3)
    for index in (0, 1):
        stages = [functions("inputs", 10, empty_answer=1)]
        report(build.shard("write_inputs", index), "write_inputs", stages)
    # What a model answered lies beside the shards, and is nobody's report.
    answers = f"{build.folder('write_inputs')}/part-00002.answers/00000.report.json"
    store_for(answers).write(answers, b"{}")
    report(build.shard("execute", 0), "execute", [functions("executed functions", 9, killed=2)])
    found = describe_build(None, BUILD_ID)
    assert found is not None
    progress = found["progress"]
    steps = {step["step"]: step for step in progress["steps"]}
    assert list(steps) == list(reading.STEPS)
    assert (steps["write_inputs"]["done"], steps["write_inputs"]["total"]) == (2, 3)
    assert (steps["write_inputs"]["rows_in"], steps["write_inputs"]["rows_out"]) == (20, 18)
    assert steps["write_inputs"]["tokens"] == 240
    assert (steps["execute"]["done"], steps["execute"]["rows_out"]) == (1, 7)
    assert progress["tokens"] == 240
    assert progress["prompt_tokens"] == 200
    assert progress["rejects"][0] == {
        "stage": "exact duplicates",
        "reason": "exact_duplicate",
        "rows": 3,
        "meaning": "its canonical syntax tree is that of another one",
    }
    assert progress["updated"]
    assert [line["stage"] for line in found["funnel"]] == [
        *("source files", "functions", "exact duplicates", "inputs", "executed functions"),
    ]


def test_a_poll_reads_what_is_new_alone(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    report_merge(build, 40)
    for index in range(20):
        report(build.shard("write_inputs", index), "write_inputs", [functions("inputs", 10)])
        report(build.shard("execute", index), "execute", [functions("executed functions", 10)])
    read: list[str] = []
    plain = reading.read

    def counting(uri: str) -> bytes:
        read.append(uri)
        return plain(uri)

    monkeypatch.setattr(reading, "read", counting)
    heads: list[str] = []
    store = type(store_for(build.work))
    head = store.head
    monkeypatch.setattr(store, "head", lambda self, uri: heads.append(uri) or head(self, uri))
    assert steps_of(build)["execute"]["done"] == 20
    assert len(read) == 41
    read.clear()
    heads.clear()
    assert steps_of(build)["execute"]["done"] == 20
    assert read == []
    assert len(heads) == 1  # of the plan, never one for each shard
    report(build.shard("execute", 20), "execute", [functions("executed functions", 10)])
    assert steps_of(build)["execute"]["done"] == 21
    assert read == [build.shard("execute", 20).replace(".parquet", ".report.json")]


@of_files
def test_many_who_follow_a_build_look_at_it_once(
    target: str, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FRESH_SECONDS", 60.0)
    report_merge(build, 2)
    assert steps_of(build)["merge_functions"]["done"] == 1
    report(build.shard("execute", 0), "execute", [functions("executed functions", 10)])
    assert steps_of(build)["execute"]["done"] == 0
    monkeypatch.setattr(reading, "FRESH_SECONDS", 0.0)
    assert steps_of(build)["execute"]["done"] == 1


@of_files
def test_a_report_that_was_made_anew_is_read_anew(target: str, build: Build) -> None:
    report_merge(build, 2)
    report(build.shard("execute", 0), "execute", [functions("executed functions", 10)])
    report(build.shard("write_inputs", 0), "write_inputs", [functions("inputs", 10)])
    assert steps_of(build)["execute"]["rows_in"] == 10
    report(build.shard("execute", 0), "execute", [functions("executed functions", 8)])
    assert steps_of(build)["execute"]["rows_in"] == 8
    # Planned anew: all that follows is.
    report(build.shard("write_inputs", 0), "write_inputs", [functions("inputs", 7)])
    report_merge(build, 3)
    assert steps_of(build)["write_inputs"]["rows_in"] == 7
    uri = build.shard("execute", 0).replace(".parquet", ".report.json")
    store_for(uri).delete(uri)
    assert steps_of(build)["execute"]["done"] == 0


@of_files
def test_without_a_work_area_the_catalogue_tells(
    target: str, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = report(build.shard("execute", 0), "execute", [functions("executed functions", 10)])
    catalogue().record_reports(target, BUILD_ID, [made])
    monkeypatch.setenv("C2C_WORK", f"{target}-elsewhere")
    assert steps_of(build)["execute"]["rows_in"] == 10
    monkeypatch.setenv("C2C_WORK", "gopher://elsewhere")
    found = describe_build(None, BUILD_ID)
    assert found is not None
    assert "the work area cannot be read" in found["note"]
    assert found["progress"] is not None


@pytest.mark.slow
@of_files
def test_a_real_build_is_followed_to_its_release(
    target: str, make_build: Callable[..., Build]
) -> None:
    build = make_build(BUILD_ID, target=target, functions_per_shard=40)
    planned = pipeline.plan(build)
    assert steps_of(build)["plan"]["done"] == 1
    assert steps_of(build)["extract"]["total"] == len(planned)
    shards = pipeline.merge_functions(build, [pipeline.extract(build, s) for s in planned])
    assert len(shards) > 1
    for number, shard in enumerate(shards, start=1):
        for step in (pipeline.write_inputs, pipeline.execute, pipeline.curate):
            shard = step(build, shard)
        steps = steps_of(build)
        assert (steps["curate"]["done"], steps["curate"]["total"]) == (number, len(shards))
        progress = describe_build(None, BUILD_ID)["progress"]  # type: ignore[index]
        assert progress["functions_per_second"] > 0
        assert (progress["eta_seconds"] is None) == (number == len(shards))
    for shard in pipeline.merge_programs(build):
        pipeline.compose(build, shard)
    staged = pipeline.audit(build)
    assert steps_of(build)["audit"]["done"] == 1
    followed = [stage.name for stage in reports_in_work_area(BUILD_ID).funnel()]
    release = pipeline.publish(build, staged)
    found = describe_build(None, BUILD_ID)
    assert found is not None
    assert found["build"]["state"] == "published"
    assert found["build"]["release"] == release["version"]
    assert all(step["done"] == step["total"] for step in found["progress"]["steps"])
    manifest = read_manifest(release["uri"])
    assert [line["stage"] for line in found["funnel"]] == [s.name for s in manifest.funnel]
    assert followed == [stage.name for stage in manifest.funnel]
    told = {(line["stage"], line["rows_in"], line["rows_out"]) for line in found["funnel"]}
    assert told == {(stage.name, stage.rows_in, stage.rows_out) for stage in manifest.funnel}


@of_files
def test_a_target_that_appears_while_builds_are_listed(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Catalogue.targets

    def then_another(self: Catalogue) -> Any:
        found = known(self)
        target = f"{build.config.publishing.target}-other"
        record(Build(BUILD_ID, "2026-11-25", BuildConfig.from_flat({"target": target})), "running")
        return found

    monkeypatch.setattr(Catalogue, "targets", then_another)
    assert [item["build"] for item in list_builds(None)["items"]] == [BUILD_ID]
    monkeypatch.setattr(Catalogue, "targets", known)
    assert len(list_builds(None)["items"]) == 2
