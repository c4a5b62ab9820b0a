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
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow.listeners import hookimpl
from airflow.sdk import get_current_context

from c2c_airflow.evaluation_options import EVALUATE
from c2c_airflow.links import progress_page
from c2c_tasks.config import ConfigError
from c2c_tasks.presets import fill

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from sqlalchemy.orm import Session

BUILD = "case2code_build"
MADE = {BUILD: "release", EVALUATE: "report", "case2code_train": "model"}
"""DAGs whose runs have notes, and what they make as a rule."""
CAME_TO = ("published", "evaluated", "trained")
"""Kinds of what tasks say of a run that came to its end."""
XCOM_KEY = "case2code_note"
MARK = "<!-- case2code -->"
"""Ends the first line of our part of a note; what a person wrote stands before it. It is not shown:
a line of its own would be, as an empty one, where Airflow shows the first line of a note."""
MAX_CHARACTERS = 1000
"""Of a note, in Airflow's database."""
_MAX_TASKS = 3
_LINE_CHARACTERS = 140
"""Of a task's error; the log has all of it."""
_TEXT_CHARACTERS = 2_000
"""Of what a task leaves to say: an error may hold all that a server has answered."""
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
"""What databases refuse in a text: the scheduler would fail, with all that it has to write."""

log = logging.getLogger(__name__)


def leave(kind: str, text: str, **more: str) -> None:
    """Leave, from the running task, something to say in the run's note, and `more` for alerts.

    That it cannot be left fails nothing.

    `kind` is one of `CAME_TO`, `skipped` or `failed`. Airflow forgets it when the task is tried
    again.
    Passwords in URIs are hidden: notes and alerts go further than logs.
    """
    # Imported here: the scheduler, which loads this module, leaves nothing.
    from c2c_tasks.browsing.redaction import redacted

    said = {"kind": kind, "text": redacted(text)[:_TEXT_CHARACTERS], **more}
    try:
        get_current_context()["ti"].xcom_push(key=XCOM_KEY, value=said)
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
    if dag_run.dag_id not in MADE:
        return
    try:
        from sqlalchemy.orm import object_session

        session = object_session(dag_run)
        if session is None:
            return
        # What the scheduler has still to write is not ours to write, or to fail at.
        with session.no_autoflush:
            said = _said(session, dag_run)
            if failed:
                page = ""
                if dag_run.dag_id == BUILD:
                    page = progress_page(dag_run.run_id, dag_run.conf or {})
                ours = failure(message, _failed(session, dag_run), said, page)
            else:
                ours = outcome(said, MADE[dag_run.dag_id])
            dag_run.note = merged(dag_run.note, f"{ours}\n\n{_footer(dag_run)}".strip())
    except Exception:
        log.exception("the run %s has no note", dag_run.run_id)


def merged(note: str | None, ours: str) -> str:
    """Return a note with our part in it, in place of the one it had; a person's is never cut.

    Where a person's text leaves no room for ours, it stays alone.
    """
    lines = (note or "").splitlines()
    begin = next((number for number, line in enumerate(lines) if MARK in line), len(lines))
    theirs = "\n".join(lines[:begin]).rstrip()
    start = f"{theirs}\n\n" if theirs else ""
    first, _, rest = _UNSTORABLE.sub("\ufffd", ours).partition("\n")
    room = MAX_CHARACTERS - len(start)
    if room < len(first) + len(MARK) + 2:
        return theirs
    marked = f"{first} {MARK}\n{rest}".rstrip()
    return start + (marked if len(marked) <= room else f"{marked[: room - 2].rstrip()} …")


def outcome(said: Sequence[Said], made: str = "release") -> str:
    """Return what a run that did not fail came to; `made` is what it makes as a rule."""
    for item in said:
        if item.kind in CAME_TO:
            return item.text
    for item in said:
        if item.kind == "skipped":
            return f"**No {made}**: {item.task_id} skipped the run: {plain(item.text)}"
    return f"**No {made}**: no task says why; the run may have been marked by hand"


