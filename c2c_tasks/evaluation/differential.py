"""The differential check: a search for an input on which an answer and the program differ.

CodeARC (arXiv 2503.23145) asks such an oracle whether a program that was inferred is the hidden
one. Here the synthesis writer is the oracle: it writes inputs from the program, which show what
the recorded cases did not, and inputs from the answer, whose constants and branches give away what
it takes for special.

An input counts where its arguments have types that were recorded, and the program returns, the
same in every run. What a function does outside its domain is not specified by its cases: not where
it raises, unless a case was recorded of it, and not for types that no case has.
"""

from __future__ import annotations

import ast
import hashlib
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import ParamSpec

from c2c_tasks import cores, literals
from c2c_tasks.config import SandboxOptions
from c2c_tasks.config.evaluation import GradingOptions
from c2c_tasks.evaluation.comparison import same_outcome
from c2c_tasks.evaluation.differential_inputs import first_rows, further_rows
from c2c_tasks.evaluation.domain import Domain
from c2c_tasks.evaluation.passing import Calls, Passing
from c2c_tasks.evaluation.records import CalledBy, Grade, Problem
from c2c_tasks.evaluation.signatures import callee_of
from c2c_tasks.records import Case, Function, Parameter
from c2c_tasks.sandbox.calling import Steps, call, in_order, time_is_up
from c2c_tasks.sandbox.launchers import FIRST, SECOND, THIRD, Launcher
from c2c_tasks.sandbox.protocol import ProtocolViolation
from c2c_tasks.sandbox.session import Crew, FunctionKilled
from c2c_tasks.shards import StepReport
from c2c_tasks.syntax import parse_module

log = logging.getLogger(__name__)
P = ParamSpec("P")

SHARED = 0.5
"""Share of the inputs that are written for the program, once for all answers to its problem."""
ROUNDS = 6
"""Times that inputs are written and run, each given what the last ones did."""
_LEAST = 10
"""Inputs that are worth a round."""
_ROWS_PER_CALL = 200
"""Inputs of one request: a child has `function_seconds` for all of them."""


