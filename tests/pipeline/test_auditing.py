"""The audit of whole builds: what it goes by, what it leaves, and what it does not do twice."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from c2c_tasks import pipeline
from c2c_tasks.pipeline import Build, BuildError, auditing
from c2c_tasks.publishing.audit import AUDIT_REPORT, AuditError, AuditReport
from c2c_tasks.publishing.manifest import MANIFEST_SCHEMA, Manifest, read_manifest
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.publishing.release import release_uri
from c2c_tasks.records import Program
from c2c_tasks.shards import read_shard, report_uri, write_shard
from c2c_tasks.store import read, store_for

if TYPE_CHECKING:
    from tests.pipeline.conftest import MakeBuild

CASES = "cases are well-formed, and enough"


def up_to_audit(build: Build) -> None:
    extracted = [pipeline.extract(build, shard) for shard in pipeline.plan(build)]
    for shard in pipeline.merge_functions(build, extracted):
        pipeline.curate(build, pipeline.execute(build, pipeline.write_inputs(build, shard)))
    compose(build)


def compose(build: Build) -> None:
    for shard in pipeline.merge_programs(build):
        pipeline.compose(build, shard)


def report_of(release: str) -> AuditReport:
    return AuditReport.model_validate_json(read(f"{release}/{AUDIT_REPORT}"))


def counts(report: AuditReport, name: str) -> tuple[int, int]:
    """What a check examined, and what was exempt from it."""
    ((examined, exempt),) = ((c.examined, c.exempt) for c in report.checks if c.name == name)
    return examined, exempt


def programs_of(manifest: Manifest) -> int:
    return sum(manifest.splits["programs"].values())


@pytest.fixture
def dump(workspace: Path, small_dump: Path) -> Path:
    """A part of the small dump."""
    folder = workspace / "part"
    folder.mkdir()
    for name in ("bisect", "colorsys", "fnmatch", "posixpath", "shlex"):
        shutil.copy(small_dump / f"{name}.py", folder)
    return folder


def test_what_passed_in_the_parent_is_not_examined_again(
    make_build: MakeBuild, dump: Path, small_dump: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pipeline.run_build(make_build(dump=str(dump)))["uri"]
    whole = read_manifest(first)
    report = report_of(first)
    assert report.passed and report.parent is None
    assert counts(report, CASES) == (programs_of(whole), 0)
    assert report.sandbox == whole.sandbox and report.re_executed == 3
    schema = json.loads(read(f"{first}/{MANIFEST_SCHEMA}"))
    jsonschema.Draft202012Validator(schema).validate(json.loads(whole.to_json()))
    assert {AUDIT_REPORT, MANIFEST_SCHEMA} < {entry.path for entry in whole.files}

    shutil.copy(small_dump / "textwrap.py", dump)
    night = make_build("night", "2026-11-25", dump=str(dump), audit_share=1.0)
    up_to_audit(night)
    staged = pipeline.audit(night)
    report = report_of(staged["uri"])
    new = staged["programs"] - programs_of(whole)
    assert 0 < new < programs_of(whole)
    assert counts(report, CASES) == (new, programs_of(whole))
    assert counts(report, "function ids are unique over all splits") == (staged["programs"], 0)
    assert (report.parent, report.re_executed) == (whole.version, staged["programs"])

    # The same night, where the parent was made by other code: all of it is examined.
    monkeypatch.setattr(auditing, "code_version", lambda: "another")
    store_for(night.work).delete(report_uri(night.folder("audit")))
    report = report_of(pipeline.audit(night)["uri"])
    assert counts(report, CASES) == (staged["programs"], 0)
    assert report.parent is None and report.passed


def test_an_unsound_release_stays_for_inspection_and_is_replaced_once_it_is_mended(
    make_build: MakeBuild, dump: Path
) -> None:
    build = make_build(dump=str(dump), audit_share=1.0)
    target = build.config.publishing.target
    up_to_audit(build)
    shard = build.shard("merge_programs", 0)
    programs = list(read_shard(shard, Program))
    (liar, position), *_ = [
        (program, position)
        for program in programs
        for position, case in enumerate(program.cases)
        if case.output is not None and case.output.isdigit()
    ]
    sound = liar.cases[position]
    liar.cases[position] = replace(sound, output=f"{sound.output}7")
    write_shard(shard, Program, programs)
    compose(build)

    with pytest.raises(AuditError) as failure:
        pipeline.audit(build)
    release = release_uri(target, "2026.11.24-1")
    assert f"{release}/{AUDIT_REPORT} says more. Mend what made it so" in str(failure.value)
    assert liar.function_id in str(failure.value)
    report = report_of(release)
    assert [check.name for check in report.checks if not check.passed] == [
        "programs run again give the recorded outputs"
    ]
    left = {info.uri for info in store_for(release).list(release)}
    assert any("/programs/train-" in uri for uri in left)
    assert read_pointer(target) is None
    with pytest.raises(BuildError, match="the audit has not finished"):
        pipeline.publish(build, {"version": "2026.11.24-1", "uri": release, "programs": 1})

    liar.cases[position] = sound
    write_shard(shard, Program, programs)
    compose(build)
    published = pipeline.publish(build, pipeline.audit(build))
    assert published["uri"] == release and published["latest"]
    assert report_of(release).passed


def test_counts_that_do_not_add_up_are_named(make_build: MakeBuild, dump: Path) -> None:
    build = make_build(dump=str(dump), functions_per_shard=10, max_failed_shards=1)
    up_to_audit(build)
    uri = report_uri(build.shard("compose", 1))
    sound = read(uri)
    wrong = json.loads(sound)
    (stage,) = wrong["stages"]
    stage["rows_in"] += 1
    stage["rows_out"] += 1
    store_for(uri).write(uri, json.dumps(wrong).encode())
    with pytest.raises(AuditError, match=r"counts: samples of the release, new and carried over: "):
        pipeline.audit(build)

    # They do add up where a shard has programs, and no samples.
    store_for(uri).write(uri, sound)
    store_for(uri).delete(report_uri(build.shard("compose", 0)))
    assert report_of(pipeline.audit(build)["uri"]).passed
