"""What makes a step do its work again, and what does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from c2c_tasks import pipeline
from c2c_tasks.records import Function
from c2c_tasks.shards import StepReport, read_report, read_shard

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