class _Answer:
    """Answers of one text to one problem."""

    def __init__(self, problem: Problem, code: str, called_by: CalledBy) -> None:
        self.problem = problem
        self.code = code
        self.tree = parse_module(code)
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
        """Return the calls that pass it the program's arguments; None where it takes none."""
        cases = [Case(arguments=row, outcome="returned") for row in rows]
        return Passing(replace(self.problem, cases=cases)).calls(self.code, self.tree)

    def write(self, count: int, pool: _Pool, *, first: bool) -> list[str]:
        """Return arguments of the program, written for the answer by its text and what it did.

        They are written for the program where the answer's text tells nothing.
        """
        domain = pool.domain.renamed(self.names)
        own = first_rows(self.function, domain, count // 2) if first else []
        ran = list(self.ran.values())
        own += further_rows(self.function, ran, domain, count - len(own), "answer")
        names = {mine: name for name, mine in self.names.items()}
        rows = [_renamed(row, names) for row in own]
        if not rows:
            seed = f"answer {self.tried}"
            rows = further_rows(pool.function, pool.shared, pool.domain, count, seed)
        return [row for row in rows if row not in self.ran]

    def compare(self, wanted: Sequence[Case], float_tolerance: float) -> None:
        """Note on which of the program's cases it has come to something else.

        What it was not run on, for the time that others took, is not tried.
        """
        tried = [(case, self.ran[case.arguments]) for case in wanted if case.arguments in self.ran]
        self.tried += len(tried)
        different = [
            case.arguments for case, mine in tried if not same_outcome(case, mine, float_tolerance)
        ]
        self.counterexample = min(different, key=lambda text: (len(text), text), default=None)


class _Pool:
    """A problem's program with what it came to, and the answers that passed all its cases."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.function = _function(problem.program, problem.entry_point, problem.parameters)
        self.domain = Domain.of(problem.cases)
        self.answers: dict[tuple[str, CalledBy | None], _Answer] = {}
        self.recorded = [case.arguments for case in problem.cases]
        self.ran: dict[str, Case] = {}
        """Every case that was run, by arguments."""
        self.counted: dict[str, Case] = {}
        """Those that count, recorded ones excepted."""
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


def search(
    problems: Sequence[Problem],
    grades: Iterable[Grade],
    options: GradingOptions,
    sandbox: SandboxOptions,
    report: StepReport,
    *,
    launcher: Launcher,
) -> Iterator[Grade]:
    """Yield the grades, in order, with what a search came to for those that passed all cases.

    Up to `options.differential_inputs` inputs are tried on each answer to an induction problem
    that has passed all recorded cases: inputs of recorded types on which the program returns, and
    none that was recorded. The answer differs where it comes to another outcome, ends its process
    or does not end; the shortest such input becomes the counterexample. Equal answers are
    searched once. The same problems, answers and options give the same inputs.

    Counted: ``differential_inputs_tried``, ``answers_refuted``, ``differential_writer_faults``.
    Raises RunnerError where runners cannot be started.
    """
    rows = list(grades)
    by_id = {problem.problem_id: problem for problem in problems}
    pools: dict[str, _Pool] = {}
    for row in rows:
        if row.task == "induction" and row.passed_all and row.called_by is not None:
            problem = by_id[row.problem_id]
            pool = pools.setdefault(row.problem_id, _Pool(problem))
            key = row.code, row.called_by
            pool.answers[key] = pool.answers.get(key) or _Answer(problem, *key)
    if options.differential_inputs and pools:
        _run(list(pools.values()), options, sandbox, launcher)
        report.count("differential_writer_faults", sum(pool.faults for pool in pools.values()))
    for row in rows:
        searched = pools.get(row.problem_id) if row.passed_all else None
        answer = searched.answers.get((row.code, row.called_by)) if searched else None
        if answer is None:
            yield row
            continue
        report.count("differential_inputs_tried", answer.tried)
        report.count("answers_refuted", int(answer.counterexample is not None))
        yield replace(row, differential_inputs=answer.tried, counterexample=answer.counterexample)


def _run(
    pools: list[_Pool], options: GradingOptions, sandbox: SandboxOptions, launcher: Launcher
) -> None:
    """Search; the answers of the pools tell what came of it."""
    workers = sandbox.workers or cores.available()
    with ExitStack() as stack:
        first, *again = (
            stack.enter_context(Crew(launcher, surroundings, sandbox, workers))
            for surroundings in (FIRST, SECOND, THIRD)
        )
        task = _Task(first, again if sandbox.determinism_runs else [], options, sandbox)
        for _ in in_order(task.steps, pools, workers):
            pass


@dataclass(frozen=True)
class _Task:
    """What is done with each problem: a generator of the requests that it takes."""

    first: Crew
    again: list[Crew]
    """Of other surroundings, to see whether the program does the same in them."""
    options: GradingOptions
    sandbox: SandboxOptions

    def steps(self, pool: _Pool) -> Steps[None]:
        budget = self.options.differential_inputs
        size = math.ceil(SHARED * budget)
        yield from self._fill(pool, size)
        pool.shared = list(pool.ran.values())
        shared = list(pool.counted.values())[:size]
        for answer in pool.answers.values():
            rows = [*pool.recorded, *(case.arguments for case in shared)]
            yield from self._try(answer, rows, shared)
            yield from self._search(pool, answer, budget)

    def _fill(self, pool: _Pool, size: int) -> Steps[None]:
        """Write inputs for the program until so many count, or rounds are over."""
        rows = [*pool.recorded, *pool.written(first_rows, pool.function, pool.domain, size)]
        for left in range(ROUNDS, 0, -1):
            yield from self._run_program(pool, rows)
            missing = size - len(pool.counted)
            if missing <= 0 or time_is_up(pool.ran.values()):
                return
            cases = list(pool.ran.values())
            count = _share(missing, left)
            rows = pool.written(further_rows, pool.function, cases, pool.domain, count, "program")

    def _search(self, pool: _Pool, answer: _Answer, budget: int) -> Steps[None]:
        """Write inputs for the answer until it differs, its budget is spent, or rounds are over."""
        for left in range(ROUNDS, 0, -1):
            missing = budget - answer.tried
            if answer.counterexample is not None or missing <= 0:
                return
            count = _share(missing, left)
            rows = pool.written(answer.write, count, pool, first=left == ROUNDS)
            wanted = yield from self._run_program(pool, rows)
            yield from self._try(answer, rows, wanted[:missing])
            if time_is_up(pool.ran[row] for row in rows if row in pool.ran):
                return

    def _run_program(self, pool: _Pool, rows: Sequence[str]) -> Steps[list[Case]]:
        """Run the program on inputs that it was not run on yet; return the cases that count."""
        program, entry_point = pool.problem.program, pool.problem.entry_point
        new = [row for row in dict.fromkeys(rows) if row not in pool.ran]
        ran = yield from self._call(self.first, program, entry_point, new)
        pool.ran |= {case.arguments: case for case in ran}
        sound = {
            case.arguments: case
            for case in ran
            if case.outcome == "returned" and case.deterministic
        }
        for crew in self.again:
            backwards = [*sound][::-1]
            again = yield from self._call(crew, program, entry_point, backwards)
            same = {c.arguments for c in again if c.output == sound[c.arguments].output}
            sound = {arguments: case for arguments, case in sound.items() if arguments in same}
        for arguments in pool.recorded:
            sound.pop(arguments, None)
        pool.counted |= sound
        return [pool.counted[row] for row in dict.fromkeys(rows) if row in pool.counted]

    def _try(self, answer: _Answer, rows: Sequence[str], wanted: Sequence[Case]) -> Steps[None]:
        """Run an answer on inputs, and compare what it comes to where the program's case counts.

        Those come first: where it has no time left for the others, that says nothing of it.
        """
        rows = [*dict.fromkeys([*(case.arguments for case in wanted), *rows])]
        calls = answer.calls(rows)
        if calls is None:
            return
        cases = yield from self._call(self.first, calls.program, calls.entry_point, calls.arguments)
        found = {case.arguments: case for case in cases}
        for position, arguments in zip(calls.positions, calls.arguments, strict=True):
            if arguments in found:
                own = _renamed(rows[position], answer.names)
                answer.ran[rows[position]] = replace(found[arguments], arguments=own)
        answer.compare(wanted, self.options.float_tolerance)

    def _call(
        self, crew: Crew, program: str, entry_point: str, rows: Sequence[str]
    ) -> Steps[list[Case]]:
        """Run a program on inputs; return its cases, as far as it got."""
        cases: list[Case] = []
        for start in range(0, len(rows), _ROWS_PER_CALL):
            given = rows[start : start + _ROWS_PER_CALL]
            try:
                called = yield from call(
                    crew, program, entry_point, given, self.sandbox, coverage=crew is self.first
                )
            except (FunctionKilled, ProtocolViolation):  # by which of them is not known
                return [*cases, Case(arguments=given[0], outcome="killed")]
            cases += [called.cases[position] for position in sorted(called.cases)]
            if called.given_up is not None and not called.cases:
                return [*cases, Case(arguments=given[0], outcome="killed")]
            if called.given_up is not None or called.not_run:
                return cases
        return cases


def _share(missing: int, rounds: int) -> int:
    """Return how many inputs to write in the first of so many rounds; few are not spread."""
    return max(math.ceil(missing / rounds), min(missing, _LEAST))


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


def _renamed(arguments: str, names: Mapping[str, str]) -> str:
    """Return arguments under other names."""
    if not names:
        return arguments
    values = literals.loads(arguments)
    return literals.dumps({names.get(name, name): value for name, value in values.items()})
