"""An evaluation is published: plots, answers, grades, a page to read, and ``report.json`` last.

Nothing here depends on the clock or on memory of an earlier attempt: a second attempt writes the
same, and an evaluation that is there never changes.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from c2c_tasks.evaluation.evaluation_plots import draw_plots
from c2c_tasks.evaluation.report_page import render_page
from c2c_tasks.evaluation.results import (
    REPORT,
    EvaluationResult,
    read_result,
)
from c2c_tasks.publishing.conditions import STORE, Conditions, write_or_read
from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.publishing.release import describe_file
from c2c_tasks.store import local_copy, store_for

PAGE = "report.md"
ANSWERS = "answers"
GRADES = "grades"

log = logging.getLogger(__name__)


class EvaluationExists(Exception):
    """There is another evaluation of that name; the message says what differs."""


def write_report(
    evaluation: str,
    result: EvaluationResult,
    *,
    answers: Sequence[str],
    grades: Sequence[str],
    conditions: Conditions = STORE,
) -> None:
    """Publish an evaluation in the folder at a URI, see `evaluation_uri`.

    `answers` and `grades` are URIs of the shards, which are copied as they are. The evaluation
    exists once its ``report.json`` does, which is written only where there is none. Raises
    EvaluationExists where there is one that says something else.
    """
    is_there = store_for(evaluation).head(f"{evaluation}/{REPORT}") is not None
    with tempfile.TemporaryDirectory(prefix="c2c-") as name:
        folder = Path(name)
        draw_plots(folder, result)
        (folder / PAGE).write_text(render_page(result), encoding="utf-8")
        files = [
            _put(path, path.relative_to(folder).as_posix(), evaluation, is_there=is_there)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        ]
    files += _copies(evaluation, ANSWERS, answers, is_there=is_there)
    files += _copies(evaluation, GRADES, grades, is_there=is_there)
    files.sort(key=lambda entry: entry.path)
    text = result.model_copy(update={"files": files}).to_json()
    if write_or_read(conditions, f"{evaluation}/{REPORT}", text) != text:
        other = read_result(evaluation)
        different = [
            field
            for field in EvaluationResult.model_fields
            if field != "files" and getattr(other, field) != getattr(result, field)
        ]
        raise EvaluationExists(
            f"{evaluation}: there is such an evaluation already, and it differs "
            f"({', '.join(different) or 'files'}); start a new evaluation"
        )
    log.info("wrote %s", evaluation)


def _copies(
    evaluation: str, folder: str, shards: Sequence[str], *, is_there: bool
) -> Iterator[FileEntry]:
    for number, shard in enumerate(shards):
        with local_copy(shard) as path:
            name = f"{folder}/part-{number:05d}.parquet"
            yield _put(path, name, evaluation, is_there=is_there)


def _put(path: Path, name: str, evaluation: str, *, is_there: bool) -> FileEntry:
    """Upload a file, unless the evaluation is there, whose files stay; return its entry."""
    entry = describe_file(path, name)
    if not is_there:
        store_for(evaluation).upload(f"{evaluation}/{name}", path, sha256=entry.sha256)
    return entry
