"""Shards that failed, and builds that have nothing to publish."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from c2c_tasks import pipeline
from c2c_tasks.consuming.finding import find_release
from c2c_tasks.consuming.summary import print_release
from c2c_tasks.pipeline import Build, BuildError, NotReached
from c2c_tasks.publishing.data_files import read_programs
from c2c_tasks.publishing.facts import SandboxFacts
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.records import Function
from c2c_tasks.shards import StepReport, read_shard, report_uri
from c2c_tasks.store import read, store_for

if TYPE_CHECKING:
    from tests.pipeline.conftest import MakeBuild


def known(facts: dict[str, Any]) -> dict[str, Any]:
    return SandboxFacts.model_validate(facts).known()


STEPS = (pipeline.write_inputs, pipeline.execute, pipeline.curate)


def run_all_but(build: Build, failed: int) -> None:
    """Run a build up to the audit, but for one function shard that fails in `execute`."""
    extracted = [pipeline.extract(build, shard) for shard in pipeline.plan(build)]
    for shard in pipeline.merge_functions(build, extracted):
        for step in STEPS:
            if shard["index"] == failed and step is pipeline.execute:
                break
            shard = step(build, shard)
    for shard in pipeline.merge_programs(build):
        pipeline.compose(build, shard)


def test_a_failed_shard_fails_the_build(make_build: MakeBuild) -> None:
    build = make_build(functions_per_shard=25)
    with pytest.raises(BuildError, match=r"1 of \d function shards failed \(numbers 2\)"):
        run_all_but(build, failed=1)
    with pytest.raises(NotReached, match="merge_programs has not finished"):
        pipeline.audit(build)
    assert read_pointer(build.config.publishing.target) is None


def test_a_release_without_a_failed_shard_says_so_and_the_next_one_makes_it_good(
    make_build: MakeBuild,
) -> None:
    build = make_build(functions_per_shard=25, max_failed_shards=1)
    run_all_but(build, failed=1)
    first = pipeline.publish(build, pipeline.audit(build))
    manifest = read_manifest(first["uri"])
    assert manifest.failed_shards and manifest.failed_shards[0].startswith("2 of ")
    (inputs,) = (stage for stage in manifest.funnel if stage.name == "inputs")
    (merged,) = (stage for stage in manifest.funnel if stage.name == "near duplicates")
    assert inputs.rows_in == merged.rows_out
    assert inputs.dropped["failed_shard"] == 25
    missing = {f.function_id for f in read_shard(build.shard("merge_functions", 1), Function)}
    assert missing.isdisjoint(program.function_id for program in read_programs(first["uri"]))

    second = pipeline.run_build(make_build("next", "2026-11-25", functions_per_shard=25))
    whole = pipeline.run_build(make_build("whole", "2026-11-26", mode="full"))
    assert {p.function_id for p in read_programs(second["uri"])} == {
        p.function_id for p in read_programs(whole["uri"])
    }


def test_a_shard_without_samples_fails_the_build_too(make_build: MakeBuild) -> None:
    build = make_build(functions_per_shard=25)
    run_all_but(build, failed=-1)
    store_for(build.work).delete(report_uri(build.shard("compose", 0)))
    with pytest.raises(BuildError, match=r"1 of \d function shards failed \(numbers 1\)"):
        pipeline.audit(build)


def test_a_shard_made_of_other_options_does_not_count(make_build: MakeBuild) -> None:
    run_all_but(make_build(functions_per_shard=25), failed=-1)
    changed = make_build(functions_per_shard=25, max_cases=7)
    with pytest.raises(BuildError, match="function shards failed"):
        pipeline.audit(changed)


def test_what_was_planned_anew_has_to_be_merged_anew(
    make_build: MakeBuild, small_dump: Path, workspace: Path
) -> None:
    dump = workspace / "changing"
    shutil.copytree(small_dump, dump)
    build = make_build(dump=str(dump))
    run_all_but(build, failed=-1)
    (dump / "heapq.py").unlink()
    pipeline.plan(build)
    with pytest.raises(NotReached, match="merge_functions has not finished"):
        pipeline.audit(build)


def test_an_audit_before_its_time_says_what_is_missing(make_build: MakeBuild) -> None:
    with pytest.raises(NotReached, match="merge_functions has not finished"):
        pipeline.audit(make_build())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(x):\n    print(x)\n    return x\n", "no usable function"),
        ("def f(x):\n    return 1\n", "no program came out of it"),
    ],
)
def test_a_dump_without_programs_is_named(
    make_build: MakeBuild, workspace: Path, text: str, message: str
) -> None:
    (workspace / "poor").mkdir()
    (workspace / "poor" / "a.py").write_text(text)
    with pytest.raises(BuildError, match=rf"poor: {message}"):
        pipeline.run_build(make_build(dump=str(workspace / "poor")))
    assert read_pointer(make_build().config.publishing.target) is None


def test_what_was_skipped_is_named_in_the_manifest_and_shown(
    make_build: MakeBuild, small_dump: Path, workspace: Path
) -> None:
    dump = workspace / "damaged"
    shutil.copytree(small_dump, dump)
    for number in range(12):
        (dump / f"latin{number}.py").write_bytes(b"x = '\xe9'\n")
    release = pipeline.run_build(make_build(dump=str(dump)))
    problems = read_manifest(release["uri"]).problems
    assert len(problems) == 12
    assert problems[0].startswith(f"{dump.as_uri()}/latin0.py: latin0.py: ")
    text = io.StringIO()
    print_release(find_release(release["uri"]), Console(file=text, width=200))
    assert text.getvalue().count("skipped: ") == 10
    assert "2 more in manifest.json" in text.getvalue()


def test_shards_that_ran_in_different_sandboxes_are_told_apart(
    make_build: MakeBuild, caplog: pytest.LogCaptureFixture
) -> None:
    build = make_build(functions_per_shard=25)
    run_all_but(build, failed=-1)
    uri = report_uri(build.shard("execute", 1))
    report = StepReport.from_json(read(uri))
    facts = report.facts["sandbox"]
    other = {**facts, "launcher": "docker", "image_id": "sha256:other"}
    report.facts["sandbox"] = other
    store_for(uri).write(uri, report.to_json())

    release = pipeline.publish(build, pipeline.audit(build))
    manifest = read_manifest(release["uri"])
    first, second = manifest.sandboxes
    assert first.facts.known() == known({**facts, "fallback": True})
    assert second.facts.known() == known({**other, "fallback": False})
    assert second.shards == [f"2 of {len(first.shards) + 1}"]
    assert manifest.sandbox.image_id == [None, "sha256:other"]
    assert manifest.sandbox.fallback is True
    assert manifest.sandbox.known()["runner"] == known(facts)["runner"]
    assert "functions ran in 2 different sandboxes" in caplog.text
    text = io.StringIO()
    print_release(find_release(release["uri"]), Console(file=text, width=200))
    assert "functions ran in 2 different sandboxes" in text.getvalue()
    card = read(f"{release['uri']}/README.md").decode()
    assert "| function shards | functions ran in | image ID |\n| ---: | --- | --- |\n" in card
    assert f"| {len(first.shards)} | child processes" in card
    assert "| 1 | hardened containers: no network, read-only root, no capabilities |" in card
    assert "| `sha256:other` |\n" in card
    assert "**Warning: no container.**" in card


def test_a_build_that_only_removes_tells_of_no_sandbox(
    make_build: MakeBuild, small_dump: Path, tmp_path: Path
) -> None:
    for repository, module in (("one", "bisect"), ("two", "colorsys")):
        (tmp_path / "dump" / repository).mkdir(parents=True)
        shutil.copy(small_dump / f"{module}.py", tmp_path / "dump" / repository)
    opt_outs = tmp_path / "opt-outs.txt"
    opt_outs.write_text("")
    options = {"dump": str(tmp_path / "dump"), "opt_outs": str(opt_outs)}
    pipeline.run_build(make_build(**options))
    opt_outs.write_text("repository one\n")
    release = pipeline.run_build(make_build("build-2", "2026-11-25", **options))["uri"]
    manifest = read_manifest(release)
    assert manifest.parent == "2026.11.24-1"
    assert (manifest.writer.known(), manifest.sandbox.known(), manifest.sandboxes) == ({}, {}, [])
    assert "ran no function: all rows are those of release" in read(f"{release}/README.md").decode()
    text = io.StringIO()
    print_release(find_release(release), Console(file=text, width=200))
    assert "no container" not in text.getvalue()


def test_shards_of_one_sandbox_need_no_list(make_build: MakeBuild) -> None:
    manifest = read_manifest(pipeline.run_build(make_build(functions_per_shard=25))["uri"])
    assert manifest.sandboxes == []
    assert manifest.sandbox.launcher == "process"
    assert manifest.sandbox.fallback is True
