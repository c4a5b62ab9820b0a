"""Who answers: a language model, a file of answers, or a bound that needs neither."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Protocol

from c2c_tasks.config.evaluation import ModelOptions
from c2c_tasks.evaluation.answers_file import AnswersFile
from c2c_tasks.evaluation.bounds import Lookup, Reference
from c2c_tasks.evaluation.prompting import Shot
from c2c_tasks.evaluation.records import Answer, Problem
from c2c_tasks.shards import StepReport


class Solver(Protocol):
    """Answers problems."""

    name: str

    def answer(
        self, problems: Iterable[Problem], report: StepReport
    ) -> Generator[Answer, None, None]:
        """Yield `samples_per_problem` answers to each problem, in order.

        What is known of the solver is in ``report.facts["solver"]`` when it ends. Where there is
        no answer, its text is empty, and a counter says why.
        """
        ...


def solver_for(options: ModelOptions, shots: Sequence[Shot] = (), *, answers: str = "") -> Solver:
    """Return the solver that the options name.

    `answers` is the URI of a folder where a model's answers are kept as they come; without one,
    they are not. Raises InputError where the model cannot be asked, EngineDown where it may be
    later; ProblemError where the file of answers cannot be read.
    """
    match options.solver:
        case "reference":
            return Reference(options.samples_per_problem)
        case "lookup":
            return Lookup(options.samples_per_problem)
        case "answers":
            return AnswersFile(options.answers_file, options.samples_per_problem)
    from c2c_tasks.evaluation.model import Model  # its HTTP client is not needed otherwise

    return Model(options, shots, answers=answers)
