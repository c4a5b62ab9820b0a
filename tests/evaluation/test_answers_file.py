"""Answers from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.config.evaluation import ModelOptions
from c2c_tasks.evaluation.answering import solver_for
from c2c_tasks.evaluation.answers_file import AnswersFile
from c2c_tasks.evaluation.errors import ProblemError
from c2c_tasks.evaluation.records import Answer
from c2c_tasks.shards import StepReport, read_shard, write_shard
from tests.evaluation.programs import problem

PROBLEMS = [problem(number) for number in range(3)]
FIRST, SECOND, THIRD = (one.problem_id for one in PROBLEMS)


def file_of(folder: Path, *rows: Any) -> str:
    path = folder / "answers.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return str(path)


def row(problem_id: str, answer: str) -> dict[str, str]:
    return {"problem_id": problem_id, "answer": answer}


def test_each_problem_has_as_many_answers_as_are_asked_for(tmp_path: Path) -> None:
    rows = [row(SECOND, "b0"), row(FIRST, "a0"), row(SECOND, "b1"), row(SECOND, "b2")]
    options = ModelOptions(
        solver="answers", answers_file=file_of(tmp_path, *rows), samples_per_problem=2
    )
    report = StepReport("answer", "memory:")
    found = list(solver_for(options).answer(PROBLEMS, report))
    assert [(a.problem_id, a.sample, a.text) for a in found] == [
        (FIRST, 0, "a0"),
        (FIRST, 1, ""),
        (SECOND, 0, "b0"),
        (SECOND, 1, "b1"),
        (THIRD, 0, ""),
        (THIRD, 1, ""),
    ]
    assert report.counters == {"answers_missing": 3}
    assert report.stages[0].dropped == {"above_samples_per_problem": 1}
    assert report.facts["solver"]["name"] == "answers"
    report.stages[0].check()


def test_what_does_not_meet_is_counted_and_named(tmp_path: Path) -> None:
    report = StepReport("plan", "memory:")
    made = AnswersFile(file_of(tmp_path, row(FIRST, "a"), row("else", "b")), 1)
    made.check([FIRST, SECOND, THIRD], report)
    assert report.counters == {"problems_without_answers": 2, "answered_problems_not_asked": 1}
    assert report.problems[1].endswith("answers what is not asked: else")
    assert all(name in report.problems[0] for name in (SECOND, THIRD))


def test_answers_to_other_problems_are_an_error(tmp_path: Path) -> None:
    made = AnswersFile(file_of(tmp_path, row("HumanEval/0", "a")), 1)
    with pytest.raises(ProblemError, match=r"answers none of the problems.*'HumanEval/0'"):
        made.check([FIRST, SECOND, THIRD], StepReport("plan", "memory:"))


def test_text_that_no_shard_holds_is_held_all_the_same(tmp_path: Path) -> None:
    """Half of a pair of surrogates, as models write now and then, and a mark of byte order."""
    uri = file_of(tmp_path, "\ufeff" + json.dumps(row(FIRST, "```\ud83d\ndef add(x): ...")))
    shard = (tmp_path / "answers.parquet").as_uri()
    report = StepReport("answer", "memory:")
    write_shard(shard, Answer, AnswersFile(uri, 1).answer(PROBLEMS[:1], report))
    assert [one.text for one in read_shard(shard, Answer)] == ["```?\ndef add(x): ..."]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"answers.jsonl: line 2: not JSON"),
        ({"problem_id": "a"}, r"line 2: has no text `answer`, but problem_id"),
        ({"problem_id": 1, "answer": ""}, r"line 2: has no text `problem_id`"),
    ],
)
def test_a_line_that_is_no_answer_is_named(tmp_path: Path, line: Any, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        AnswersFile(file_of(tmp_path, row("a", "b"), line), 1)
