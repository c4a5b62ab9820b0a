"""What makes a step do its work again, and what does not."""

from __future__ import annotations

import ctypes
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from c2c_tasks import pipeline
from c2c_tasks.config import ExtractionOptions
from c2c_tasks.pipeline import extracting
from c2c_tasks.records import Function, SourceFile
from c2c_tasks.shards import StepReport, read_report, read_shard
from c2c_tasks.store import read

if TYPE_CHECKING:
    from tests.pipeline.conftest import MakeBuild


def test_benchmarks_are_kept_out_and_their_change_is_noticed(
    make_build: MakeBuild, workspace: Path, small_dump: Path
) -> None:
    problems = workspace / "benchmarks" / "problems.jsonl"
    problems.parent.mkdir()
    problems.write_text(json.dumps({"code": "def f(x):\n    return x\n"}))
    build = make_build(benchmarks=[str(problems.parent)])

    def names() -> set[str]:
        extracted = [pipeline.extract(build, shard) for shard in pipeline.plan(build)]
        merged = pipeline.merge_functions(build, extracted)
        return {f.entry_point for shard in merged for f in read_shard(shard["uri"], Function)}

    assert "rgb_to_yiq" in names()
    renamed = (small_dump / "colorsys.py").read_text().replace("rgb_to_yiq", "solve")
    problems.write_text(json.dumps({"code": renamed}))
    assert "rgb_to_yiq" not in names()


def test_benchmarks_that_change_after_the_plan_are_a_clear_error(
    make_build: MakeBuild, workspace: Path
) -> None:
    problems = workspace / "problems.jsonl"
    problems.write_text(json.dumps({"code": "def f(x):\n    return x\n"}))
    build = make_build(benchmarks=[str(problems)])
    extracted = [pipeline.extract(build, shard) for shard in pipeline.plan(build)]
    problems.write_text(json.dumps({"code": "def g(x):\n    return x + 1\n"}))
    with pytest.raises(pipeline.BuildError, match=r"benchmarks: changed since .*clear `plan`"):
        pipeline.merge_functions(build, extracted)


def test_each_step_returns_at_once_where_its_work_is_done(make_build: MakeBuild) -> None:
    build = make_build(functions_per_shard=1_000)

    def run() -> list[StepReport | None]:
        (dump_shard,) = pipeline.plan(build)
        (shard,) = pipeline.merge_functions(build, [pipeline.extract(build, dump_shard)])
        for step in (pipeline.write_inputs, pipeline.execute, pipeline.curate):
            shard = step(build, shard)
        (shard,) = pipeline.merge_programs(build)
        pipeline.compose(build, shard)
        return [
            *(read_report(build.shard(step, 0)) for step in ("extract", "execute", "compose")),
            read_report(build.folder("merge_programs")),
        ]

    reports = run()  # they hold how long it took
    assert None not in reports
    assert run() == reports


def test_files_that_no_process_survives_are_counted_and_named(
    make_build: MakeBuild, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = workspace / "hostile"
    dump.mkdir()
    for name in ("a", "crash", "hang", "z"):
        (dump / f"{name}.py").write_text(f"def {name}(x):\n    return x + 1\n")
    monkeypatch.setattr(extracting, "_extract_file", dies_of_some_files)
    (shard,) = [
        pipeline.extract(build, dump_shard)
        for build in [make_build(dump=str(dump))]
        for dump_shard in pipeline.plan(build)
    ]
    assert [function.entry_point for function in read_shard(shard["uri"], Function)] == ["a", "z"]
    report = read_report(shard["uri"])
    assert report is not None
    (parsed,) = (stage for stage in report.stages if stage.name == "parsed files")
    assert (parsed.rows_in, parsed.rows_out) == (4, 2)
    assert parsed.dropped == {"crashed_parser": 1, "parser_timed_out": 1}
    assert [problem.rpartition("/")[2] for problem in report.problems] == [
        "crash.py: crash.py: crashed_parser",
        "hang.py: hang.py: parser_timed_out",
    ]


def dies_of_some_files(options: ExtractionOptions, file: SourceFile) -> object:
    """Extract from a file, in a process that it may kill."""
    if file.path == "crash.py":
        ctypes.string_at(0)
    if file.path == "hang.py":
        os.kill(os.getpid(), signal.SIGPROF)  # as when its time is over
    return extract_file(options, file)


extract_file = extracting._extract_file


def test_the_number_of_processes_changes_nothing(make_build: MakeBuild) -> None:
    written = []
    for count in (1, 3):
        build = make_build(f"build-{count}", extraction_processes=count)
        (dump_shard,) = pipeline.plan(build)
        shard = pipeline.extract(build, dump_shard)
        written.append(read(shard["uri"]))
    assert written[0] == written[1]
