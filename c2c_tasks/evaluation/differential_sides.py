"""The two sides of a differential check: a problem's program, and an answer to it."""

from __future__ import annotations

import ast
import hashlib
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import ParamSpec

from c2c_tasks import literals
from c2c_tasks.evaluation.comparison import same_outcome
from c2c_tasks.evaluation.differential_inputs import first_rows, further_rows
from c2c_tasks.evaluation.domain import Domain
from c2c_tasks.evaluation.passing import Calls, Passing
from c2c_tasks.evaluation.records import CalledBy, Problem
from c2c_tasks.evaluation.signatures import callee_of
from c2c_tasks.records import Case, Function, Parameter
from c2c_tasks.syntax import parse_module

log = logging.getLogger(__name__)
P = ParamSpec("P")


class AnswerSide:
    """Answers of one text to one problem."""

    def __init__(self, problem: Problem, code: str, called_by: CalledBy) -> None:
        self.problem = problem
        self.code = code
        self.tree = parse_module(code)
        self._passing = Passing(problem)
        self.tried = 0
        self.counterexample: str | None = None
        self.ran: dict[str, Case] = {}
        """What it came to, by the arguments of the program."""
        self.names = _own_names(problem, self.tree) if called_by == "position" else {}
        """What it calls the program's parameters, where it has other names for them."""
        parameters = [
            replace(parameter, name=self.names.get(parameter.name, parameter.name))
            for parameter in problem.parameters
        ]
        self.function = _function(code, problem.entry_point, parameters)

    def calls(self, rows: Sequence[str]) -> Calls | None:
        """Return the calls that pass it the program's arguments, in the way that it was graded by.

        None where it takes none.
        """
        return self._passing.calls(self.code, self.tree, rows)

    def write(self, count: int, program: ProgramSide, *, first: bool) -> list[str]:
        """Return arguments of the program, written for the answer by its text and what it did.

        They are written for the program where the answer's text tells nothing.
        """
        domain = program.domain.renamed(self.names)
        own = first_rows(self.function, domain, count // 2) if first else []
        ran = list(self.ran.values())
        own += further_rows(self.function, ran, domain, count - len(own), "answer")
        names = {mine: name for name, mine in self.names.items()}
        rows = [renamed(row, names) for row in own]
        if not rows:
            seed = f"answer {self.tried}"
            rows = further_rows(program.function, program.shared, program.domain, count, seed)
        return [row for row in rows if row not in self.ran]

    def compare(
        self, wanted: Sequence[Case], slow: Collection[str], float_tolerance: float
    ) -> None:
        """Note on which of the program's cases it has come to something else.

        What it was not run on, for the time that others took, is not tried; nor is what it was
        ended on, where the program is `slow` there.
        """
        tried = [
            (case, mine)
            for case in wanted
            if (mine := self.ran.get(case.arguments)) is not None
            and not (mine.outcome in ("timed_out", "killed") and case.arguments in slow)
        ]
        self.tried += len(tried)
        different = [
            case.arguments for case, mine in tried if not same_outcome(case, mine, float_tolerance)
        ]
        self.counterexample = min(different, key=lambda text: (len(text), text), default=None)


class ProgramSide:
    """A problem's program with what it came to, and the answers that passed all its cases."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.function = _function(problem.program, problem.entry_point, problem.parameters)
        self.domain = Domain.of(problem.cases)
        self.answers: dict[tuple[str, CalledBy | None], AnswerSide] = {}
        self.recorded = [case.arguments for case in problem.cases]
        self.ran: dict[str, Case] = {}
        """Every case that was run, by arguments."""
        self.counted: dict[str, Case] = {}
        """Those that count, recorded ones excepted."""
        self.slow: set[str] = set()
        """Arguments that it takes much of a case's time for."""
        self.shared: list[Case] = []
        """Those that were run for all answers."""
        self.faults = 0
        """Times that no inputs were written since the writer failed."""

    def written(
        self, write: Callable[P, list[str]], *given: P.args, **named: P.kwargs
    ) -> list[str]:
        """Return what is written; a fault of the writer costs the inputs alone."""
        try:
            return write(*given, **named)
        except Exception:
            self.faults += 1
            log.exception("%s: no inputs were written", self.problem.problem_id)
            return []


def _function(program: str, entry_point: str, parameters: list[Parameter]) -> Function:
    """Return the record of a function that is known by its text alone."""
    return Function(
        function_id=hashlib.sha256(program.encode("utf-8", "surrogatepass")).hexdigest(),
        program=program,
        entry_point=entry_point,
        parameters=parameters,
        repository="",
        path="",
        first_line=1,
        last_line=1,
        licence=None,
        dump="",
        source_sha256="",
    )


def _own_names(problem: Problem, tree: ast.Module) -> dict[str, str]:
    """Return what an answer calls the program's positional parameters, by their names."""
    callee = callee_of(tree, problem.entry_point)
    if callee is None or callee.signature is None:
        return {}
    names = [p.name for p in problem.parameters if p.kind.startswith("positional")]
    return dict(zip(names, callee.signature.positional, strict=False))


def renamed(arguments: str, names: Mapping[str, str]) -> str:
    """Return arguments under other names."""
    if not names:
        return arguments
    values = literals.loads(arguments)
    return literals.dumps({names.get(name, name): value for name, value in values.items()})
