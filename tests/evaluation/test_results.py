from __future__ import annotations

import json
import random
import tracemalloc
from itertools import repeat
from pathlib import Path
from typing import get_args

import jsonschema
import pytest

from c2c_tasks.config import EvaluationConfig
from c2c_tasks.evaluation.breakdown import places
from c2c_tasks.evaluation.records import Category, Grade, Problem
from c2c_tasks.evaluation.report_schema import report_schema
from c2c_tasks.evaluation.results import (
    EvaluationResult,
    FileSource,
    TaskResult,
    problem_set_name,
    read_result,
)
from c2c_tasks.evaluation.summarising import Identity, summarise
from c2c_tasks.records import Case
from c2c_tasks.shards import StepReport
from c2c_tasks.store import ObjectNotFound, StoreError, store_for
from tests.evaluation.evaluations import (
    RELEASE,
    judged,
    make_config,
    make_grade,
    make_problem,
    make_result,
)

DOCS = Path(__file__).parents[2] / "docs"


def only_task(result: EvaluationResult) -> TaskResult:
    (task,) = result.tasks
    return task


def values(task: TaskResult) -> dict[tuple[str, int], float]:
    return {(rate.graded_on, rate.k): rate.value for rate in task.pass_at}


def test_what_counts_as_right_is_told_apart() -> None:
    problems = [make_problem(number) for number in range(4)]
    grades = [
        make_grade(problems[0], 0, "passed_all"),
        make_grade(problems[1], 0, "passed_all", differs=True),
        make_grade(problems[2], 0, "passed_seen_only"),
        make_grade(problems[3], 0, "no_code"),
    ]
    # Right on what was held back, and wrong on a case that the prompt shows.
    held_only = make_grade(problems[2], 0, "wrong_output")
    grades[2] = Grade(
        **{name: getattr(held_only, name) for name in Grade.__slots__} | {"passed_held": True}
    )
    task = only_task(make_result(problems, grades))
    assert values(task) == {("held", 1): 0.75, ("all", 1): 0.5, ("differential", 1): 0.25}
    assert all(0 <= rate.low <= rate.value <= rate.high <= 1 for rate in task.pass_at)
    assert task.headline == task.rate("held")
    assert set(task.categories) == set(get_args(Category))
    assert {name: count for name, count in task.categories.items() if count} == {
        "passed_all": 2,
        "wrong_output": 1,
        "no_code": 1,
    }


def test_the_rate_that_models_are_ranked_by_is_always_there() -> None:
    problems = [make_problem(number) for number in range(3)]
    grades = judged(problems, lambda number, _: ("passed_all" if number else "raised", False), 5)
    task = only_task(make_result(problems, grades, pass_at=[5], samples_per_problem=5))
    assert {rate.k for rate in task.pass_at} == {1, 5}
    assert task.headline is not None and task.headline.value == pytest.approx(2 / 3, abs=1e-6)


def test_without_a_search_there_is_no_differential_rate() -> None:
    problems = [make_problem(1)]
    grades = [make_grade(problems[0], 0, "passed_all")]
    assert set(values(only_task(make_result(problems, grades, differential_inputs=0)))) == {
        ("held", 1),
        ("all", 1),
    }


def test_pass_at_k_is_that_of_the_codex_paper_up_to_the_samples_there_are() -> None:
    problems = [make_problem(number) for number in range(2)]
    # Of 4 answers, 1 to the first problem is right, and none to the second.
    grades = judged(
        problems,
        lambda number, sample: ("passed_all" if number + sample == 0 else "raised", False),
        4,
    )
    task = only_task(make_result(problems, grades, pass_at=[1, 2, 10], samples_per_problem=4))
    assert task.samples == 4
    found = {rate.k: rate.value for rate in task.pass_at if rate.graded_on == "held"}
    assert found == {1: 0.125, 2: 0.25}


def test_what_is_missing_is_wrong_and_what_cannot_be_graded_does_not_count() -> None:
    problems = [make_problem(number) for number in range(4)]
    grades = judged(problems[:2], lambda *_: ("passed_all", False), 2)[:-1]
    answers = [
        *((grade.problem_id, False) for grade in grades),
        (problems[2].problem_id, True),
        (problems[2].problem_id, False),
    ]
    task = only_task(make_result(problems, grades, answers=answers, samples_per_problem=2))
    assert (task.problems, task.answers, task.samples) == (3, 3, 2)
    assert (task.unanswered, task.missing_answers, task.ungraded, task.truncated) == (1, 3, 1, 1)
    assert values(task)["held", 1] == pytest.approx((1 + 0.5 + 0) / 3, abs=1e-6)


