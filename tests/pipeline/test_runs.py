"""What a build is called in the work area."""

from __future__ import annotations

from c2c_tasks.pipeline.runs import work_name


def test_no_two_builds_share_a_work_area() -> None:
    assert work_name("night-20") == "night-20"
    ids = ["a-b", "a:b", "a+b", "a::b"]
    assert len({work_name(build_id) for build_id in ids}) == len(ids)
    assert work_name("manual__2026-11-24T02:00").startswith("manual__2026-11-24T02-00-")
