"""The note of a run: what came of it, written when it ends.

Tasks have no access to Airflow's database, so they leave what there is to say as XComs (`leave`),
and a listener puts it on the run. Airflow calls the listener in the scheduler, in the middle of its
own transaction: it reads a few rows, opens nothing, and an error in it is logged and costs the note
alone. (A last task could call the REST API instead; it would need a password, and would not run
where a run ends by a timeout or a click.)
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl
from airflow.sdk import get_current_context

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from sqlalchemy.orm import Session

DAG_ID = "case2code_build"
XCOM_KEY = "case2code_note"
MARK = "<!-- case2code -->"
"""Begins our part of a note; what a person wrote stands before it. It is not shown."""
MAX_CHARACTERS = 1000
"""Of a note, in Airflow's database."""
_MAX_TASKS = 4

log = logging.getLogger(__name__)


def leave(kind: str, text: str) -> None:
    """Leave, from the running task, something to say in the run's note.

    That it cannot be left fails nothing.

    `kind` is `published`, `skipped` or `failed`. Airflow forgets it when the task is tried again.
    """
    try:
        get_current_context()["ti"].xcom_push(key=XCOM_KEY, value={"kind": kind, "text": text})
    except Exception as error:
        log.warning("nothing is said of it in the run's note: %s", error)


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:
    """Note what a run came to."""
    _annotate(dag_run, msg, failed=False)


@hookimpl
def on_dag_run_failed(dag_run: DagRun, msg: str) -> None:
    """Note why a run failed, and what to do."""
    _annotate(dag_run, msg, failed=True)


def _annotate(dag_run: DagRun, message: str, *, failed: bool) -> None:
    if dag_run.dag_id != DAG_ID:
        return
    try:
        from sqlalchemy.orm import object_session

        session = object_session(dag_run)
        if session is None:
            return
        # What is still to be written by the scheduler is not ours to write, or to fail at.
        with session.no_autoflush:
            left = _left(session, dag_run)
            ours = _failure(session, dag_run, left, message) if failed else _outcome(left)
            dag_run.note = merged(dag_run.note, f"{ours}\n\n{_duration(dag_run)}".strip())
    except Exception:
        log.exception("the run %s has no note", dag_run.run_id)


def merged(note: str | None, ours: str) -> str:
    """Return a note with our part in it, in place of the one it had; a person's is never cut.

    Where a person's text leaves no room for ours, it stays alone.
    """
    theirs = (note or "").partition(MARK)[0].rstrip()
    start = f"{theirs}\n\n{MARK}\n" if theirs else f"{MARK}\n"
    room = MAX_CHARACTERS - len(start)
    if room < 100:
        return theirs
    return start + (ours if len(ours) <= room else f"{ours[: room - 2].rstrip()} …")


def _left(session: Session, dag_run: DagRun) -> list[tuple[str, int, dict[str, str]]]:
    """Return what tasks have left: the task, its map index, and the kind and text."""
    from airflow.models.xcom import XComModel

    query = XComModel.get_many(key=XCOM_KEY, run_id=dag_run.run_id, dag_ids=dag_run.dag_id)
    columns = (XComModel.task_id, XComModel.map_index, XComModel.value, XComModel.timestamp)
    rows = session.execute(query.with_only_columns(*columns)).all()
    return [
        (row.task_id, row.map_index, _parsed(row.value))
        for row in sorted(rows, key=lambda row: row.timestamp)
    ]


def _parsed(value: Any) -> dict[str, str]:
    found = json.loads(value) if isinstance(value, str) else value
    return {"kind": str(found["kind"]), "text": str(found["text"])}


def _outcome(left: list[tuple[str, int, dict[str, str]]]) -> str:
    for _, _, said in left:
        if said["kind"] == "published":
            return said["text"]
    for task_id, _, said in left:
        if said["kind"] == "skipped":
            return f"**No release**: `{task_id}` skipped the run: {said['text']}"
    return "**No release**: no task says why; it may have been marked by hand"


def _failure(
    session: Session,
    dag_run: DagRun,
    left: list[tuple[str, int, dict[str, str]]],
    message: str,
) -> str:
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select

    from c2c_airflow.links import progress_page

    columns: Any = (
        TaskInstance.task_id,
        TaskInstance.map_index,
        TaskInstance.rendered_map_index,
    )
    failed = session.execute(
        select(*columns)
        .where(
            TaskInstance.dag_id == dag_run.dag_id,
            TaskInstance.run_id == dag_run.run_id,
            TaskInstance.state == "failed",
        )
        .order_by(TaskInstance.end_date)
    ).all()
    why = {(task, index): said["text"] for task, index, said in left if said["kind"] == "failed"}
    lines = [f"**Failed** ({message.replace('_', ' ').rstrip('.')})", ""]
    for task_id, map_index, label in failed[:_MAX_TASKS]:
        which = f" ({label or map_index})" if map_index >= 0 else ""
        reason = why.get((task_id, map_index), "it was killed or timed out; its log says more")
        lines.append(f"- `{task_id}`{which}: {_short(reason)}")
    if len(failed) > _MAX_TASKS:
        lines.append(f"- and {len(failed) - _MAX_TASKS:,} more")
    published = [said["text"].splitlines()[0] for _, _, said in left if said["kind"] == "published"]
    lines += ["", *published]
    lines.append(
        "Mend what the line names, then clear the failed tasks: finished shards are kept. "
        f"[How far it came]({progress_page(dag_run.run_id, dag_run.conf or {})})"
    )
    return "\n".join(lines)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 160 else f"{line[:159]}…"


def _duration(dag_run: DagRun) -> str:
    if not (dag_run.start_date and dag_run.end_date):
        return ""
    seconds = round((dag_run.end_date - dag_run.start_date).total_seconds())
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h" if hours else "", f"{minutes} min" if minutes else "", f"{rest} s"]
    return f"Took {' '.join(filter(None, parts))}."
