"""Problems of induction: which programs are asked for, and which of their cases are shown.

Which problems are drawn, and which serve as solved examples, hangs on the seed and the function
id alone: problems are ranked by a digest of both. The first are asked, the last are shown solved,
so that an evaluation with solved examples asks the same problems as one without.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Literal

from c2c_tasks.config.evaluation import ProblemOptions
from c2c_tasks.evaluation.defaults import bound, with_literal_defaults
from c2c_tasks.evaluation.errors import ProblemError
from c2c_tasks.evaluation.prompting import Shot, induction_prompt
from c2c_tasks.evaluation.records import Problem
from c2c_tasks.literals import loads
from c2c_tasks.records import Case, Function, Program, Split
from c2c_tasks.samples.composition import LEAST_SHOWN, choose_shown, showable
from c2c_tasks.samples.examples import Example
from c2c_tasks.shards import StepReport

MAX_CASE_CHARACTERS = 1_000
"""Call and outcome of a case that is shown. Prompts show cases whole or not at all: longer ones
are held back."""
MAX_SHOWN_CHARACTERS = 8_000
"""Cases of a prompt together, some 3,000 tokens: a context of 4,096 holds it and an answer."""
MAX_SHOT_CHARACTERS = 1_500
"""Prompt and program of a solved example; nine in ten of the paper's test set have fewer."""
_SHOT_CANDIDATES = 50
"""Programs looked at for each solved example that is wanted: most will do."""

Reason = Literal["too_few_cases", "cases_too_long"]


def problems_of_programs(
    programs: Iterable[Program], options: ProblemOptions, report: StepReport
) -> Iterator[Problem]:
    """Yield the problems of a release's programs, in their order, `max_problems` at most.

    Dropped, and counted by reason: ``too_few_cases`` to show some and hold
    `problem_held_cases` back, ``cases_too_long`` to be shown, ``not_drawn``.
    """
    problems = _problems(((p, p.cases, p.difficulty) for p in programs), options, report)
    yield from drawn(problems, options, report)


def shots_of_programs(programs: Iterable[Program], options: ProblemOptions) -> list[Shot]:
    """Return `few_shot` solved examples, of programs in the split that `shot_split` names.

    Raises ProblemError where there are not as many.
    """
    if not options.few_shot:
        return []
    few = heapq.nlargest(
        options.few_shot * _SHOT_CANDIDATES, programs, lambda p: _rank(p.function_id, options)
    )
    unread = StepReport("shots", "")
    problems = _problems(((p, p.cases, p.difficulty) for p in few), options, unread)
    return [Shot(p.prompt, p.program) for p in last_ones(problems, options)]


def shot_split(options: ProblemOptions) -> Split:
    """Return the split that solved examples are taken from: never the one that is asked."""
    return "validation" if options.split == "train" else "train"


def last_ones(problems: Iterable[Problem], options: ProblemOptions) -> list[Problem]:
    """Return the `few_shot` short problems that rank last. Raises ProblemError."""
    short = (p for p in problems if len(p.prompt) + len(p.program) <= MAX_SHOT_CHARACTERS)
    found = heapq.nlargest(options.few_shot, short, lambda p: _rank(p.problem_id, options))
    if len(found) < options.few_shot:
        raise ProblemError(
            f"few_shot is {options.few_shot}, but only {len(found)} programs are fit to be shown "
            "solved; set a smaller few_shot"
        )
    return found


def drawn(
    problems: Iterable[Problem], options: ProblemOptions, report: StepReport
) -> Iterator[Problem]:
    """Yield the `max_problems` that rank first, in the order given; all where it is 0."""
    stage = report.stage("problems", "problems")
    if not options.max_problems:
        for problem in problems:
            stage.keep()
            yield problem
        return
    number = 0

    def numbered() -> Iterator[tuple[int, Problem]]:
        nonlocal number
        for problem in problems:
            number += 1
            yield number, problem

    ranked = heapq.nsmallest(
        options.max_problems, numbered(), lambda item: _rank(item[1].problem_id, options)
    )
    if number > len(ranked):
        stage.drop("not_drawn", number - len(ranked))
    for _, problem in sorted(ranked, key=lambda item: item[0]):
        stage.keep()
        yield problem


def induction_problem(
    function: Function,
    cases: Sequence[Case],
    options: ProblemOptions,
    *,
    difficulty: float | None = None,
) -> Problem | Reason:
    """Return the problem of a function with sound cases, or why there is none."""
    function = with_literal_defaults(function)
    examples = showable(function, cases)
    for position in _repeated(function, examples):
        del examples[position]
    most = min(options.problem_shown_cases, len(examples) - options.problem_held_cases)
    least = min(options.problem_shown_cases, LEAST_SHOWN)
    if most < least:
        return "too_few_cases"
    short = [p for p, example in examples.items() if _length(example) <= MAX_CASE_CHARACTERS]
    random = Random(f"{options.problem_seed}:{function.function_id}")
    shown = choose_shown(cases, short, most, random)
    while sum(_length(examples[p]) for p in shown) > MAX_SHOWN_CHARACTERS:
        shown.pop()  # the least telling
    if len(shown) < least:
        return "cases_too_long"
    shown.sort()
    return Problem(
        problem_id=function.function_id,
        task="induction",
        prompt=induction_prompt(function, [examples[position] for position in shown]),
        program=function.program,
        entry_point=function.entry_point,
        parameters=function.parameters,
        cases=[*cases],
        shown_cases=shown,
        held_cases=[position for position in examples if position not in shown],
        difficulty=difficulty,
    )


def _problems(
    functions: Iterable[tuple[Function, Sequence[Case], float | None]],
    options: ProblemOptions,
    report: StepReport,
) -> Iterator[Problem]:
    stage = report.stage("problems", "problems")
    for function, cases, difficulty in functions:
        found = induction_problem(function, cases, options, difficulty=difficulty)
        if isinstance(found, Problem):
            yield found
        else:
            stage.drop(found)


def _repeated(function: Function, examples: Mapping[int, Example]) -> list[int]:
    """Return the positions of calls that are one with an earlier call, defaults filled in.

    Held back beside the other, it would be no case that the model has not seen.
    """
    seen: set[tuple[str, ...]] = set()
    repeated = []
    for position, example in examples.items():
        call = bound(function, loads(example.arguments))
        if call in seen:
            repeated.append(position)
        seen.add(call)
    return repeated


def _length(example: Example) -> int:
    return len(example.call) + len(example.outcome)


def _rank(problem_id: str, options: ProblemOptions) -> bytes:
    return hashlib.sha256(f"{options.problem_seed}:{problem_id}".encode()).digest()
