"""Answers without a model: the best that can be given, and what the cases shown are worth alone."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import replace

from c2c_tasks.evaluation.records import Answer, Problem
from c2c_tasks.records import Case
from c2c_tasks.samples.calls import header
from c2c_tasks.samples.rendering import code_block
from c2c_tasks.shards import StepReport

_LOOKUP = """\
{header}
    return _outcome(locals())


def _outcome(given):
    given = {{**_NOTHING, **{{name: value for name, value in given.items() if value is not ...}}}}
    for arguments, outcome, value in _TABLE:
        if _written({{**_NOTHING, **arguments}}) == _written(given):
            if outcome == "raised":
                raise type(value, (Exception,), {{}})
            return value
    raise type("NotShown", (Exception,), {{}})


def _written(value):
    if isinstance(value, dict):
        return ["dict", *sorted([repr(key), _written(item)] for key, item in value.items())]
    if isinstance(value, (set, frozenset)):
        return [type(value).__name__, *sorted(repr(_written(item)) for item in value)]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(_written, value)]
    return repr(value)


_NOTHING = {nothing}
_TABLE = [
{rows}
]
"""


class Bound:
    """Answers each problem `samples` times with the same text, and needs no model."""

    name: str

    def __init__(self, samples: int) -> None:
        self.samples = samples

    def answer(
        self, problems: Iterable[Problem], report: StepReport
    ) -> Generator[Answer, None, None]:
        """Yield `samples` equal answers to each problem."""
        report.facts["solver"] = {"name": self.name, "samples_per_problem": self.samples}
        for problem in problems:
            yield from _repeat(problem, self.text(problem), self.samples, report)

    def text(self, problem: Problem) -> str:
        """Return the answer to a problem; empty where there is none."""
        raise NotImplementedError


class Reference(Bound):
    """Answers with the recorded program: what can be reached, 100 %."""

    name = "reference"

    def text(self, problem: Problem) -> str:
        """Return the program in a block of code."""
        return code_block(problem.program)


class Lookup(Bound):
    """Answers with a table of the cases shown: right on these, and on no other.

    To a problem that shows no cases it has no answer.
    """

    name = "lookup"

    def text(self, problem: Problem) -> str:
        """Return the table in a block of code."""
        return code_block(lookup_program(problem)) if problem.shown_cases else ""


def lookup_program(problem: Problem) -> str:
    """Return a program that knows the cases shown, and raises ``NotShown`` for all else."""
    # A default that is a name of the program would not load.
    parameters = [
        replace(p, annotation=None, default=None if p.default is None else "...")
        for p in problem.parameters
    ]
    nothing: dict[str, object] = {p.name: () for p in parameters if p.kind == "var_positional"}
    nothing |= {p.name: {} for p in parameters if p.kind == "var_keyword"}
    rows = [_row(problem.cases[position]) for position in problem.shown_cases]
    return _LOOKUP.format(
        header=header(problem.entry_point, parameters), nothing=nothing, rows="\n".join(rows)
    )


def _row(case: Case) -> str:
    value = repr(case.exception_type) if case.outcome == "raised" else case.output
    return f"    ({case.arguments}, {case.outcome!r}, {value}),"


def _repeat(
    problem: Problem, text: str, samples: int, report: StepReport
) -> Generator[Answer, None, None]:
    report.stage("answers", "answers").keep(samples)
    for sample in range(samples):
        yield Answer(problem_id=problem.problem_id, sample=sample, text=text)
