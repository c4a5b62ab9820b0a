"""Programs with recorded cases, and the problems made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from c2c_tasks.config.evaluation import ProblemOptions
from c2c_tasks.evaluation.problems import problems_of_programs
from c2c_tasks.evaluation.records import Problem
from c2c_tasks.literals import dumps
from c2c_tasks.records import Case, Parameter, Program
from c2c_tasks.shards import StepReport

X = Parameter("x", "positional_or_keyword")


def returned(output: Any, /, **arguments: Any) -> Case:
    return Case(arguments=dumps(arguments), outcome="returned", output=dumps(output))


def raised(kind: str, message: str = "", /, **arguments: Any) -> Case:
    return Case(
        arguments=dumps(arguments),
        outcome="raised",
        exception_type=kind,
        exception_message=message,
    )


def program(number: int = 0, cases: Sequence[Case] | None = None, **fields: Any) -> Program:
    """A program that adds its number, with thirteen cases unless others are given."""
    source = f"def add(x):\n    return x + {number}\n"
    if cases is None:
        cases = [returned(x + number, x=x) for x in range(100, 113)]
    defaults: dict[str, Any] = {
        "function_id": hashlib.sha256(f"{number}".encode()).hexdigest(),
        "program": source,
        "entry_point": "add",
        "parameters": [X],
        "repository": "owner/name",
        "path": "a.py",
        "first_line": 1,
        "last_line": 2,
        "licence": "MIT",
        "dump": "file:///dump",
        "source_sha256": "ab" * 32,
        "difficulty": 0.25,
        "writer": "synthesis",
        "cases": list(cases),
        "coverage": 1.0,
        "cluster": "ab" * 32,
        "split": "test",
    }
    return Program(**(defaults | fields))


def problems(programs: Sequence[Program], **options: Any) -> tuple[list[Problem], StepReport]:
    report = StepReport("problems", "memory:")
    found = list(problems_of_programs(programs, ProblemOptions(**options), report))
    for stage in report.stages:
        stage.check()
    return found, report


def problem(number: int = 0, cases: Sequence[Case] | None = None, **fields: Any) -> Problem:
    """The problem of such a program."""
    ((found,), _) = problems([program(number, cases, **fields)])
    return found