def failure(message: str, failed: Sequence[FailedTask], said: Sequence[Said], progress: str) -> str:
    """Return why a run failed, by what its failed tasks said, and what to do.

    `progress` is the path of a page that shows how far it came, if there is one.
    """
    why = {(item.task_id, item.map_index): item.text for item in said if item.kind == "failed"}
    lines = [f"**Failed** ({message.replace('_', ' ').rstrip('.')})", ""]
    for task in failed[:_MAX_TASKS]:
        which = f" ({task.label or task.map_index})" if task.map_index >= 0 else ""
        reason = why.get((task.task_id, task.map_index), "its log says why")
        lines.append(f"- **{task.task_id}**{which}: {_short(reason)}")
    if len(failed) > _MAX_TASKS:
        lines.append(f"- and {len(failed) - _MAX_TASKS:,} more")
    came_to = [item.text.splitlines()[0] for item in said if item.kind in CAME_TO]
    what_to_do = "Mend what the line names, then clear the failed tasks: what is finished is kept."
    if progress:
        what_to_do += f" [How far it came]({progress})"
    lines += ["", *came_to, what_to_do]
    return "\n".join(lines)


class Said(NamedTuple):
    """What a task left to say."""

    task_id: str
    map_index: int
    kind: str
    text: str


class FailedTask(NamedTuple):
    """A task instance that failed."""

    task_id: str
    map_index: int
    label: str | None
    """Of a mapped one, for people."""


def _said(session: Session, dag_run: DagRun) -> list[Said]:
    """Return what tasks have left to say, in order of time."""
    from airflow.models.xcom import XComModel

    query = XComModel.get_many(key=XCOM_KEY, run_id=dag_run.run_id, dag_ids=dag_run.dag_id)
    columns = (XComModel.task_id, XComModel.map_index, XComModel.value, XComModel.timestamp)
    rows = sorted(session.execute(query.with_only_columns(*columns)), key=lambda row: row.timestamp)
    values = [json.loads(row.value) if isinstance(row.value, str) else row.value for row in rows]
    return [
        Said(row.task_id, row.map_index, value["kind"], value["text"])
        for row, value in zip(rows, values, strict=True)
    ]


def _failed(session: Session, dag_run: DagRun) -> list[FailedTask]:
    """Return the task instances that failed themselves, the first one first."""
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select

    columns: Any = (
        TaskInstance.task_id,
        TaskInstance.map_index,
        TaskInstance.rendered_map_index,
    )
    query = (
        select(*columns)
        .where(
            TaskInstance.dag_id == dag_run.dag_id,
            TaskInstance.run_id == dag_run.run_id,
            TaskInstance.state == "failed",
        )
        .order_by(TaskInstance.end_date)
    )
    return [FailedTask(*row) for row in session.execute(query)]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return plain(line if len(line) <= _LINE_CHARACTERS else f"{line[: _LINE_CHARACTERS - 1]}…")


def plain(text: str) -> str:
    """Return Markdown of a text in which a dump may have named things: no link, no image."""
    return text.replace("`", "").replace("[", r"\[").replace("]", r"\]")


def _footer(dag_run: DagRun) -> str:
    """Return which preset a run had, and how long it took."""
    said = []
    if dag_run.dag_id == BUILD:
        with suppress(ConfigError):  # no such preset: the run has failed at it
            said.append(f"Preset {fill(dag_run.conf or {})[0]}")
    if dag_run.start_date and dag_run.end_date:
        seconds = round((dag_run.end_date - dag_run.start_date).total_seconds())
        minutes, rest = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        parts = [f"{hours} h" if hours else "", f"{minutes} min" if minutes else "", f"{rest} s"]
        said.append(" ".join(filter(None, parts)))
    return ", ".join(said)
