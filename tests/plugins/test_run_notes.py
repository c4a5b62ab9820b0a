"""The note of a run. That Airflow writes it is seen in tests/end_to_end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from c2c_airflow import run_notes
from c2c_airflow.run_notes import (
    MARK,
    MAX_CHARACTERS,
    FailedTask,
    Said,
    failure,
    leave,
    merged,
    on_dag_run_failed,
    on_dag_run_success,
    outcome,
)


def test_a_note_of_ours_is_replaced_and_a_person_s_is_kept() -> None:
    first = merged(None, "**Failed**\n\n- plan")
    assert first == f"**Failed** {MARK}\n\n- plan"
    assert merged(first, "published") == f"published {MARK}"
    theirs = merged("Asked for\nby Ada.", "**Failed**\n\n- plan")
    assert theirs == f"Asked for\nby Ada.\n\n**Failed** {MARK}\n\n- plan"
    assert merged(theirs, "published") == f"Asked for\nby Ada.\n\npublished {MARK}"


@pytest.mark.parametrize("theirs", [0, 500, 950, 970, 980, 1000])
def test_a_note_fits_airflow_s_database(theirs: int) -> None:
    note = merged("t" * theirs, "**Failed**\n" + "o" * 2_000)
    assert len(note) <= MAX_CHARACTERS
    assert note.startswith("t" * theirs)
    assert note.endswith(" …") == (theirs <= 950) == (MARK in note)


def test_a_note_holds_nothing_that_a_database_refuses() -> None:
    # The scheduler writes it along with all else that it has to write.
    failed = [FailedTask("shard.write_inputs", -1, None)]
    said = [Said("shard.write_inputs", -1, "failed", "the endpoint answered \0\0 and \udcff")]
    note = merged("by Ada", failure("task_failure", failed, said, "/page"))
    assert "the endpoint answered \ufffd\ufffd and \ufffd" in note
    note.encode()


def test_an_error_in_a_note_is_no_markdown() -> None:
    # A dump's paths are strangers' text, and Airflow shows images of other servers.
    text = "s3://dumps/![`x`](http://192.0.2.1/seen.png).zst: damaged"
    shown = r"s3://dumps/!\[x\](http://192.0.2.1/seen.png).zst: damaged"
    note = failure("", [FailedTask("plan", -1, None)], [Said("plan", -1, "failed", text)], "/page")
    assert f"- **plan**: {shown}\n" in note
    assert outcome([Said("plan", -1, "skipped", text)]).endswith(f"skipped the run: {shown}")


def test_what_a_task_leaves_is_bounded_and_holds_no_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left: dict[str, Any] = {}
    ti = SimpleNamespace(xcom_push=lambda key, value: left.update({key: value}))
    monkeypatch.setattr(run_notes, "get_current_context", lambda: {"ti": ti})
    leave("failed", "http://ada:lovelace@vllm:8000/v1: answered " + "x" * 1_000_000)
    (said,) = left.values()
    assert said["text"].startswith("http://***@vllm:8000/v1: answered xxx")
    assert len(said["text"]) < 10_000


def test_a_release_is_what_a_run_came_to_though_a_task_was_skipped() -> None:
    hub = Said("push_to_hub", -1, "skipped", "no option asks for it")
    release = Said("publish", -1, "published", "**2026.11.24-1**")
    assert outcome([hub, release]) == "**2026.11.24-1**"
    plan = Said("plan", -1, "skipped", "nothing new: all 3 objects are there")
    assert outcome([plan]).endswith("plan skipped the run: nothing new: all 3 objects are there")
    assert "marked by hand" in outcome([])
    report = Said("report", -1, "evaluated", "**qwen** on 2026.11.24-1")
    assert outcome([report], "report") == report.text
    model = Said("train", -1, "trained", "**small-direct_fine_tuning-1**")
    assert outcome([model], "model") == model.text
    unasked = Said("prepare_problems", -1, "skipped", "no model is configured")
    assert outcome([unasked], "report").startswith("**No report**: prepare_problems skipped")


def test_a_failure_names_the_first_tasks_with_their_errors_and_what_to_do() -> None:
    failed = [FailedTask("shard.execute", index, f"{index + 1} of 256") for index in range(256)]
    said = [
        Said("shard.execute", 0, "failed", "docker: no engine\nanswers"),
        Said("merge_programs", -1, "skipped", "not reached"),
    ]
    note = failure("task_failure", failed, said, "/case2code/#/builds/1")
    assert "**Failed** (task failure)" in note
    assert "- **shard.execute** (1 of 256): docker: no engine answers\n" in note
    assert "- **shard.execute** (2 of 256): its log says why\n" in note
    assert "- and 253 more\n" in note
    assert "clear the failed tasks" in note and "(/case2code/#/builds/1)" in note
    assert "not reached" not in note
    assert "How far it came" not in failure("task_failure", failed, said, "")  # has no such page
    errors = [Said("shard.execute", index, "failed", "word " * 500) for index in range(256)]
    assert len(failure("task_failure", failed, errors, "/page" * 40)) < MAX_CHARACTERS


@pytest.mark.parametrize("ended", [on_dag_run_success, on_dag_run_failed])
def test_an_error_costs_the_note_alone(ended: Any, caplog: pytest.LogCaptureFixture) -> None:
    other = SimpleNamespace(dag_id="another", run_id="manual__1")
    ended(dag_run=other, msg="success")
    assert not caplog.records
    for number, dag_id in enumerate(run_notes.MADE):
        ended(dag_run=SimpleNamespace(dag_id=dag_id, run_id=f"manual__{number}"), msg="success")
    lines = [f"the run manual__{number} has no note" for number in range(3)]
    assert [record.getMessage() for record in caplog.records] == lines


def test_what_cannot_be_left_fails_no_task(caplog: pytest.LogCaptureFixture) -> None:
    leave("failed", "outside of a task")
    assert "nothing is said of it in the run's note" in caplog.text
