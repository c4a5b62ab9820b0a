"""Problems, answers and grades without a sandbox, and what an evaluation makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from c2c_tasks.config import EvaluationConfig
from c2c_tasks.evaluation.records import Answer, Category, Grade, Problem
from c2c_tasks.evaluation.results import EvaluationResult, ReleaseSource
from c2c_tasks.evaluation.summarising import Identity, summarise
from c2c_tasks.records import Case, Parameter
from c2c_tasks.shards import StepReport

RELEASE = ReleaseSource(
    version="2026.11.24-1",
    uri="s3://bucket/case2code/releases/2026.11.24-1",
    manifest_sha256="ab" * 32,
    split="test",
)
OUTPUTS = ("1", "'a'", "[1, 2]", "None")

Judge = Callable[[int, int], tuple[Category, bool]]
"""The category of an answer, by problem and sample, and whether a difference was found."""


def make_problem(number: int, **fields: Any) -> Problem:
    """Return a problem of its own; its type of output, difficulty and length go by the number."""
    body = "".join(f"    x += {line}\n" for line in range(number % 30))
    output = OUTPUTS[number % len(OUTPUTS)]
    known: dict[str, Any] = {
        "problem_id": f"{number:064x}",
        "task": "induction",
        "prompt": f"Write the function f{number}.",
        "program": f"def f{number}(x):\n{body}    return {output}\n",
        "entry_point": f"f{number}",
        "parameters": [Parameter(name="x", kind="positional_or_keyword")],
        "cases": [
            Case(arguments=f"{{'x': {case}}}", outcome="returned", output=output)
            for case in range(6)
        ],
        "shown_cases": list(range(3 + number % 2)),
        "held_cases": list(range(3 + number % 2, 6)),
        "difficulty": number % 100 / 100,
    }
    return Problem(**(known | fields))


def make_grade(
    problem: Problem, sample: int, category: Category, *, differs: bool = False
) -> Grade:
    """Return the grade of an answer, as its category says."""
    is_right = category == "passed_all"
    return Grade(
        problem_id=problem.problem_id,
        sample=sample,
        task=problem.task,
        category=category,
        passed_seen=category in ("passed_all", "passed_seen_only"),
        passed_held=is_right,
        passed_all=is_right,
        cases_passed=6 if is_right else 0,
        cases_run=6,
        called_by=None if category == "no_code" else "name",
        code="" if category == "no_code" else f"def {problem.entry_point}(x):\n    return x\n",
        detail="" if is_right else "{'x': 3}: returned 3, recorded 1",
        differential_inputs=100 if is_right else 0,
        counterexample="{'x': -1}" if differs else None,
    )


def make_config(**options: Any) -> EvaluationConfig:
    """Return a config of flat options, with few resamples."""
    return EvaluationConfig.from_flat(
        {"bootstrap_resamples": 200, "model": "tiny", "target": "/nowhere"} | options
    )


def judged(problems: Sequence[Problem], judge: Judge, samples: int) -> list[Grade]:
    """Return the grades of so many answers to each problem."""
    return [
        make_grade(problem, sample, category, differs=differs)
        for number, problem in enumerate(problems)
        for sample in range(samples)
        for category, differs in [judge(number, sample)]
    ]


def answers_of(grades: Iterable[Grade]) -> list[Answer]:
    """Return answers that the grades could be of."""
    return [
        Answer(problem_id=grade.problem_id, sample=grade.sample, text=f"```\n{grade.code}```")
        for grade in grades
    ]


def make_result(
    problems: Sequence[Problem],
    grades: Sequence[Grade],
    *,
    name: str = "tiny-2026-11-27-1a2b3c4d",
    date: str = "2026-11-27",
    model: str = "tiny",
    solver: str = "vllm",
    reports: Iterable[StepReport] | None = None,
    answers: Iterable[tuple[str, bool]] | None = None,
    **options: Any,
) -> EvaluationResult:
    """Return what an evaluation on `RELEASE` makes of these grades."""
    facts = {"solver": {"name": solver, "model": model}, "sandbox": {"launcher": "process"}}
    return summarise(
        problems,
        [(grade.problem_id, False) for grade in grades] if answers is None else answers,
        grades,
        make_config(**options),
        identity=Identity(
            evaluation_id="manual__2026-11-27", name=name, date=date, release=RELEASE
        ),
        reports=[StepReport("answer", "", facts=facts)] if reports is None else reports,
    )
