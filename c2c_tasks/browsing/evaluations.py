"""Evaluations: the leaderboard, one of them, and answers that it graded."""

from __future__ import annotations

import re
import time
from typing import Any, get_args

import pyarrow as pa
import pyarrow.compute as pc

from c2c_tasks.browsing.caching import Recent
from c2c_tasks.browsing.cursors import Position, read_cursor, write_cursor
from c2c_tasks.browsing.details import MAX_FILE, ReleaseFile, funnel_in_words
from c2c_tasks.browsing.redaction import redacted
from c2c_tasks.browsing.refusals import MAX_PAGE, InvalidRequest, NothingThere
from c2c_tasks.browsing.row_groups import DataFile, open_data_file, rows_with
from c2c_tasks.browsing.targets import known_target
from c2c_tasks.config.evaluation import Task
from c2c_tasks.evaluation.breakdown import TITLES
from c2c_tasks.evaluation.evaluation_plots import RATES
from c2c_tasks.evaluation.leaderboard import Board, Standing, leaderboard, list_evaluations
from c2c_tasks.evaluation.records import Category
from c2c_tasks.evaluation.report import ANSWERS, GRADES, PAGE
from c2c_tasks.evaluation.report_page import CATEGORY_MEANINGS, TASKS, rerun_command
from c2c_tasks.evaluation.results import (
    REPORT,
    EvaluationResult,
    evaluation_uri,
    read_result,
)
from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.publishing.release import release_uri
from c2c_tasks.store import ObjectNotFound, read, store_for

MAX_SECONDS = 2.0
"""For which one request looks for answers; it gets on by one row group at least."""
MAX_CHARACTERS = 20_000
"""Of an answer that are shown."""
MAX_PROBLEMS = 100
"""Problems that are named; the report has all."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_PART = re.compile(rf"(?:{ANSWERS}|{GRADES})/part-\d+\.parquet")
_SHOWN = (
    *("problem_id", "sample", "task", "category", "cases_passed", "cases_run", "called_by"),
    *("code", "detail", "differential_inputs", "counterexample"),
)
_RESULTS: Recent[tuple[str, str], EvaluationResult] = Recent(512)
"""By URI of the evaluation and ETag: a target that was deleted may have been made anew."""


def describe_leaderboard(target: str | None) -> dict[str, Any]:
    """Return the boards of a target, with the evaluations that cannot be read."""
    place = known_target(target)
    listed = list_evaluations(place, result_of=_read_once)
    found = {
        "boards": [_board(place, board) for board in leaderboard(listed)],
        "unreadable": [
            {"problem_set": one.problem_set, "name": one.name, "fault": one.fault}
            for one in listed
            if one.result is None
        ],
        "tasks": TASKS,
        "graded_on": _graded_on(),
    }
    return dict(redacted(found))


def describe_evaluation(target: str | None, problem_set: str, name: str) -> dict[str, Any]:
    """Return what there is to say of an evaluation.

    Raises InvalidRequest where a name is none, NothingThere where there is no such evaluation,
    StoreError where its report cannot be read.
    """
    uri, result = _open(target, problem_set, name)
    found = {
        "problem_set": problem_set,
        "release": _release_of(known_target(target), result),
        "uri": uri,
        "has_answers": bool(_parts(result, GRADES)),
        "result": result.model_dump(mode="json", exclude={"files", "funnel", "problems", "config"}),
        "options": result.config,
        "funnel": funnel_in_words(result.funnel),
        "problems": result.problems[:MAX_PROBLEMS],
        "problems_in_all": len(result.problems),
        "bytes": sum(entry.bytes for entry in result.files),
        "files": len(result.files),
        "command": rerun_command(result),
        "tasks": TASKS,
        "graded_on": _graded_on(),
        "breakdowns": dict(TITLES),
        "categories": CATEGORY_MEANINGS,
    }
    return dict(redacted(found))


def read_report_page(target: str | None, problem_set: str, name: str) -> ReleaseFile:
    """Return the page of an evaluation, as Markdown."""
    uri, result = _open(target, problem_set, name)
    entry = next((entry for entry in result.files if entry.path == PAGE), None)
    if entry is None or entry.bytes > MAX_FILE:
        raise NothingThere(f"{name}: has no page to show")
    try:
        return ReleaseFile(read(f"{uri}/{PAGE}"), entry.sha256)
    except ObjectNotFound:
        raise NothingThere(f"{PAGE}: is missing from the evaluation") from None


def search_answers(
    target: str | None,
    problem_set: str,
    name: str,
    *,
    task: str = "",
    category: str = "",
    cursor: str = "",
    limit: int = 10,
) -> dict[str, Any]:
    """Return a page of graded answers, of a task and of a category where these are named.

    ``failed`` stands for all categories but ``passed_all``. Raises InvalidRequest where one of
    them is none, NothingThere where the answers are gone, StoreError where they cannot be read.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidRequest(f"limit: from 1 to {MAX_PAGE}")
    if task and task not in get_args(Task):
        raise InvalidRequest(f"task: one of {', '.join(get_args(Task))}")
    if category not in ("", "failed", *get_args(Category)):
        raise InvalidRequest(f"category: failed, or one of {', '.join(get_args(Category))}")
    uri, result = _open(target, problem_set, name)
    parts = _parts(result, GRADES)
    if not parts:
        raise NothingThere(f"{name}: has no answers")
    asked = (uri, result.evaluation_id, task, category)
    work = _Answers(uri, parts, task, category, limit, read_cursor(cursor, asked))
    try:
        work.fill()
        _add_texts(uri, result, work.items)
    except ObjectNotFound:
        raise NothingThere(
            f"{name}: its answers are gone: they are deleted when the release is retired"
        ) from None
    return {
        "items": [item for _, item in work.items],
        "next_cursor": write_cursor(work.position, asked) if work.position else None,
        "scanned": work.scanned,
        "rows": sum(entry.rows or 0 for entry in parts),
    }


