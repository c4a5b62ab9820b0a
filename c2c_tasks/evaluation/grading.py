"""Grading: each answer's code is run in the sandbox, and what it came to is compared outside.

Nothing of what is expected ever enters the sandbox, and an answer runs in a child of its own: it
can lie about what it returned, but there is nothing for it to read that tells it what to say.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from c2c_tasks import cores
from c2c_tasks.config import GradingOptions, SandboxOptions
from c2c_tasks.evaluation.code_extraction import Code, find_code
from c2c_tasks.evaluation.comparison import same_outcome
from c2c_tasks.evaluation.passing import Calls, Passing
from c2c_tasks.evaluation.records import Answer, Category, Grade, Problem
from c2c_tasks.evaluation.testing import CHECK, program_with_tests
from c2c_tasks.records import Case
from c2c_tasks.sandbox.calling import Called, Steps, call, in_order, sandbox_facts
from c2c_tasks.sandbox.launchers import FIRST, Launcher
from c2c_tasks.sandbox.protocol import ProtocolViolation
from c2c_tasks.sandbox.session import Crew, FunctionKilled
from c2c_tasks.shards import StepReport

WAITING = 4
"""How many times `function_seconds` an answer has by the clock: it is no worse an answer for a
machine that is busier than the one that recorded the cases. CPU time is bounded case by case."""
MAX_SHOWN = 200
"""Characters of a value in a grade's detail."""


