"""The paper's test set: read, run in the sandbox, and asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.config import GradingOptions, SandboxOptions
from c2c_tasks.config.evaluation import ProblemOptions
from c2c_tasks.evaluation.bounds import Lookup, Reference
from c2c_tasks.evaluation.case_file import inputs_of_case_file, problems_of_executions
from c2c_tasks.evaluation.errors import ProblemError
from c2c_tasks.evaluation.grading import grade
from c2c_tasks.evaluation.records import Answer, Grade, Problem
from c2c_tasks.records import Case, Execution, Inputs, extend
from c2c_tasks.sandbox.execution import execute
from c2c_tasks.sandbox.process import ProcessLauncher
from c2c_tasks.shards import StepReport
from tests.evaluation.programs import program, raised

ROW = {
    "id": "a_0",
    "program": "def f(x, *, n=1):\n    return x * n\n",
    "entry_point": "f",
    "written_inputs": "examples = [dict(x=1), dict(x='a', n=3), dict(y=1)]",
}
SANDBOX = SandboxOptions(launcher="process", function_seconds=60)


def file_of(folder: Path, *rows: Any) -> str:
    path = folder / "cases.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines))
    return str(path)


def test_rows_are_read(tmp_path: Path) -> None:
    unnamed = {key: value for key, value in ROW.items() if key != "id"}
    one, other = inputs_of_case_file(file_of(tmp_path, ROW, "", unnamed))
    assert (one.function_id, one.writer) == ("a_0", "case_file")
    assert one.arguments == ["{'x': 1}", "{'x': 'a', 'n': 3}"], "y is no parameter"
    assert [(p.name, p.kind, p.default) for p in one.parameters] == [
        ("x", "positional_or_keyword", None),
        ("n", "keyword_only", "1"),
    ]
    assert len(other.function_id) == 64


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", r"cases.jsonl: line 2: not JSON"),
        ("[1]", r"line 2: not an object"),
        ({"program": "x"}, r"line 2: has no text `entry_point`, but program"),
        (ROW | {"id": "b", "program": "def f(:"}, r"line 2: program cannot be parsed"),
        (ROW | {"id": "b", "entry_point": "g"}, r"line 2: program defines no function 'g'"),
        (ROW | {"id": "b", "written_inputs": 3}, r"line 2: has no text `written_inputs`"),
        (ROW, r"line 2: a second program a_0; remove one"),
    ],
)
def test_what_is_no_row_is_named(tmp_path: Path, row: Any, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        list(inputs_of_case_file(file_of(tmp_path, ROW, row)))


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=r"case_file .*none.jsonl: cannot be read"):
        list(inputs_of_case_file(str(tmp_path / "none.jsonl")))


def execution(number: int = 0, *further: Case) -> Execution:
    of = program(number)
    return extend(Execution, of, writer="case_file", cases=[*of.cases, *further], body_lines=[])


def asked(executions: Sequence[Execution], **options: Any) -> tuple[Any, StepReport]:
    report = StepReport("problems", "memory:")
    found = problems_of_executions(executions, ProblemOptions(**options), report)
    for stage in report.stages:
        stage.check()
    return found, report


def test_only_sound_cases_grade() -> None:
    unsound = [
        Case(arguments="{'x': 1}", outcome="timed_out"),
        Case(arguments="{'x': 2}", outcome="killed"),
        Case(arguments="{'x': 3}", outcome="unrepresentable"),
        Case(arguments="{'x': 4}", outcome="returned", output="1", deterministic=False),
        raised("RecursionError", x=5),
        raised("NameError", x=6),
    ]
    ((one,), _), report = asked([execution(0, *unsound, raised("ValueError", x=7))])
    assert len(one.cases) == 14
    assert one.difficulty is None
    assert report.stage("recorded cases", "cases").dropped == {
        "timed_out": 1,
        "killed": 1,
        "unrepresentable": 1,
        "nondeterministic": 1,
        "resource_exhausted": 1,
        "unresolved_name": 1,
    }


def test_solved_examples_are_no_problems() -> None:
    executions = [execution(number) for number in range(20)]
    (everything, none), _ = asked(executions)
    assert (len(everything), none) == (20, [])
    (rest, shots), report = asked(executions, few_shot=4)
    assert (len(rest), len(shots)) == (16, 4)
    assert not {shot.program for shot in shots} & {one.program for one in rest}
    assert report.stage("problems", "problems").dropped == {"few_shot_example": 4}
    (some, _), _ = asked(executions, max_problems=10)
    (same, _), report = asked(executions, max_problems=10, few_shot=4)
    assert some == same, "with examples, the same problems are asked"
    assert report.stage("problems", "problems").dropped == {"few_shot_example": 4, "not_drawn": 6}


def test_what_is_shown_solved_is_not_asked_under_another_id() -> None:
    once = [execution(number) for number in range(20)]
    (_, (shot,)), _ = asked(once, few_shot=1)
    (same,) = [one for one in once if one.program == shot.program]
    again = replace(same, function_id="0", program=f"{same.program}# A copy.\n")
    (problems, shots), report = asked([*once, again], few_shot=1)
    assert shots == [shot]
    assert "A copy" not in "".join(one.program for one in problems)
    assert report.stage("problems", "problems").dropped == {"few_shot_example": 2}


@pytest.fixture(scope="module")
def paper(shared_data: Path) -> tuple[list[Problem], StepReport]:
    report = StepReport("problems", "memory:")
    inputs: list[Inputs] = [*inputs_of_case_file(str(shared_data / "case2code_test_half.jsonl"))]
    executions = execute(inputs, SANDBOX, report, launcher=ProcessLauncher(SANDBOX))
    found, _ = problems_of_executions(executions, ProblemOptions(), report)
    return found, report


def graded(problems: list[Problem], answers: Sequence[Answer]) -> list[Grade]:
    report = StepReport("grade", "memory:")
    launcher = ProcessLauncher(SANDBOX)
    return list(grade(problems, answers, GradingOptions(), SANDBOX, report, launcher=launcher))


def test_the_test_set_of_the_paper(paper: tuple[list[Problem], StepReport]) -> None:
    problems, report = paper
    stage = report.stage("problems", "problems")
    assert stage.rows_in == 250
    assert stage.dropped == {"too_few_cases": 13}
    assert all(3 <= len(one.shown_cases) <= 10 for one in problems)
    assert all(len(one.held_cases) >= 2 for one in problems)


def test_its_programs_pass_all_and_tables_of_what_is_shown_pass_no_more(
    paper: tuple[list[Problem], StepReport],
) -> None:
    problems, _ = paper
    report = StepReport("answer", "memory:")
    grades = graded(problems, list(Reference(1).answer(problems, report)))
    assert [g.detail for g in grades if g.category != "passed_all"] == []
    grades = graded(problems, list(Lookup(1).answer(problems, report)))
    assert {g.category for g in grades} == {"passed_seen_only"}
    assert not any(g.passed_held for g in grades)
    assert len(grades) == len(problems)
