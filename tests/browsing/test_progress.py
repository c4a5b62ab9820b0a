from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from c2c_tasks.browsing.progress import progress_of
from c2c_tasks.browsing.reports import BuildReports, ReadReport
from c2c_tasks.shards import CARRIED_OVER, Stage


def functions(name: str, rows: int) -> Stage:
    return Stage(name, "functions", rows, rows)


def at(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=100) + timedelta(seconds=seconds)


def made(step: str, rows: int, seconds: float, changed: datetime | None) -> ReadReport:
    names = {"write_inputs": "inputs", "execute": "executed functions", "curate": "programs"}
    return ReadReport(step, [functions(names[step], rows)], {}, seconds, changed)


def test_what_is_left_is_told_by_what_was_done() -> None:
    """Four shards of ten functions; each step takes a second for each function, one at a time."""
    merged = ReadReport("merge_functions", [], {}, 1.0, at(0), [10] * 4)
    found = [merged]
    progress = progress_of(BuildReports(found), "running", 100.0)
    assert progress is not None
    assert progress["eta_seconds"] is None  # nothing tells yet
    found += [
        made("write_inputs", 10, 10.0, None),
        made("execute", 10, 10.0, at(90)),
        made("curate", 10, 10.0, at(100)),
        *(made("write_inputs", 10, 10.0, None) for _ in range(3)),
        *(made("execute", 10, 10.0, at(100)) for _ in range(2)),
    ]
    # 80 s of work done in 100 s; 10 of execute and 30 of curate are left.
    progress = progress_of(BuildReports(found), "running", 100.0)
    assert progress is not None
    assert progress["eta_seconds"] == pytest.approx(50, abs=2)
    assert progress["functions_per_second"] == pytest.approx(0.3, abs=0.01)
    failed = progress_of(BuildReports(found), "failed", 100.0)
    assert failed is not None
    assert failed["eta_seconds"] is None


def test_functions_without_inputs_are_not_waited_for() -> None:
    """Four shards of ten functions, of which the writer can do half; three shards are done."""
    found = [ReadReport("merge_functions", [], {}, 1.0, at(40), [10] * 4)]
    for number in range(3):
        ended = at(60 + 20 * number)
        inputs = Stage("inputs", "functions", 10, 5, {"unsupported_parameters": 5})
        found.append(ReadReport("write_inputs", [inputs], {}, 10.0))
        found += [made("execute", 5, 5.0, ended), made("curate", 5, 5.0, ended)]
    progress = progress_of(BuildReports(found), "running", 100.0)
    assert progress is not None
    assert progress["eta_seconds"] == pytest.approx(20, abs=2)


def test_nothing_is_told_of_nothing() -> None:
    assert progress_of(BuildReports([]), "running", 1.0) is None
    planned = progress_of(BuildReports([], planned_shards=3), "planned", 1.0)
    assert planned is not None
    assert [step["done"] for step in planned["steps"]] == [1] + [0] * 8


def test_rows_of_a_step_are_in_the_unit_of_what_it_makes() -> None:
    stages = [
        Stage("exact duplicates", "functions", 10, 8, {"exact_duplicate": 2}),
        Stage("near duplicates", "functions", 8, 5, {"near_duplicate": 3}),
        Stage(CARRIED_OVER, "programs", 400, 399, {"source_gone": 1}),
    ]
    report = ReadReport("merge_functions", stages, {}, 1.0)
    progress = progress_of(BuildReports([report]), "running", None)
    assert progress is not None
    merged = next(step for step in progress["steps"] if step["step"] == "merge_functions")
    assert (merged["rows_in"], merged["rows_out"]) == (10, 5)
    assert [item["reason"] for item in progress["rejects"]] == [
        *("near_duplicate", "exact_duplicate", "source_gone"),
    ]


def test_a_build_that_left_no_work_area_is_timed_as_a_whole() -> None:
    found = BuildReports([made("execute", 50, 100.0, None)])
    progress = progress_of(found, "published", 25.0)
    assert progress is not None
    assert progress["functions_per_second"] == 2.0
    assert (progress["eta_seconds"], progress["updated"]) == (None, None)
    assert all(step["done"] == step["total"] for step in progress["steps"])


def test_no_time_is_told_where_none_has_passed() -> None:
    now = at(0)
    found = [
        ReadReport("merge_functions", [], {}, 1.0, now, [10, 10]),
        made("write_inputs", 10, 0.0, None),
        made("execute", 10, 0.0, now),
        made("curate", 10, 0.0, now),
    ]
    progress = progress_of(BuildReports(found), "running", 0.0)
    assert progress is not None
    assert (progress["functions_per_second"], progress["eta_seconds"]) == (None, None)
