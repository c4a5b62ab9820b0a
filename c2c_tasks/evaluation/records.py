"""What a row is at each step of an evaluation: a problem, the answers to it, their grades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from c2c_tasks.config.evaluation import Task
from c2c_tasks.records import Case, Parameter

Category = Literal[
    "passed_all",
    "passed_seen_only",
    "wrong_output",
    "raised",
    "timed_out",
    "killed",
    "wrong_name_or_arguments",
    "no_code",
]
"""What came of an answer: the first that holds, read from the bottom, then from the top.

``passed_seen_only``: right on all cases shown, and not on all that were held back.
``wrong_output``, ``raised``, ``timed_out``, ``killed``: what the first case it failed came to.
"""
CalledBy = Literal["name", "position"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A program to be found: what a model is shown, and what its answer is graded by."""

    problem_id: str
    """Function id, or the name that the benchmark gives it: ``HumanEval/0``, ``Mbpp/2``."""
    task: Task
    prompt: str
    """What is asked, without examples that are solved and without what a chat adds."""
    program: str
    """The program itself, or the reference solution."""
    entry_point: str
    """Name that an answer has to give the function."""
    parameters: list[Parameter]
    """Of the function; of an induction problem alone."""
    cases: list[Case]
    """Recorded cases; of an induction problem alone."""
    shown_cases: list[int]
    """Positions of the cases that the prompt shows."""
    held_cases: list[int]
    """Positions of the cases that are held back."""
    tests: str = ""
    """Source that raises where an answer is wrong, of problems that have no cases."""
    difficulty: float | None = None
    """As of the program, 0 (plain) to 1; None where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer to a problem, as the solver gave it."""

    problem_id: str
    sample: int
    """Number among the answers to the problem, from 0."""
    text: str
    truncated: bool = False
    """True where it ended at the limit of tokens; false also where the engine does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What an answer is worth."""

    problem_id: str
    sample: int
    task: Task
    category: Category
    passed_seen: bool
    """Right on every case that the prompt showed."""
    passed_held: bool
    """Right on every case that was held back; of problems that have tests, that they passed."""
    passed_all: bool
    """Right on all cases, seen ones included, as the paper grades."""
    cases_passed: int
    cases_run: int
    called_by: CalledBy | None
    """How the recorded arguments were passed; None where nothing was called."""
    code: str
    """The code found in the answer; empty for none."""
    detail: str = ""
    """For people: the first case it failed, what it came to, what was recorded."""
    differential_inputs: int = 0
    """Inputs tried in search of a difference; 0 where there was no search."""
    counterexample: str | None = None
    """Arguments, as a canonical literal, on which it differs from the program."""

    @property
    def passed_differential(self) -> bool:
        """Right on all cases, and on every input that the search tried."""
        return self.passed_all and self.counterexample is None
