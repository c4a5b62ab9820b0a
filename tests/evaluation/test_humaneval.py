"""HumanEval: the problems, and their solutions graded in the sandbox."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from c2c_tasks.config import GradingOptions, SandboxOptions
from c2c_tasks.config.evaluation import ProblemOptions
from c2c_tasks.evaluation.bounds import Reference
from c2c_tasks.evaluation.grading import grade
from c2c_tasks.evaluation.humaneval import humaneval_problems
from c2c_tasks.evaluation.records import Answer, Grade, Problem
from c2c_tasks.sandbox.process import ProcessLauncher
from c2c_tasks.shards import StepReport

SANDBOX = SandboxOptions(launcher="process")


@pytest.fixture(scope="module")
def problems() -> dict[str, Problem]:
    report = StepReport("problems", "memory:")
    found = humaneval_problems(ProblemOptions(), report)
    return {one.problem_id: one for one in found}


def graded(problems: list[Problem], answers: list[Answer]) -> list[Grade]:
    report = StepReport("grade", "memory:")
    launcher = ProcessLauncher(SANDBOX)
    return list(grade(problems, answers, GradingOptions(), SANDBOX, report, launcher=launcher))


def test_all_solutions_pass(problems: dict[str, Problem]) -> None:
    report = StepReport("answer", "memory:")
    everything = list(problems.values())
    grades = graded(everything, list(Reference(1).answer(everything, report)))
    assert [(g.problem_id, g.detail) for g in grades if not g.passed_all] == []
    assert len(grades) == 164


def test_continuations_pass_as_they_are(problems: dict[str, Problem]) -> None:
    """A base model answers with what follows the prompt."""
    names = ["HumanEval/0", "HumanEval/32", "HumanEval/38", "HumanEval/163"]
    some = [problems[name] for name in names]
    rest = [one.program.removeprefix(one.prompt) for one in some]
    answers = [
        Answer(problem_id=name, sample=0, text=text) for name, text in zip(names, rest, strict=True)
    ]
    assert [g.category for g in graded(some, answers)] == ["passed_all"] * 4


def test_what_does_nothing_fails(problems: dict[str, Problem]) -> None:
    answers = [
        Answer(problem_id=one.problem_id, sample=0, text=f"{one.prompt}    return None\n")
        for one in problems.values()
    ]
    grades = graded([*problems.values()], answers)
    assert Counter(g.passed_all for g in grades) == {False: 164}


def test_an_answer_neither_lends_to_the_tests_nor_takes_from_them(
    problems: dict[str, Problem],
) -> None:
    """The tests of HumanEval/32 call `poly`, which its prompt defines."""
    one = problems["HumanEval/32"]
    cheat = "def poly(xs, x):\n    return 0\n\n\ndef find_zero(xs):\n    return 0\n"
    own = one.program.replace("poly(", "value_at(")
    answers = [
        Answer(problem_id=one.problem_id, sample=number, text=text)
        for number, text in enumerate([cheat, own])
    ]
    wrong, right = graded([replace(one, prompt="")], answers)
    assert wrong.category != "passed_all"
    assert right.category == "passed_all"


def test_some_are_drawn() -> None:
    report = StepReport("problems", "memory:")
    some = list(humaneval_problems(ProblemOptions(max_problems=7), report))
    assert len(some) == 7
    assert report.stages[0].dropped == {"not_drawn": 157}
