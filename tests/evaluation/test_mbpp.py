"""MBPP sanitized: its problems read, and their solutions graded in the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.config import GradingOptions, SandboxOptions
from c2c_tasks.config.evaluation import ProblemOptions
from c2c_tasks.evaluation.bounds import Reference
from c2c_tasks.evaluation.errors import ProblemError
from c2c_tasks.evaluation.grading import grade
from c2c_tasks.evaluation.mbpp import mbpp_problems
from c2c_tasks.evaluation.records import Answer, Grade, Problem
from c2c_tasks.sandbox.process import ProcessLauncher
from c2c_tasks.shards import StepReport

ROW = {
    "task_id": 5,
    "text": "Write a function.",
    "code": "def helper(x):\n    return x\n\ndef f(x):\n    return helper(x) / 2\n",
    "test_list": ["assert math.isclose(f(1), 0.5)", "assert f(4) == 2"],
}


def problems_of(folder: Path, *rows: Any) -> list[Problem]:
    path = folder / "mbpp.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return list(mbpp_problems(str(path), ProblemOptions(), StepReport("problems", "memory:")))


def graded(problems: list[Problem], answers: list[Answer]) -> list[Grade]:
    sandbox = SandboxOptions(launcher="process")
    report = StepReport("grade", "memory:")
    launcher = ProcessLauncher(sandbox)
    return list(grade(problems, answers, GradingOptions(), sandbox, report, launcher=launcher))


def test_all_solutions_pass(shared_data: Path) -> None:
    """By default: that of Mbpp/123 takes two seconds of CPU time, in a loop of a loop."""
    report = StepReport("problems", "memory:")
    uri = str(shared_data / "mbpp_sanitized.jsonl")
    problems = list(mbpp_problems(uri, ProblemOptions(), report))
    grades = graded(problems, list(Reference(1).answer(problems, report)))
    assert [(g.problem_id, g.detail) for g in grades if not g.passed_all] == []
    assert len(grades) == 427


def test_a_row_is_asked_with_its_tests(tmp_path: Path) -> None:
    (one,) = problems_of(tmp_path, ROW)
    assert (one.problem_id, one.entry_point, one.task) == ("Mbpp/5", "f", "mbpp")
    assert one.prompt == (
        '"""\nWrite a function.\nassert math.isclose(f(1), 0.5)\nassert f(4) == 2\n"""\n'
    )
    answers = [
        Answer(problem_id="Mbpp/5", sample=number, text=text)
        for number, text in enumerate(
            [
                one.program,
                "def f(x):\n    return 0.5\n",
                # neither what tests use nor what they compare is the answer's
                "class math:\n    isclose = print\n\ndef f(x):\n    return x / 2\n",
                "class math:\n    isclose = bool\n\ndef f(x):\n    return 2\n",
            ]
        )
    ]
    assert [g.passed_all for g in graded([one], answers)] == [True, False, True, False]


def test_what_other_copies_of_the_file_have_is_read(tmp_path: Path) -> None:
    row = ROW | {"prompt": "Do it.", "test_imports": ["from math import pi"]}
    row["test_list"] = ["assert f(2 * pi) == pi"]
    del row["text"]
    (one,) = problems_of(tmp_path, row)
    answers = list(Reference(1).answer([one], StepReport("answer", "memory:")))
    assert [g.category for g in graded([one], answers)] == ["passed_all"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"code": None}, r"mbpp.jsonl: line 2: has no text `code`"),
        ({"text": None}, r"line 2: has no text `text` or `prompt`"),
        ({"test_list": []}, r"line 2: has no tests in `test_list`"),
        ({"test_list": "assert f(1)"}, r"line 2: `test_list` is no list of texts"),
        ({"test_list": ["assert g(1)"]}, r"line 2: the tests call no function that `code` def"),
        ({"test_list": ["assert ("]}, r"line 2: code or tests cannot be parsed"),
    ],
)
def test_what_is_no_row_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        problems_of(tmp_path, ROW, ROW | change)


def test_a_row_without_an_id(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=r"line 1: has no `task_id`"):
        problems_of(tmp_path, {key: value for key, value in ROW.items() if key != "task_id"})
