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

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from c2c_tasks import cores
from c2c_tasks.config import SandboxOptions
from c2c_tasks.config.evaluation import GradingOptions
from c2c_tasks.evaluation.differential_inputs import first_rows, further_rows
from c2c_tasks.evaluation.differential_sides import AnswerSide, ProgramSide, renamed
from c2c_tasks.evaluation.records import Grade, Problem
from c2c_tasks.records import Case
from c2c_tasks.sandbox.calling import Steps, call, in_order, time_is_up
from c2c_tasks.sandbox.launchers import FIRST, SECOND, THIRD, Launcher
from c2c_tasks.sandbox.protocol import ProtocolViolation
from c2c_tasks.sandbox.session import Crew, FunctionKilled
from c2c_tasks.shards import StepReport

SHARED = 0.5
"""Share of the inputs that are written for the program, once for all answers to its problem."""
ROUNDS = 6
"""Times that inputs are written and run, each given what the last ones did."""
SLOW = 0.1
"""Share of a case's time past which a program is slow: that an answer takes ten times as long, and
is ended, says nothing then but that it is slower."""
_LEAST = 10
"""Inputs that are worth a round."""
_ROWS_PER_CALL = 200
"""Inputs of one request: a child has `function_seconds` for all of them."""


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
    or does not end, unless the program is slow there too; the shortest such input becomes the
    counterexample. Equal answers are searched once. The same problems, answers and options give
    the same inputs.

    Counted: ``differential_inputs_tried``, ``answers_refuted``, ``differential_writer_faults``.
    Raises RunnerError where runners cannot be started.
    """
    rows = list(grades)
    by_id = {problem.problem_id: problem for problem in problems}
    pools: dict[str, ProgramSide] = {}
    for row in rows:
        if row.task == "induction" and row.passed_all and row.called_by is not None:
            problem = by_id[row.problem_id]
            if row.problem_id not in pools:
                pools[row.problem_id] = ProgramSide(problem)
            answers = pools[row.problem_id].answers
            if (row.code, row.called_by) not in answers:
                answers[row.code, row.called_by] = AnswerSide(problem, row.code, row.called_by)
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
    pools: list[ProgramSide], options: GradingOptions, sandbox: SandboxOptions, launcher: Launcher
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

    def steps(self, pool: ProgramSide) -> Steps[None]:
        budget = self.options.differential_inputs
        size = math.ceil(SHARED * budget)
        yield from self._fill(pool, size)
        pool.shared = list(pool.ran.values())
        shared = list(pool.counted.values())[:size]
        for answer in pool.answers.values():
            rows = [*pool.recorded, *(case.arguments for case in shared)]
            yield from self._try(pool, answer, rows, shared)
            yield from self._search(pool, answer, budget)

    def _fill(self, pool: ProgramSide, size: int) -> Steps[None]:
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

    def _search(self, pool: ProgramSide, answer: AnswerSide, budget: int) -> Steps[None]:
        """Write inputs for the answer until it differs, its budget is spent, or rounds are over."""
        for left in range(ROUNDS, 0, -1):
            missing = budget - answer.tried
            if answer.counterexample is not None or missing <= 0:
                return
            count = _share(missing, left)
            rows = pool.written(answer.write, count, pool, first=left == ROUNDS)
            wanted = yield from self._run_program(pool, rows)
            yield from self._try(pool, answer, rows, wanted[:missing])
            if time_is_up(pool.ran[row] for row in rows if row in pool.ran):
                return

    def _run_program(self, pool: ProgramSide, rows: Sequence[str]) -> Steps[list[Case]]:
        """Run the program on inputs that it was not run on yet; return the cases that count."""
        program, entry_point = pool.problem.program, pool.problem.entry_point
        new = [row for row in dict.fromkeys(rows) if row not in pool.ran]
        ran, slow = yield from self._call(self.first, program, entry_point, new)
        pool.slow |= slow
        pool.ran |= {case.arguments: case for case in ran}
        sound = {
            case.arguments: case
            for case in ran
            if case.outcome == "returned" and case.deterministic
        }
        for crew in self.again:
            backwards = [*sound][::-1]
            again, _ = yield from self._call(crew, program, entry_point, backwards)
            same = {c.arguments for c in again if c.output == sound[c.arguments].output}
            sound = {arguments: case for arguments, case in sound.items() if arguments in same}
        for arguments in pool.recorded:
            sound.pop(arguments, None)
        pool.counted |= sound
        return [pool.counted[row] for row in dict.fromkeys(rows) if row in pool.counted]

    def _try(
        self,
        pool: ProgramSide,
        answer: AnswerSide,
        rows: Sequence[str],
        wanted: Sequence[Case],
    ) -> Steps[None]:
        """Run an answer on inputs, and compare what it comes to where the program's case counts.

        Those come first: where it has no time left for the others, that says nothing of it.
        """
        rows = [*dict.fromkeys([*(case.arguments for case in wanted), *rows])]
        calls = answer.calls(rows)
        if calls is None:
            return
        program, entry_point = calls.program, calls.entry_point
        cases, _ = yield from self._call(self.first, program, entry_point, calls.arguments)
        found = {case.arguments: case for case in cases}
        counted = {case.arguments for case in wanted}
        for position, arguments in zip(calls.positions, calls.arguments, strict=True):
            row, case = rows[position], found.get(arguments)
            if case is None:
                continue
            if case.outcome == "timed_out" and row in counted and row not in pool.slow:
                # Its child may have had no time left, for the calls before it: tried alone.
                alone, _ = yield from self._call(self.first, program, entry_point, [arguments])
                case = alone[0] if alone else case
            answer.ran[row] = replace(case, arguments=renamed(row, answer.names))
        answer.compare(wanted, pool.slow, self.options.float_tolerance)

    def _call(
        self, crew: Crew, program: str, entry_point: str, rows: Sequence[str]
    ) -> Steps[tuple[list[Case], set[str]]]:
        """Run a program on inputs; return its cases, as far as it got, and which were slow."""
        cases: list[Case] = []
        slow: set[str] = set()
        for start in range(0, len(rows), _ROWS_PER_CALL):
            given = rows[start : start + _ROWS_PER_CALL]
            try:
                called = yield from call(
                    crew, program, entry_point, given, self.sandbox, coverage=crew is self.first
                )
            except (FunctionKilled, ProtocolViolation):  # by which of them is not known
                return [*cases, Case(arguments=given[0], outcome="killed")], slow
            cases += [called.cases[position] for position in sorted(called.cases)]
            limit = SLOW * self.sandbox.case_seconds
            slow |= {given[at] for at, seconds in called.seconds.items() if seconds > limit}
            if called.given_up is not None and not called.cases:
                return [*cases, Case(arguments=given[0], outcome="killed")], slow
            if called.given_up is not None or called.not_run:
                break
        return cases, slow


def _share(missing: int, rounds: int) -> int:
    """Return how many inputs to write in the first of so many rounds; few are not spread."""
    return max(math.ceil(missing / rounds), min(missing, _LEAST))