def grade(
    problems: Iterable[Problem],
    answers: Iterable[Answer],
    options: GradingOptions,
    sandbox: SandboxOptions,
    report: StepReport,
    *,
    launcher: Launcher,
) -> Iterator[Grade]:
    """Yield the grade of each answer: problems as they are given, then samples by number.

    Answers may come in any order. Those to one problem with the same code are run once. Answers
    to no problem that is given are dropped, and counted, as ``unknown_problem``.

    Raises RunnerError where runners cannot be started.
    """
    stage = report.stage("grades", "answers")
    by_problem: dict[str, list[Answer]] = {}
    for answer in answers:
        by_problem.setdefault(answer.problem_id, []).append(answer)
    workers = sandbox.workers or cores.available()
    patient = sandbox.model_copy(update={"function_seconds": WAITING * sandbox.function_seconds})
    # Tests are many calls in one, so they have the time of all the cases of a function.
    longer = patient.model_copy(update={"case_seconds": sandbox.function_seconds})
    with (
        Crew(launcher, FIRST, patient, workers) as crew,
        Crew(launcher, FIRST, longer, workers) as crew_of_tests,
    ):
        task = _Task(crew, crew_of_tests, options, sandbox)
        results = in_order(task.steps, _attempts(problems, by_problem), workers)
        for _, group in itertools.groupby(results, lambda result: result[0].group):
            graded = [grade for attempt, verdict in group for grade in _grades(attempt, verdict)]
            for one in sorted(graded, key=lambda one: one.sample):
                stage.keep()
                report.count(f"grades_{one.category}")
                yield one
            report.count("answers_of_same_code", len(graded) - len({one.code for one in graded}))
            report.count("cases_run", sum({one.code: one.cases_run for one in graded}.values()))
        for name, amount in sorted((crew.counters + crew_of_tests.counters).items()):
            report.count(name, amount)
        report.facts["sandbox"] = sandbox_facts(launcher, crew if crew.facts else crew_of_tests)
    for problem_id, left in by_problem.items():
        stage.drop("unknown_problem", len(left))
        report.problem(f"{problem_id}: there is no such problem, {len(left)} answers not graded")


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One code that answers a problem."""

    group: int
    """Number of the problem."""
    passing: Passing
    code: Code | None
    answers: list[Answer]
    """Those that hold it."""


def _attempts(
    problems: Iterable[Problem], by_problem: dict[str, list[Answer]]
) -> Iterator[_Attempt]:
    """Yield the codes of each problem, and take its answers out of the dict."""
    for group, problem in enumerate(problems):
        codes: dict[str, tuple[Code | None, list[Answer]]] = {}
        prefix = problem.prompt if problem.task == "humaneval" else ""
        for answer in by_problem.pop(problem.problem_id, ()):
            code = find_code(
                answer.text, problem.entry_point, truncated=answer.truncated, prefix=prefix
            )
            codes.setdefault(code.text if code else "", (code, []))[1].append(answer)
        passing = Passing(problem)
        for code, of_it in codes.values():
            yield _Attempt(group, passing, code, of_it)


@dataclass(slots=True)
class _Verdict:
    category: Category
    passed: set[int]
    """Positions of the cases that came out right."""
    calls: Calls | None = None
    cases_run: int = 0
    detail: str = ""


def _grades(attempt: _Attempt, verdict: _Verdict) -> Iterator[Grade]:
    problem = attempt.passing.problem
    everything = verdict.category == "passed_all"
    for answer in attempt.answers:
        yield Grade(
            problem_id=problem.problem_id,
            sample=answer.sample,
            task=problem.task,
            category=verdict.category,
            passed_seen=everything or _all_of(problem.shown_cases, verdict),
            passed_held=everything or _all_of(problem.held_cases, verdict),
            passed_all=everything,
            cases_passed=len(verdict.passed),
            cases_run=verdict.cases_run,
            called_by=verdict.calls.called_by if verdict.calls else None,
            code=attempt.code.text if attempt.code else "",
            detail=verdict.detail,
        )


def _all_of(positions: list[int], verdict: _Verdict) -> bool:
    """Return True where all of some cases came out right; of none, nothing is known."""
    return bool(positions) and verdict.passed.issuperset(positions)


@dataclass(frozen=True, slots=True)
class _Task:
    """What is done with each code: a generator of the requests that it takes."""

    crew: Crew
    crew_of_tests: Crew
    options: GradingOptions
    sandbox: SandboxOptions

    def steps(self, attempt: _Attempt) -> Steps[_Verdict]:
        problem = attempt.passing.problem
        if attempt.code is None:
            return _Verdict("no_code", set(), detail=_no_code(attempt.answers))
        if problem.tests:
            calls = program_with_tests(problem, attempt.code)
        else:
            calls = attempt.passing.calls(attempt.code.text, attempt.code.tree)
        if calls is None:
            return _Verdict("wrong_name_or_arguments", set(), detail=_unfit(problem, attempt.code))
        crew = self.crew_of_tests if problem.tests else self.crew
        try:
            called = yield from call(
                crew, calls.program, calls.entry_point, calls.arguments, self.sandbox
            )
        except (FunctionKilled, ProtocolViolation) as error:
            return _Verdict("killed", set(), calls, detail=f"it ended the sandbox: {error}")
        return self._verdict(problem, calls, called)

    def _verdict(self, problem: Problem, calls: Calls, called: Called) -> _Verdict:
        recorded = [CHECK] if problem.tests else problem.cases
        tolerance = 0.0 if problem.tests else self.options.float_tolerance
        passed = {
            calls.positions[position]
            for position, case in called.cases.items()
            if same_outcome(recorded[calls.positions[position]], case, tolerance)
        }
        verdict = _Verdict("passed_all", passed, calls, len(called.cases))
        if len(passed) == len(recorded):
            return verdict
        first = min(set(range(len(recorded))) - passed)
        found = dict(zip(calls.positions, range(len(calls.positions)), strict=True)).get(first)
        case = None if found is None else called.cases.get(found)
        verdict.category = _category(case, called, found is None)
        verdict.detail = _detail(recorded[first], case, called, found is None)
        if not problem.tests and _all_of(problem.shown_cases, verdict):
            verdict.category = "passed_seen_only"
        return verdict


def _category(case: Case | None, called: Called, unfit: bool) -> Category:
    """Return what the first case that an answer failed came to."""
    if case is None:
        if unfit:
            return "raised"  # what Python does where a function does not take the arguments
        if called.given_up == "killed":
            return "killed"
        late = called.load_timed_out or (called.not_run and called.given_up is None)
        return "timed_out" if late else "raised"
    match case.outcome:
        case "raised" | "timed_out" | "killed":
            return case.outcome
    return "wrong_output"


def _no_code(answers: list[Answer]) -> str:
    if all(answer.truncated for answer in answers):
        return "the answer was cut off before there was code to run"
    return "no Python code was found in the answer"


def _unfit(problem: Problem, code: Code) -> str:
    names = ", ".join(parameter.name for parameter in problem.parameters)
    return f"the code defines no {problem.entry_point} that takes the arguments ({names})"


def _detail(recorded: Case, found: Case | None, called: Called, unfit: bool) -> str:
    """Return what a person is told of the first case that failed."""
    if found is None and not unfit and called.given_up is not None:
        return f"{called.given_up.replace('_', ' ')}: {_shortened(called.detail)}"
    if unfit:
        got = "it does not take these arguments"
    elif found is None:
        got = "not run, since earlier cases took too long"
    else:
        got = f"got {_outcome(found)}"
    return f"{_shortened(recorded.arguments)}: expected {_outcome(recorded)}, {got}"


def _outcome(case: Case) -> str:
    match case.outcome:
        case "returned":
            return _shortened(case.output or "")
        case "raised":
            return _shortened(f"{case.exception_type}: {case.exception_message}")
        case "unrepresentable":
            return "a value that has no literal"
    return case.outcome.replace("_", " ")


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"