def test_an_answer_to_nothing_is_an_error() -> None:
    problem, other = make_problem(1), make_problem(2)
    with pytest.raises(ValueError, match=f"{other.problem_id}: has answers"):
        make_result([problem], [make_grade(other, 0, "raised")])


def test_nothing_answered_is_no_rate() -> None:
    task = only_task(make_result([make_problem(1)], []))
    assert (task.problems, task.unanswered, task.samples, task.pass_at) == (1, 1, 0, [])
    assert only_task(make_result([], [])).problems == 0


def test_benchmarks_are_graded_on_their_tests() -> None:
    problem = make_problem(0, problem_id="HumanEval/0", task="humaneval", cases=[], held_cases=[])
    grades = [make_grade(problem, 0, "passed_all")]
    induction, task = make_result([problem], grades, tasks=["induction", "humaneval"]).tasks
    assert induction.problems == 0
    assert values(task) == {("tests", 1): 1.0}
    assert task.headline == task.rate("tests")


def test_reports_of_steps_go_into_the_result() -> None:
    problems = StepReport("prepare_problems", "", seconds=2.0, problems=["abc: has no case"])
    problems.stage("problems", "problems").drop("too_few_cases", 3)
    answer = StepReport("answer", "", seconds=1.5, counters={"prompt_tokens": 10})
    answer.facts["solver"] = {"name": "vllm", "model": "m", "seed": 7}
    other = StepReport("answer", "", seconds=0.25, counters={"prompt_tokens": 5})
    other.facts["solver"] = {"name": "vllm", "model": "m", "seed": 8}
    found = make_result([make_problem(1)], [], reports=[problems, answer, other], model="")
    assert found.seconds == {"prepare_problems": 2.0, "answer": 1.75}
    assert found.prompt_tokens == 15
    assert found.solver.model_dump() == {
        "name": "vllm",
        "model": "m",
        "seed": [7, 8],
    }
    assert found.model == "m"
    assert found.funnel[0].dropped == {"too_few_cases": 3}
    assert found.problems == ["abc: has no case"]


def test_problems_are_broken_down() -> None:
    problem = make_problem(
        1,
        difficulty=0.2,
        program="def f1(x):\n\n" + "    x += 1\n" * 9 + "    return x\n",
        shown_cases=list(range(12)),
        cases=[
            *(Case(arguments="{}", outcome="returned", output="{'a': 1}") for _ in range(2)),
            Case(arguments="{}", outcome="raised", exception_type="ValueError"),
        ],
    )
    assert {by: label for by, (_, label) in places(problem).items()} == {
        "difficulty": "0.0 to 0.2",
        "output_type": "dict",
        "program_lines": "11 to 20",
        "shown_cases": "11 to 20",
    }
    for difficulty, label in ((0.0, "0.0 to 0.2"), (1.0, "0.8 to 1.0"), (None, "not known")):
        assert places(make_problem(1, difficulty=difficulty))["difficulty"][1] == label
    assert places(make_problem(1, shown_cases=[0]))["shown_cases"][1] == "1"
    assert places(make_problem(1, shown_cases=list(range(60))))["shown_cases"][1] == "51 and more"


def test_groups_add_up_and_are_in_order() -> None:
    problems = [make_problem(number) for number in range(60)]
    grades = judged(problems, lambda n, _: ("passed_all" if n % 3 else "raised", False), 1)
    task = only_task(make_result(problems, grades))
    assert set(task.breakdowns) == {"difficulty", "output_type", "program_lines", "shown_cases"}
    for by, groups in task.breakdowns.items():
        assert sum(group.problems for group in groups) == 60, by
        weighted = sum(group.problems * group.pass_at_1[0].value for group in groups)
        assert weighted / 60 == pytest.approx(values(task)["held", 1], abs=1e-5), by
    assert [group.label for group in task.breakdowns["program_lines"]] == [
        "1 to 5",
        "6 to 10",
        "11 to 20",
        "21 to 40",
    ]


def test_the_order_of_shards_and_rows_does_not_count() -> None:
    problems = [make_problem(number) for number in range(20)]
    grades = judged(problems, lambda n, s: ("passed_all" if (n + s) % 3 else "raised", False), 3)
    first = make_result(problems, grades, samples_per_problem=3)
    random.Random(1).shuffle(problems)
    random.Random(2).shuffle(grades)
    again = make_result(problems, grades, samples_per_problem=3)
    assert again.tasks[0].pass_at == first.tasks[0].pass_at
    assert again.tasks[0].problems_sha256 == first.tasks[0].problems_sha256


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "Write another."},
        {"held_cases": [5]},
        {"problem_id": "other"},
        {"tests": "assert f1(1)"},
    ],
)
def test_other_problems_have_another_digest(change: dict[str, object]) -> None:
    (one,), (other,) = (
        make_result([make_problem(1, **fields)], []).tasks for fields in ({}, change)
    )
    assert one.problems_sha256 != other.problems_sha256