class _Answers:
    """One request's work, and how far it came."""

    def __init__(
        self,
        evaluation: str,
        parts: list[FileEntry],
        task: str,
        category: str,
        limit: int,
        position: Position,
    ) -> None:
        self._evaluation, self._parts, self._limit = evaluation, parts, limit
        self._task, self._category = task, category
        self._deadline = time.monotonic() + MAX_SECONDS
        self.items: list[tuple[FileEntry, dict[str, Any]]] = []
        """Each with the part that it is in."""
        self.scanned = 0
        self.position: Position | None = position
        """Of the next row; None at the end."""

    def fill(self) -> None:
        """Go on until the page is full, the time is over or the parts end."""
        while self.position and self.position.file < len(self._parts):
            part = self._parts[self.position.file]
            with open_data_file(self._evaluation, part) as file:
                while self.position.group < file.groups:
                    is_late = self.scanned > 0 and time.monotonic() > self._deadline
                    if is_late or len(self.items) >= self._limit:
                        return
                    self.position = self._read(file, part, self.position)
            self.position = Position(self.position.file + 1)
        self.position = None

    def _read(self, file: DataFile, part: FileEntry, position: Position) -> Position:
        found = [row for row in self._matching(file, position.group) if row >= position.row]
        taken = found[: self._limit - len(self.items)]
        if taken:
            table = file.read(position.group, _SHOWN).take(taken)
            self.items += [(part, row) for row in table.to_pylist()]
        if len(taken) < len(found):
            self.scanned += taken[-1] + 1 - position.row
            return position._replace(row=taken[-1] + 1)
        self.scanned += max(0, file.rows(position.group) - position.row)
        return Position(position.file, position.group + 1)

    def _matching(self, file: DataFile, group: int) -> list[int]:
        table = file.read(group, ["task", "category"])
        mask: Any = pc.is_valid(table["task"])
        if self._task:
            mask = pc.and_(mask, pc.equal(table["task"], pa.scalar(self._task)))
        if self._category == "failed":
            mask = pc.and_(mask, pc.not_equal(table["category"], pa.scalar("passed_all")))
        elif self._category:
            mask = pc.and_(mask, pc.equal(table["category"], pa.scalar(self._category)))
        return [int(row) for row in pc.indices_nonzero(mask).to_pylist()]


