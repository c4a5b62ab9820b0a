"""The differential check: answers that pass all recorded cases, and what a search makes of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c2c_tasks import literals
from c2c_tasks.config import SandboxOptions
from c2c_tasks.config.evaluation import GradingOptions
from c2c_tasks.evaluation import differential, differential_sides
from c2c_tasks.evaluation.differential import search
from c2c_tasks.evaluation.differential_inputs import first_rows, further_rows
from c2c_tasks.evaluation.differential_sides import AnswerSide
from c2c_tasks.evaluation.domain import Domain
from c2c_tasks.evaluation.grading import grade
from c2c_tasks.evaluation.records import Answer, Grade, Problem
from c2c_tasks.records import Case, Function, Parameter
from c2c_tasks.sandbox.process import ProcessLauncher
from c2c_tasks.shards import StepReport

BUDGET = GradingOptions().differential_inputs
OPTIONS = GradingOptions()
SANDBOX = SandboxOptions(launcher="process", case_seconds=0.3, function_seconds=3)

SQUARE = "def f(x):\n    return x * x\n"
WORDS = "def f(text, n):\n    return text.split()[:n]\n"
RAISES = "def f(x):\n    if x < 0:\n        raise ValueError('negative')\n    return x // 2\n"
RANDOM = "import random\ndef f(x):\n    return random.random() if x > 3 else x\n"
SQUARES = [{"x": 0}, {"x": 2}, {"x": 5}]
TEXTS = [{"text": "a b c", "n": 2}, {"text": "", "n": 1}, {"text": "one two", "n": 5}]


def problem(program: str, rows: list[dict[str, Any]], name: str) -> Problem:
    scope: dict[str, Any] = {}
    exec(program, scope)
    cases = [
        Case(
            arguments=literals.dumps(row),
            outcome="returned",
            output=literals.dumps(scope["f"](**row)),
        )
        for row in rows
    ]
    return Problem(
        problem_id=name,
        task="induction",
        prompt="",
        program=program,
        entry_point="f",
        parameters=[Parameter(parameter, "positional_or_keyword") for parameter in rows[0]],
        cases=cases,
        shown_cases=[0],
        held_cases=[*range(1, len(cases))],
    )


@dataclass
class Searched:
    problems: dict[str, Problem]
    grades: list[Grade]
    report: StepReport

    def of(self, name: str) -> Grade:
        return next(row for row in self.grades if row.problem_id == name)

    def outcomes(self, name: str) -> tuple[Any, Any]:
        """Return what program and answer come to on the counterexample, here."""
        row = self.of(name)
        assert row.counterexample is not None
        arguments = literals.loads(row.counterexample)
        found = []
        for text in (self.problems[name].program, row.code):
            scope: dict[str, Any] = {}
            exec(text, scope)
            try:
                found.append(scope["f"](*arguments.values()))
            except Exception as error:
                found.append(type(error))
        return found[0], found[1]


def search_answers(
    problems: Iterable[Problem], answers: dict[str, list[str]], options: GradingOptions = OPTIONS
) -> Searched:
    launcher = ProcessLauncher(SANDBOX)
    by_id = {one.problem_id: one for one in problems}
    written = [
        Answer(problem_id=name, sample=sample, text=f"```python\n{code}```")
        for name, codes in answers.items()
        for sample, code in enumerate(codes)
    ]
    report = StepReport("grade", "memory:")
    graded = list(grade(by_id.values(), written, options, SANDBOX, report, launcher=launcher))
    found = list(search(list(by_id.values()), graded, options, SANDBOX, report, launcher=launcher))
    plain = [replace(row, differential_inputs=0, counterexample=None) for row in found]
    assert plain == graded  # nothing else is changed, and the order is kept
    for stage in report.stages:
        stage.check()
    return Searched(by_id, found, report)


REFUTED = {
    "a table of the recorded cases": (
        SQUARE, SQUARES, "def f(x):\n    return {0: 0, 2: 4, 5: 25}.get(x)\n",
    ),
    "right for what is not negative": (SQUARE, SQUARES, "def f(x):\n    return abs(x) * x\n"),
    "a number of its own": (
        SQUARE, SQUARES, "def f(x):\n    return 1 if x == 7919 else x * x\n",
    ),
    "a text of its own": (
        WORDS, TEXTS,
        "def f(text, n):\n    return [] if text.startswith('ultramarine') else text.split()[:n]\n",
    ),
    "a branch at the end of a path": (
        WORDS, TEXTS,
        "def f(text, n):\n    words = text.split()\n    if len(words) > 3:\n"
        "        if n == 3:\n            return words\n    return words[:n]\n",
    ),
    "other names of parameters": (
        WORDS, TEXTS,
        "def f(a, b):\n    if b == 611:\n        return None\n    return a.split()[:b]\n",
    ),
    "another separator": (
        WORDS, TEXTS, "def f(text, n):\n    return [w for w in text.split(' ') if w][:n]\n",
    ),
    "a decorated function": (
        SQUARE, SQUARES,
        "import functools\n@functools.lru_cache\ndef f(x):\n    return x * abs(x)\n",
    ),
    "a lambda": (SQUARE, SQUARES, "f = lambda y: y * abs(y)\n"),
    "another type": (SQUARE, SQUARES, "def f(x):\n    return x * x if x < 30 else x * x * 1.0\n"),
    "it raises": (SQUARE, SQUARES, "def f(x):\n    assert x != 77\n    return x * x\n"),
}  # fmt: skip
ENDED = {
    "it does not end": "def f(x):\n    while x > 9:\n        pass\n    return x * x\n",
    "it ends its process": "import os\ndef f(x):\n    x > 9 and os._exit(0)\n    return x * x\n",
    "it kills its process": (
        "import os\ndef f(x):\n    x > 9 and os.kill(os.getpid(), 9)\n    return x * x\n"
    ),
}
EQUAL = {
    "the program itself": (SQUARE, SQUARES, SQUARE),
    "written in another way": (WORDS, TEXTS, (
        "def f(t, k):\n    return list(t.split())[slice(None, k)]\n"
    )),
    "it returns where the program raises": (RAISES, SQUARES, "def f(x):\n    return x // 2\n"),
    "it differs where the program is not deterministic": (
        RANDOM, [{"x": 0}, {"x": 2}, {"x": 3}], "def f(x):\n    return x if x <= 3 else 'other'\n",
    ),
    "it differs for types that no case has": (
        SQUARE, SQUARES,
        "def f(x):\n    assert type(x) is int\n    return x * x\n",
    ),
    "it never ends where the program raises": (
        RAISES, SQUARES, "def f(x):\n    while x < 0:\n        pass\n    return x // 2\n",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def searched() -> Searched:
    rows = {**REFUTED, **{name: (SQUARE, SQUARES, code) for name, code in ENDED.items()}, **EQUAL}
    problems = [problem(program, cases, name) for name, (program, cases, _) in rows.items()]
    return search_answers(problems, {name: [code] for name, (_, _, code) in rows.items()})


@pytest.mark.parametrize("name", REFUTED)
def test_an_answer_that_differs_is_refuted(searched: Searched, name: str) -> None:
    row = searched.of(name)
    assert row.passed_all and not row.passed_differential
    assert 0 < row.differential_inputs <= BUDGET
    program, answer = searched.outcomes(name)
    assert (type(program), program) != (type(answer), answer)
    recorded = {case.arguments for case in searched.problems[name].cases}
    assert row.counterexample not in recorded


@pytest.mark.parametrize("name", ENDED)
def test_an_answer_that_does_not_come_back_is_refuted(searched: Searched, name: str) -> None:
    row = searched.of(name)
    assert row.passed_all and row.counterexample is not None
    assert literals.loads(row.counterexample)["x"] > 9


@pytest.mark.parametrize("name", EQUAL)
def test_an_answer_that_does_the_same_is_not_refuted(searched: Searched, name: str) -> None:
    row = searched.of(name)
    assert row.passed_differential, row.counterexample
    # There are few numbers up to 3, where a program is random past them.
    assert (5 if "deterministic" in name else BUDGET // 2) <= row.differential_inputs <= BUDGET


def test_the_report_counts(searched: Searched) -> None:
    counters = searched.report.counters
    assert counters["answers_refuted"] == len(REFUTED) + len(ENDED)
    assert counters["differential_inputs_tried"] == sum(
        row.differential_inputs for row in searched.grades
    )


def test_what_is_found_hangs_on_the_answer_alone(searched: Searched) -> None:
    names = ["a number of its own", "another type", "a lambda"]
    codes = [REFUTED[name][2] for name in names]
    together = search_answers(
        [problem(SQUARE, SQUARES, "square")], {"square": [*codes, SQUARE, codes[0], "no code"]}
    )
    assert [row.category for row in together.grades] == ["passed_all"] * 5 + ["no_code"]
    for row, name in zip(together.grades, names, strict=False):
        alone = searched.of(name)
        assert (row.counterexample, row.differential_inputs) == (
            alone.counterexample, alone.differential_inputs,
        )  # fmt: skip
    assert together.grades[4].counterexample == together.grades[0].counterexample
    assert together.report.counters["answers_refuted"] == 4


def test_arguments_are_passed_as_they_were_in_grading() -> None:
    """Alone, the second row would fit by name, and mean another parameter."""
    rows = [{"a": 1, "b": 2}, {"a": 3}]
    task = problem("def f(a=0, b=0):\n    return 2 * a + b\n", rows, "defaults")
    answer = AnswerSide(task, "def f(b=0, c=0):\n    return 2 * b + c\n", "position")
    for batch in (["{'a': 4, 'b': 5}", "{'b': 5}"], ["{'b': 5}"]):
        calls = answer.calls(batch)
        assert calls is not None
        assert calls.arguments[-1] == "{'c': 5}" and calls.called_by == "position"


def test_failed_answers_and_other_tasks_go_by() -> None:
    square = problem(SQUARE, SQUARES, "square")
    passed = Grade(
        problem_id="HumanEval/0", sample=0, task="humaneval", category="passed_all",
        passed_seen=True, passed_held=True, passed_all=True, cases_passed=1, cases_run=1,
        called_by="position", code="def g(): pass",
    )  # fmt: skip
    failed = replace(
        passed, problem_id="square", task="induction", category="wrong_output", passed_all=False
    )
    report = StepReport("grade", "memory:")

    def rows(options: GradingOptions, grades: list[Grade]) -> list[Grade]:
        # There is no launcher: nothing is started.
        return list(search([square], grades, options, SANDBOX, report, launcher=None))  # type: ignore[arg-type]

    assert rows(OPTIONS, [failed, passed]) == [failed, passed]
    right = replace(failed, category="passed_all", passed_all=True, code=SQUARE)
    assert rows(GradingOptions(differential_inputs=0), [right]) == [right]


DOMAIN = Domain.of(
    [Case(arguments=literals.dumps(row), outcome="returned", output="[]") for row in TEXTS]
)


def function(program: str, *names: str) -> Function:
    return Function(
        function_id="f", program=program, entry_point="f",
        parameters=[Parameter(name, "positional_or_keyword") for name in names],
        repository="", path="", first_line=1, last_line=1, licence=None, dump="", source_sha256="",
    )  # fmt: skip


def test_further_rows_are_new_many_and_the_same_each_time() -> None:
    words = function(WORDS, "text", "n")
    first = first_rows(words, DOMAIN, 20)
    cases = [Case(arguments=row, outcome="returned", output="[]") for row in first]
    rows = further_rows(words, cases, DOMAIN, 100, "seed")
    assert len(rows) == len(set(rows)) == 100
    assert not set(rows) & set(first)
    assert rows == further_rows(words, cases, DOMAIN, 100, "seed")
    assert rows != further_rows(words, cases, DOMAIN, 100, "other seed")
    assert literals.canonical(rows) == rows


def test_a_bound_is_met_from_both_sides() -> None:
    compared = function("def f(a, b):\n    return a < 1234 + b\n", "a", "b")
    case = Case(arguments="{'a': 1, 'b': 5}", outcome="returned", output="True")
    rows = [
        literals.loads(row) for row in further_rows(compared, [case], Domain.of([case]), 100, "")
    ]
    assert {-1, 0, 1} <= {row["a"] - row["b"] - 1234 for row in rows if type(row["a"]) is int}


@pytest.mark.parametrize(
    ("outcome", "slow", "found"),
    [
        ("timed_out", set(), (1, "{'x': 7}")),
        ("killed", set(), (1, "{'x': 7}")),
        ("timed_out", {"{'x': 7}"}, (0, None)),
        ("killed", {"{'x': 7}"}, (0, None)),
        ("raised", {"{'x': 7}"}, (1, "{'x': 7}")),
    ],
)
def test_an_answer_that_is_slower_where_the_program_is_slow_is_not_refuted(
    outcome: Any, slow: set[str], found: tuple[int, str | None]
) -> None:
    answer = AnswerSide(problem(SQUARE, SQUARES, "square"), SQUARE, "name")
    case = Case(arguments="{'x': 7}", outcome="returned", output="49")
    answer.ran = {case.arguments: Case(arguments=case.arguments, outcome=outcome)}
    answer.compare([case], slow, 0.0)
    assert (answer.tried, answer.counterexample) == found


def test_an_answer_whose_child_had_no_time_left_is_not_refuted() -> None:
    """A child has `function_seconds` of wall clock for all its calls, busy machine or not."""
    sandbox = SANDBOX.model_copy(update={"function_seconds": 0.4})
    task = problem(SQUARE, SQUARES, "waits")
    waits = "import time\ndef f(x):\n    time.sleep(0.04)\n    return x * x\n"
    options = GradingOptions(differential_inputs=24)
    launcher = ProcessLauncher(sandbox)
    report = StepReport("grade", "memory:")
    answers = [Answer(problem_id="waits", sample=0, text=waits)]
    graded = list(grade([task], answers, options, SANDBOX, report, launcher=launcher))
    (found,) = search([task], graded, options, sandbox, report, launcher=launcher)
    assert found.differential_inputs >= 12
    assert found.counterexample is None


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.just(10**400), st.complex_numbers(), st.binary(max_size=4),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda items: (
        st.lists(items, max_size=3)
        | st.tuples(items, items)
        | st.dictionaries(st.text(max_size=3), items, max_size=3)
        | st.sets(st.integers(), max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=25)
@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=4))
def test_whatever_has_returned_further_rows_are_literals(pairs: list[tuple[Any, Any]]) -> None:
    written = []
    for first, second in pairs:
        with contextlib.suppress(literals.Unrepresentable):
            written.append(literals.dumps({"a": first, "b": second}, 5_000))
    cases = [Case(arguments=row, outcome="returned", output="0") for row in written]
    program = "def f(a, b):\n    return a if a < 3 or b == 'text' else b[1:5]\n"
    rows = further_rows(function(program, "a", "b"), cases, Domain.of(cases), 20, "")
    assert literals.canonical(rows) == rows
    assert not set(rows) & set(written)


def test_a_fault_of_the_writer_costs_its_inputs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: object) -> list[str]:
        raise ZeroDivisionError

    for module in (differential, differential_sides):
        monkeypatch.setattr(module, "further_rows", fail)
    found = search_answers([problem(SQUARE, SQUARES, "square")], {"square": [SQUARE]})
    assert found.of("square").passed_differential
    assert 0 < found.of("square").differential_inputs <= BUDGET
    assert found.report.counters["differential_writer_faults"] > 0


def test_what_cannot_be_read_gives_no_rows() -> None:
    for program in ("def g(x):\n    return x\n", "def f(x:\n"):
        assert first_rows(function(program, "x"), DOMAIN, 10) == []
        assert further_rows(function(program, "x"), [], DOMAIN, 10, "") == []