def test_text_and_result_are_the_same() -> None:
    problems = [make_problem(number) for number in range(10)]
    result = make_result(problems, judged(problems, lambda *_: ("passed_all", False), 1))
    assert EvaluationResult.model_validate_json(result.to_json()) == result
    assert b"password" not in result.to_json()


def test_the_published_schema_is_that_of_the_models_and_reports_keep_to_it() -> None:
    assert (DOCS / "evaluation.schema.json").read_bytes() == report_schema(), (
        "run: python -m c2c_tasks.evaluation.report_schema > docs/evaluation.schema.json"
    )
    result = make_result([make_problem(1)], [make_grade(make_problem(1), 0, "raised")])
    validator = jsonschema.Draft202012Validator(json.loads(report_schema()))
    assert list(validator.iter_errors(json.loads(result.to_json()))) == []
    assert list(validator.iter_errors({"schema_version": 1}))


def test_what_is_no_report_is_named(tmp_path: object) -> None:
    uri = f"file://{tmp_path}/evaluations/x/y"
    with pytest.raises(ObjectNotFound, match=r"y/report\.json: no such object"):
        read_result(uri)
    for text, fault in (("{", "Invalid JSON"), ('{"schema_version": 2}', "schema_version")):
        store_for(uri).write(f"{uri}/report.json", text.encode())
        with pytest.raises(StoreError, match=f"not a report of schema version 1: .*{fault}"):
            read_result(uri)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("s3://b/case2code_test_half.jsonl", "case2code_test_half"),
        ("file:///a%20b/my%20set.jsonl.gz", "my-20set"),
        ("s3://b/..jsonl", "cases"),
    ],
)
def test_a_file_gives_its_name_to_the_folder(uri: str, name: str) -> None:
    assert problem_set_name(None, FileSource(uri=uri, sha256="")) == name
    assert problem_set_name(RELEASE, None) == RELEASE.version
    assert problem_set_name(None, None) == "benchmarks"


def test_many_answers_need_little_memory() -> None:
    """500 problems, 10 answers of 40 kB to each."""
    number, samples = 500, 10
    problem = make_problem(1)
    fields = {name: getattr(problem, name) for name in Problem.__slots__}
    ids = [f"{place:08x}" for place in range(number)]
    problems = (Problem(**fields | {"problem_id": name}) for name in ids)
    grade = make_grade(problem, 0, "passed_all")
    values_ = {name: getattr(grade, name) for name in Grade.__slots__}
    grades = (
        Grade(**values_ | {"problem_id": name, "code": "x" * 40_000 + name})
        for name in ids
        for _ in range(samples)
    )
    tracemalloc.start()
    result = summarise(
        problems,
        ((name, False) for name in ids for _ in repeat(None, samples)),
        grades,
        make_config(samples_per_problem=samples),
        identity=Identity(evaluation_id="e", name="n", date="2026-11-27"),
        reports=[],
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result.tasks[0].answers == number * samples
    assert peak < 8 << 20  # of 200 MB of answers


def test_the_config_is_kept_whole() -> None:
    result = make_result([make_problem(1)], [])
    assert EvaluationConfig.model_validate(result.config) == make_config()


@pytest.mark.parametrize(
    ("there", "here", "remarked"),
    [
        (["3.13.5"], "3.11.7", True),
        (["3.13.5"], "3.13.2", False),
        (["3.11.9", "3.13.5"], "3.11.7", False),
        ([], "3.11.7", False),
    ],
)
def test_it_is_said_where_answers_ran_in_another_python(
    there: list[str], here: str, remarked: bool
) -> None:
    facts = {"sandbox": {"launcher": "process", "runner": {"python": here}}}
    result = summarise(
        [make_problem(1)],
        [],
        [],
        make_config(),
        identity=Identity(
            evaluation_id="e",
            name="n",
            date="2026-11-27",
            release=RELEASE.model_copy(update={"pythons": there}),
        ),
        reports=[StepReport("grade", "", facts=facts)],
    )
    assert [f"Python {here}" in remark for remark in result.remarks] == [True] * remarked
