"""The task that pushes to the Hub: what comes of the run, and of the release, where it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from c2c_tasks import pipeline
from c2c_tasks.publishing.release import PublishError

PUBLISHED = {
    "version": "2026.11.24-1",
    "uri": "file:///r",
    "rows": {},
    "latest": True,
    "date": "2026-11-24",
}


@pytest.fixture
def run_dag(airflow_home: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the DAG with steps that do nothing but the last one; returns states and asset events."""
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session

    import case2code_build

    shard = {"shard": "1 of 1", "index": 0, "uri": "file:///shard", "rows": 1}
    for step in ("extract", "write_inputs", "execute", "curate", "compose"):
        monkeypatch.setattr(pipeline, step, lambda build, shard, **_: shard)
    monkeypatch.setattr(pipeline, "plan", lambda build: [shard])
    monkeypatch.setattr(pipeline, "merge_functions", lambda build, shards: [shard])
    monkeypatch.setattr(pipeline, "merge_programs", lambda build: [shard])
    monkeypatch.setattr(pipeline, "audit", lambda build, **_: {"version": "v", "uri": "u"})
    monkeypatch.setattr(pipeline, "publish", lambda build, staged: PUBLISHED)
    # It reads the manifest of what is published, and nothing is.
    monkeypatch.setattr(case2code_build, "announce", lambda release: (release, "published"))

    def run(**conf: Any) -> tuple[str, dict[str, str], list[Any]]:
        dag = case2code_build.case2code_build()
        for task in dag.tasks:
            task.retries = 0  # each would wait
        done = dag.test(run_conf=conf | {"launcher": "process"})
        states = {ti.task_id: str(ti.state) for ti in done.get_task_instances()}
        with create_session() as session:
            columns = (AssetEvent.partition_key, AssetEvent.extra)
            events = select(*columns).where(AssetEvent.source_run_id == done.run_id)
            return str(done.state), states, [tuple(row) for row in session.execute(events)]

    return run


@pytest.mark.slow
def test_a_push_that_fails_fails_the_run_and_not_the_release(
    run_dag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(build: Any, published: Any) -> None:
        assert published == PUBLISHED
        raise PublishError("org/name: the Hub does not know the token")

    monkeypatch.setattr(pipeline, "push_to_hub", refuse)
    state, states, events = run_dag(hub_repository="org/name")
    assert state == "failed"
    assert states.pop("push_to_hub") == "failed"
    assert set(states.values()) == {"success"}
    # Without a key of the run, the event has one all the same: no consumer misses it.
    assert events == [("2026-11-24", PUBLISHED)]
