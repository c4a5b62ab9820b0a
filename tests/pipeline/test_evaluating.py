"""Evaluations without Airflow: on a small release, in the real sandbox."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.config import EvaluationConfig, RetentionOptions
from c2c_tasks.evaluation.answering import solver_for
from c2c_tasks.evaluation.errors import ProblemError
from c2c_tasks.evaluation.records import Answer, Grade, Problem
from c2c_tasks.evaluation.report import EvaluationExists
from c2c_tasks.evaluation.results import EvaluationResult, read_result
from c2c_tasks.pipeline import (
    Evaluation,
    EvaluationError,
    answer,
    evaluating,
    grade,
    prepare_problems,
    report,
    run_evaluation,
)
from c2c_tasks.pipeline.retention import retain
from c2c_tasks.publishing.release import PublishError
from c2c_tasks.records import Program
from c2c_tasks.shards import StepReport, read_report, read_shard
from c2c_tasks.store import ObjectNotFound, normalise, store_for
from tests.publishing.conftest import make_program, make_samples, publish

__all__ = ["make_program", "make_samples", "publish"]

Make = Callable[..., Evaluation]


@pytest.fixture
def release(workspace: Path, publish: Any, make_program: Callable[[int], Program]) -> str:
    """The URI of a release with four programs in its test split, twelve in `train`."""
    target = (workspace / "target").as_uri()
    return str(publish(target, [make_program(n) for n in range(20)], card=False))


@pytest.fixture
def make(release: str) -> Make:
    """Makes evaluations on the release; options by name."""

    def make_evaluation(evaluation_id: str = "one", **options: Any) -> Evaluation:
        defaults = {
            "solver": "reference",
            "launcher": "process",
            "problem_held_cases": 1,
            "problems_per_shard": 3,
            "differential_inputs": 0,
        }
        config = EvaluationConfig.from_flat(defaults | options)
        return Evaluation(evaluation_id, "2026-11-24", config)

    return make_evaluation


def files_of(folder: str) -> dict[str, bytes]:
    root = Path(folder.removeprefix("file://"))
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_the_recorded_programs_score_all_and_a_second_run_changes_no_byte(
    make: Make, release: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluation = make(differential_inputs=20, samples_per_problem=2)
    written = run_evaluation(evaluation)
    assert written["uri"].rpartition("/")[0].endswith("/evaluations/2026.11.24-1")
    assert written["name"].startswith("reference-2026-11-24-")
    assert (written["problems"], written["answers"]) == (4, 8)
    assert {score["value"] for score in written["scores"]} == {1.0}
    assert {score["graded_on"] for score in written["scores"]} == {"held", "all", "differential"}
    result = read_result(written["uri"])
    assert result.release is not None and result.release.uri == release
    assert set(result.seconds) == {"prepare_problems", "answer", "grade"}
    files = files_of(written["uri"])

    def again(*_: Any, **__: Any) -> None:
        raise AssertionError("is done already")

    # What was answered and graded is not worked at again, and the report is found as it was.
    for step in ("solver_for", "grade_answers"):
        monkeypatch.setattr(evaluating, step, again)
    assert run_evaluation(evaluation) == written
    assert files_of(written["uri"]) == files


def test_a_table_of_the_cases_shown_passes_no_case_that_was_held_back(make: Make) -> None:
    written = run_evaluation(make(solver="lookup"))
    assert [(s["graded_on"], s["value"]) for s in written["scores"]] == [("held", 0), ("all", 0)]
    (task,) = read_result(written["uri"]).tasks
    assert {name: rows for name, rows in task.categories.items() if rows} == {"passed_seen_only": 4}


def test_the_latest_release_stays_the_one_that_it_was(
    make: Make, release: str, workspace: Path, publish: Any, make_program: Any
) -> None:
    evaluation = make()
    before = prepare_problems(evaluation)
    later = [make_program(n) for n in range(30)]
    publish((workspace / "target").as_uri(), later, build_id="later", date="2026-11-25", card=False)
    assert prepare_problems(evaluation) == before
    assert run_evaluation(evaluation)["problem_set"] == "2026.11.24-1"
    assert run_evaluation(make("two"))["problem_set"] == "2026.11.25-1"
    # Whoever asks for another release of the same run, gets it.
    named = make(release="2026.11.25-1")
    assert [shard["rows"] for shard in prepare_problems(named)] == [3, 3]


def test_a_step_that_is_cut_off_keeps_what_other_shards_have(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluation = make()
    first, second = prepare_problems(evaluation)
    graded = grade(evaluation, answer(evaluation, first))
    answered = answer(evaluation, second)
    with monkeypatch.context() as patch:

        def dies(*_: Any, **__: Any) -> Iterator[Grade]:
            yield from ()
            raise KeyboardInterrupt

        patch.setattr(evaluating, "grade_answers", dies)
        with pytest.raises(KeyboardInterrupt):
            grade(evaluation, answered)
    with pytest.raises(EvaluationError, match=r"^1 of 2 shards are not graded \(2 of 2\)"):
        report(evaluation)
    kept = read_report(graded["uri"])
    assert run_evaluation(evaluation)["answers"] == 4
    assert read_report(graded["uri"]) == kept


def test_what_shards_of_a_release_hold_is_what_is_told(make: Make) -> None:
    evaluation = make(samples_per_problem=2, few_shot=1)
    shards = prepare_problems(evaluation)
    assert [(shard["shard"], shard["rows"]) for shard in shards] == [("1 of 2", 3), ("2 of 2", 1)]
    answered = answer(evaluation, shards[0])
    assert answered["rows"] == len(list(read_shard(answered["uri"], Answer))) == 6
    problems = [p for shard in shards for p in read_shard(shard["uri"], Problem)]
    (shot,) = read_shard(evaluation.shots, evaluating.Shot)
    assert shot.program not in {problem.program for problem in problems}


def test_no_run_has_more_shards_than_airflow_maps(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("c2c_tasks.pipeline.problem_sets.MAX_SHARDS", 2)
    assert [s["rows"] for s in prepare_problems(make(problems_per_shard=1))] == [2, 2]


def test_a_run_has_a_name_of_its_own_that_people_can_read(make: Make) -> None:
    name = make().name("Qwen/Qwen2.5-Coder-7B Instruct/")
    assert name.startswith("qwen2.5-coder-7b-instruct-2026-11-24-")
    assert make().name("/models/..") != make("two").name("/models/..") != make(few_shot=1).name("x")
    assert len(make().name("m" * 500)) < 80


def test_answers_of_two_models_make_no_report(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluation = make()

    class Served:
        """A solver that is another model for each shard."""

        def __init__(self, *given: Any, **named: Any) -> None:
            self.reference = solver_for(*given, **named)

        def answer(self, problems: Any, report: StepReport) -> Iterator[Answer]:
            found = list(self.reference.answer(problems, report))
            report.facts["solver"]["model"] = f"model-{len(found)}"
            yield from found

    monkeypatch.setattr(evaluating, "solver_for", Served)
    with pytest.raises(EvaluationError, match=r"^different models have answered: model-1, model-3"):
        run_evaluation(evaluation)


def test_a_report_is_never_written_over(make: Make) -> None:
    written = run_evaluation(make())
    place = Path(written["uri"].removeprefix("file://"), "report.json")
    other = json.loads(place.read_text()) | {"model": "another"}
    place.write_bytes(EvaluationResult.model_validate(other).to_json())
    with pytest.raises(EvaluationExists, match=r"there is such an evaluation already"):
        run_evaluation(make())


def test_a_file_of_answers_is_held_against_the_problems_before_anything_is_run(
    make: Make, tmp_path: Path
) -> None:
    file = tmp_path / "answers.jsonl"

    def prepare(*names: str) -> StepReport:
        rows = [{"problem_id": name, "answer": ""} for name in names]
        file.write_text("\n".join(map(json.dumps, rows)))
        evaluation = make(solver="answers", answers_file=str(file))
        prepare_problems(evaluation)
        return evaluation.prepared()

    with pytest.raises(ProblemError, match=r"answers none of the problems.*'HumanEval/0'"):
        prepare("HumanEval/0")
    prepare_problems(evaluation := make())
    (first, *_) = read_shard(evaluation.shard("prepare_problems", 0), Problem)
    told = prepare(first.problem_id, "HumanEval/0")
    assert told.counters == {"problems_without_answers": 3, "answered_problems_not_asked": 1}
    assert told.problems[1].endswith("answers what is not asked: HumanEval/0")


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"release": "2026.11.20-1"}, PublishError, "has no release 2026.11.20-1; it has 2026.11"),
        ({"target": "/nowhere"}, PublishError, "nothing is published here"),
        ({"case_file": "/nowhere.jsonl"}, ObjectNotFound, "/nowhere.jsonl"),
        ({"problem_held_cases": 5}, EvaluationError, "none of 4 programs makes a problem"),
        ({"few_shot": 16}, ProblemError, "few_shot is 16, but only 12 programs"),
        ({"solver": "answers", "answers_file": "/nowhere"}, ObjectNotFound, "/nowhere"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    options: dict[str, Any], kind: type[Exception], message: str, make: Make
) -> None:
    with pytest.raises(kind, match=message) as failure:
        run_evaluation(make(**options))
    assert "\n" not in str(failure.value)


def test_a_split_without_programs_is_named_with_those_that_have_some(
    make: Make, workspace: Path, publish: Any, make_program: Any
) -> None:
    target = (workspace / "other").as_uri()
    publish(target, [make_program(n) for n in (0, 1, 5)], card=False)
    with pytest.raises(
        EvaluationError, match=r"no program in the split test \(programs: train 3\); set the option"
    ):
        prepare_problems(make(target=target))


def test_a_retired_release_is_told_from_one_that_never_was(
    make: Make, workspace: Path, release: str, publish: Any, make_program: Any
) -> None:
    from c2c_tasks.publishing.withdrawal import retire

    target = normalise(str(workspace / "target"))
    later = [make_program(n) for n in range(6)]
    publish(target, later, build_id="later", date="2026-11-25", card=False)
    retire(target, "2026.11.24-1", "asked to")
    with pytest.raises(PublishError, match=r"retired on .*: asked to"):
        prepare_problems(make(release=release))


def test_text_of_a_release_that_is_retired_under_way_is_not_published(
    make: Make, workspace: Path, publish: Any, make_program: Any
) -> None:
    from c2c_tasks.publishing.withdrawal import retire

    target = normalise(str(workspace / "target"))
    evaluations = [make(name, release="2026.11.24-1") for name in ("before", "during")]
    written = run_evaluation(evaluations[0])
    for shard in prepare_problems(evaluations[1]):
        grade(evaluations[1], answer(evaluations[1], shard))
    later = [make_program(n) for n in range(6)]
    publish(target, later, build_id="later", date="2026-11-25", card=False)
    retire(target, "2026.11.24-1", "asked to")
    with pytest.raises(EvaluationError, match=r"/2026.11.24-1: was retired on .*start a new"):
        report(evaluations[1])
    assert report(evaluations[0]) == written  # and nothing comes back of what was deleted
    left = files_of(f"{target}/evaluations")
    assert {name.split("/")[1] for name in left} == {written["name"]}
    assert not [name for name in left if name.endswith(".parquet")]


def test_a_target_without_conditional_writes_is_refused_before_anyone_is_asked(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(store: Any, uri: str, data: bytes) -> Any:
        return store.write(uri, data)

    evaluation = make(target=make().config.report.target)
    monkeypatch.setattr(type(store_for(evaluation.config.report.target)), "create", careless)
    with pytest.raises(PublishError, match=r"created twice.*set conditional_writes to catalogue"):
        prepare_problems(evaluation)
    locked = make("locked", conditional_writes="catalogue")
    written = run_evaluation(locked)
    assert run_evaluation(locked) == written
    other = Path(written["uri"].removeprefix("file://"), "report.json")
    other.write_bytes(other.read_bytes().replace(b'"reference"', b'"another"'))
    with pytest.raises(EvaluationExists):
        report(locked)


def test_a_file_that_changes_under_way_is_noticed(make: Make, tmp_path: Path) -> None:
    rows = [
        {
            "id": f"f{number}",
            "program": f"def add(x):\n    return x + {number}\n",
            "entry_point": "add",
            "written_inputs": "\n".join(f"add({n})" for n in range(6)),
        }
        for number in range(3)
    ]
    file = tmp_path / "cases.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    evaluation = make(case_file=str(file), few_shot=1)
    assert [shard["rows"] for shard in prepare_problems(evaluation)] == [2]
    assert run_evaluation(evaluation)["problem_set"] == "cases"
    file.write_text("\n".join(map(json.dumps, rows[:2])))
    with pytest.raises(EvaluationError, match=r"cases.jsonl: has changed since"):
        prepare_problems(evaluation)


def test_retention_removes_what_an_evaluation_has_left_in_the_work_area(
    make: Make, workspace: Path
) -> None:
    evaluation = make()
    prepare_problems(evaluation)
    old = time.time() - 15 * 24 * 3_600
    for path in (workspace / "work").rglob("*"):
        os.utime(path, (old, old))
    prepare_problems(make("two"))
    target = evaluation.config.report.target

    def removed(**options: Any) -> list[str]:
        options = {"retention_dry_run": False, "keep_failed_days": 14} | options
        found = retain(RetentionOptions(**({"target": target} | options))).removals
        return [removal.uri for removal in found if removal.kind == "work_area"]

    assert removed(keep_failed_days=20) == removed(target=f"{target}-other") == []
    assert removed(retention_dry_run=True) == removed() == [evaluation.work]
    assert removed() == []
    assert list(Path(make("two").work.removeprefix("file://")).rglob("*.parquet"))