def _add_texts(
    uri: str, result: EvaluationResult, items: list[tuple[FileEntry, dict[str, Any]]]
) -> None:
    """Show of an answer without code what it said instead; cut what is too long to show."""
    answers = {entry.path: entry for entry in _parts(result, ANSWERS)}
    for part, item in items:
        item["text"] = None
        entry = answers.get(part.path.replace(GRADES, ANSWERS, 1))
        if item["category"] == "no_code" and entry:
            columns = ["sample", "text"]
            rows = rows_with(uri, entry, "problem_id", item["problem_id"], columns)
            texts = (row["text"] for row in rows if row["sample"] == item["sample"])
            item["text"] = next(texts, None)
        for name in ("code", "text", "detail", "counterexample"):
            if item[name] and len(item[name]) > MAX_CHARACTERS:
                item[name] = f"{item[name][:MAX_CHARACTERS]}…"


def _open(target: str | None, problem_set: str, name: str) -> tuple[str, EvaluationResult]:
    for part in (problem_set, name):
        if not _NAME.fullmatch(part):
            raise InvalidRequest(f"{part!r}: not a name of an evaluation")
    uri = evaluation_uri(known_target(target), problem_set, name)
    try:
        return uri, _read_once(uri)
    except ObjectNotFound:
        raise NothingThere(f"there is no evaluation {name} of {problem_set}") from None


def _read_once(evaluation: str) -> EvaluationResult:
    uri = f"{evaluation}/{REPORT}"
    info = store_for(uri).head(uri)
    if info is None:
        raise ObjectNotFound(f"{uri}: no such object")
    return _RESULTS.get((evaluation, info.etag), lambda: read_result(evaluation))


def _parts(result: EvaluationResult, folder: str) -> list[FileEntry]:
    """Return the Parquet files of a folder. What a report names beyond is not looked at."""
    return [
        entry
        for entry in result.files
        if entry.path.startswith(f"{folder}/") and _PART.fullmatch(entry.path)
    ]


def _graded_on() -> dict[str, str]:
    return {name: label for name, (_, label) in RATES.items()}


def _release_of(target: str, result: EvaluationResult) -> str | None:
    """Return the version of the release that was asked about, where it is one of the target."""
    release = result.release
    is_here = release and release.uri == release_uri(target, release.version)
    return release.version if release and is_here else None


def _board(target: str, board: Board) -> dict[str, Any]:
    return {
        "task": board.task,
        "problem_set": board.problem_set,
        "release": _release_of(target, board.standings[0].result) if board.problem_set else None,
        "split": board.split,
        "problems": board.problems,
        "few_shot": board.few_shot,
        "float_tolerance": board.float_tolerance,
        "standings": [_standing(standing) for standing in board.standings],
    }


def _standing(standing: Standing) -> dict[str, Any]:
    result, task = standing.result, standing.task
    return {
        "rank": standing.rank,
        "model": result.model,
        "solver": result.solver.name,
        "prompt_style": result.solver.prompt_style,
        "temperature": result.solver.temperature,
        "date": result.date,
        "problem_set": standing.listed.problem_set,
        "name": standing.listed.name,
        "ranked_by": standing.rate.graded_on if standing.rate else None,
        "answers": task.answers,
        "samples": task.samples,
        "missing_answers": task.missing_answers,
        "truncated": task.truncated,
        "pass_at": [rate.model_dump() for rate in task.pass_at],
    }
