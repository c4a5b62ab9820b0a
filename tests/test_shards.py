"""Shards and steps: complete or absent, made once, and their reports add up."""

from __future__ import annotations

from pathlib import Path

import pytest

from c2c_tasks.records import Case
from c2c_tasks.shards import (
    Stage,
    StepReport,
    code_version,
    funnel,
    read_report,
    read_shard,
    report_uri,
    run_step,
    shard_uri,
    write_shard,
)
from c2c_tasks.store import StoreError, store_for


def cases(count: int) -> list[Case]:
    return [
        Case(arguments=f"{{'x': {n}}}", outcome="returned", output=f"{n}") for n in range(count)
    ]


@pytest.mark.parametrize("count", [0, 1, 999, 1_000, 1_001, 2_500])
def test_rows_come_back_in_order(tmp_path: Path, count: int) -> None:
    uri = shard_uri(tmp_path.as_uri(), "step", 42)
    assert uri.endswith("/step/part-00042.parquet")
    assert write_shard(uri, Case, iter(cases(count))) == count
    assert list(read_shard(uri, Case)) == cases(count)


def test_same_rows_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_shard(f"{tmp_path.as_uri()}/{name}.parquet", Case, cases(2_500))
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_truncated_shard_is_named(tmp_path: Path) -> None:
    uri = f"{tmp_path.as_uri()}/a.parquet"
    write_shard(uri, Case, cases(10))
    path = tmp_path / "a.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(StoreError, match=r"a\.parquet: not a whole Parquet file"):
        list(read_shard(uri, Case))


def test_failing_records_leave_no_shard(tmp_path: Path) -> None:
    uri = f"{tmp_path.as_uri()}/a.parquet"

    def failing():  # type: ignore[no-untyped-def]
        yield from cases(3)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        write_shard(uri, Case, failing())
    assert store_for(uri).head(uri) is None


class Step:
    """A step that counts how often it worked."""

    def __init__(self, folder: Path) -> None:
        self.source = f"{folder.as_uri()}/source"
        self.output = shard_uri(folder.as_uri(), "step", 0)
        self.worked = 0
        store_for(self.source).write(self.source, b"1")

    def run(self, config: dict[str, int]) -> StepReport:
        def work(report: StepReport) -> None:
            self.worked += 1
            report.stage("rows", "cases").keep(3)
            write_shard(report.shard, Case, cases(3))

        return run_step("step", inputs=[self.source], output=self.output, config=config, work=work)


def test_a_complete_step_is_not_run_again(tmp_path: Path) -> None:
    step = Step(tmp_path)
    first = step.run({"n": 1})
    assert step.run({"n": 1}) == first == read_report(step.output)
    assert step.worked == 1


def test_other_config_or_input_runs_the_step_again(tmp_path: Path) -> None:
    step = Step(tmp_path)
    step.run({"n": 1})
    step.run({"n": 2})
    store_for(step.source).write(step.source, b"22")
    step.run({"n": 2})
    assert step.worked == 3


def test_a_step_killed_before_its_report_runs_again(tmp_path: Path) -> None:
    step = Step(tmp_path)
    step.run({"n": 1})
    store_for(step.output).delete(report_uri(step.output))
    step.run({"n": 1})
    assert step.worked == 2


def test_missing_input_is_named(tmp_path: Path) -> None:
    step = Step(tmp_path)
    store_for(step.source).delete(step.source)
    with pytest.raises(StoreError, match=r"source: no such object"):
        step.run({"n": 1})


def test_stage_that_does_not_add_up_fails_the_step(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="do not add up"):
        run_step(
            "step",
            inputs=[],
            output=tmp_path.as_uri(),
            config={},
            work=lambda report: report.stages.append(Stage("rows", "cases", 3, 1)),
        )
    assert read_report(tmp_path.as_uri()) is None


def test_funnel_adds_reports_up_by_stage() -> None:
    reports = [StepReport("a", ""), StepReport("a", "")]
    for report in reports:
        report.stage("functions", "functions").keep(2)
        report.stage("functions", "functions").drop("generator", 3)
    reports[1].stage("cases", "cases").drop("timed_out")
    stages = funnel(reports)
    assert [(s.name, s.rows_in, s.rows_out, s.dropped) for s in stages] == [
        ("functions", 10, 4, {"generator": 6}),
        ("cases", 1, 0, {"timed_out": 1}),
    ]


def test_report_survives_json() -> None:
    report = StepReport("step", "file:///a.parquet", "d", seconds=1.5, facts={"model": "m"})
    report.stage("rows", "cases").drop("killed", 2)
    report.count("tokens", 7)
    report.problem("file:///x: truncated")
    assert StepReport.from_json(report.to_json()) == report


def test_code_version_names_the_package_version() -> None:
    assert code_version().startswith("0.1.0+")
