"""Problems made of programs, and answers to them graded in the real sandbox."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from c2c_tasks.config import GradingOptions, SandboxOptions
from c2c_tasks.evaluation.grading import grade
from c2c_tasks.evaluation.records import Answer, Grade, Problem
from c2c_tasks.records import Case, Parameter, ParameterKind
from c2c_tasks.sandbox.choice import choose_launcher
from c2c_tasks.shards import StepReport

KINDS: dict[str, ParameterKind] = {
    "/": "positional_only",
    "*": "var_positional",
    "=": "keyword_only",
    "**": "var_keyword",
}


def parameters(*names: str) -> list[Parameter]:
    """Return parameters: ``x``, ``x/``, ``*x``, ``x=`` (by keyword alone), ``**x``; ``x?`` has a
    default."""
    found = []
    for text in names:
        name = text.strip("*/=?")
        mark = text.strip("?").replace(name, "")
        default = "None" if text.endswith("?") else None
        kind = KINDS.get(mark, "positional_or_keyword")
        found.append(Parameter(name, kind, default=default))
    return found


def returned(arguments: str, output: str) -> Case:
    return Case(arguments=arguments, outcome="returned", output=output)


def raised(arguments: str, kind: str) -> Case:
    return Case(
        arguments=arguments, outcome="raised", exception_type=kind, exception_message="It failed."
    )


def problem(
    cases: Sequence[Case], *names: str, shown: int = 1, problem_id: str = "p", **fields: Any
) -> Problem:
    """Return a problem whose function is called ``f``; the first cases are shown."""
    return Problem(
        **{
            "problem_id": problem_id,
            "task": "induction",
            "prompt": "What is f?",
            "program": "",
            "entry_point": "f",
            "parameters": parameters(*(names or ("x",))),
            "cases": list(cases),
            "shown_cases": list(range(shown)),
            "held_cases": list(range(shown, len(cases))),
            **fields,
        }
    )


LIMITS = {"case_seconds": 0.2, "function_seconds": 4, "memory_megabytes": 128, "workers": 2}


def grades(
    problems: Iterable[Problem],
    answers: Iterable[Answer],
    report: StepReport | None = None,
    tolerance: float = 0.0,
    **options: Any,
) -> list[Grade]:
    sandbox = SandboxOptions(**{"launcher": "process", **LIMITS, **options})
    return list(
        grade(
            problems,
            answers,
            GradingOptions(float_tolerance=tolerance),
            sandbox,
            report or StepReport("grade", "memory:"),
            launcher=choose_launcher(sandbox),
        )
    )


def graded(problem: Problem, *texts: str, **options: Any) -> list[Grade]:
    """Return the grades of answers to one problem."""
    answers = [
        Answer(problem_id=problem.problem_id, sample=sample, text=text)
        for sample, text in enumerate(texts)
    ]
    return grades([problem], answers, **options)
