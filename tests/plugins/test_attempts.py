"""Whether the attempt that made a container still runs, as far as Airflow tells."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from c2c_airflow.attempts import Attempts, attempt_labels


class Airflow:
    """Task instances by (dag, run, task), each with the states of its map indexes."""

    def __init__(self, states: dict[tuple[str, str, str], dict[str, str | None]]) -> None:
        self.states = states
        self.questions = 0

    def get_task_states(
        self, dag_id: str, *, task_ids: list[str], run_ids: list[str]
    ) -> dict[str, dict[str, str | None]]:
        self.questions += 1
        (run_id,), (task_id,) = run_ids, task_ids
        found = self.states.get((dag_id, run_id, task_id))
        return {} if found is None else {run_id: found}


def context_of(airflow: Any = None, **names: Any) -> Any:
    own = {
        "dag_id": "maintain",
        "run_id": "r",
        "task_id": "sweep",
        "map_index": -1,
        "try_number": 1,
    } | names
    ti = SimpleNamespace(**own, get_task_states=getattr(airflow, "get_task_states", None))
    return {"ti": ti}


def labels_of(**names: Any) -> dict[str, str]:
    return attempt_labels(context_of(**names), timedelta(hours=1))


EXECUTE = {"dag_id": "build", "task_id": "shard.execute"}


@pytest.mark.parametrize(
    ("state", "ended"),
    [
        ("running", False),
        ("restarting", False),
        ("success", True),
        ("failed", True),
        ("up_for_retry", True),
        ("queued", True),
        (None, True),  # cleared, and not scheduled yet
    ],
)
@pytest.mark.parametrize("map_index", [-1, 0, 12])
def test_an_attempt_ends_with_its_task_instance(
    state: str | None, ended: bool, map_index: int
) -> None:
    key = "shard.execute" if map_index < 0 else f"shard.execute_{map_index}"
    airflow = Airflow(
        {("build", "r1", "shard.execute"): {key: state, "shard.execute_99": "failed"}}
    )
    attempts = Attempts(context_of(airflow))
    assert attempts.ended(labels_of(**EXECUTE, run_id="r1", map_index=map_index)) is ended


def test_what_airflow_does_not_know_has_not_ended() -> None:
    airflow = Airflow({("build", "r1", "shard.execute"): {"shard.execute_0": "success"}})
    attempts = Attempts(context_of(airflow))
    assert not attempts.ended(labels_of(**EXECUTE, run_id="r2", map_index=0))
    assert not attempts.ended(labels_of(**EXECUTE, run_id="r1", map_index=1))
    assert not attempts.ended({"case2code.sandbox": "1"})
    assert not attempts.ended({**labels_of(**EXECUTE, run_id="r1"), "airflow.try_number": ""})


def test_an_airflow_that_does_not_answer_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    attempts = Attempts(context_of())
    assert not attempts.ended(labels_of(**EXECUTE, run_id="r1", map_index=0))
    assert "is not known" in caplog.text


def test_a_task_s_instances_are_asked_for_once() -> None:
    airflow = Airflow(
        {("build", "r1", "shard.execute"): {f"shard.execute_{n}": "success" for n in range(20)}}
    )
    attempts = Attempts(context_of(airflow))
    for n in range(20):
        assert attempts.ended(labels_of(**EXECUTE, run_id="r1", map_index=n))
    assert airflow.questions == 1


def test_of_the_own_task_instance_earlier_tries_have_ended_and_later_ones_have_not() -> None:
    own = {**EXECUTE, "run_id": "r1", "map_index": 3}
    attempts = Attempts(context_of(Airflow({}), **own, try_number=2))
    tries = {n: attempts.ended(labels_of(**own, try_number=n)) for n in (1, 2, 3)}
    assert tries == {1: True, 2: False, 3: False}
