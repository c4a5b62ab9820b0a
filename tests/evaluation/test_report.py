from __future__ import annotations

import hashlib
import re
import shlex
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

from c2c_tasks.evaluation.records import Answer, Grade, Problem
from c2c_tasks.evaluation.report import EvaluationExists, write_report
from c2c_tasks.evaluation.report_page import render_page, rerun_command
from c2c_tasks.evaluation.results import (
    EvaluationResult,
    FileSource,
    SolverFacts,
    evaluation_uri,
    read_result,
)
from c2c_tasks.publishing.withdrawal import retire
from c2c_tasks.records import arrow_schema
from c2c_tasks.shards import StepReport, read_shard, write_shard
from c2c_tasks.store import StoreUnavailable, read, store_for
from tests.evaluation.evaluations import RELEASE, answers_of, judged, make_problem, make_result
from tests.publishing.conftest import make_program, publish, target

__all__ = ["make_program", "publish", "target"]

HOSTILE = "<img src=x onerror=alert(1)> | `tick` [link](javascript:1)\n# heading"
of_files = pytest.mark.parametrize("target", ["file"], indirect=True)


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    return [make_problem(number) for number in range(12)]


@pytest.fixture(scope="module")
def grades(problems: list[Problem]) -> list[Grade]:
    return judged(problems, lambda n, s: ("raised" if (n + s) % 3 else "passed_all", False), 2)


@pytest.fixture(scope="module")
def result(problems: list[Problem], grades: list[Grade]) -> EvaluationResult:
    return make_result(problems, grades, samples_per_problem=2)


@pytest.fixture
def shards(tmp_path: Path, grades: list[Grade]) -> dict[str, list[str]]:
    """URIs of two shards of answers and of grades."""
    found: dict[str, list[str]] = {"answers": [], "grades": []}
    for number, part in enumerate((grades[:10], grades[10:])):
        for kind, cls, rows in (("answers", Answer, answers_of(part)), ("grades", Grade, part)):
            uri = (tmp_path / f"{kind}-{number}.parquet").as_uri()
            write_shard(uri, cls, rows)  # type: ignore[type-var]
            found[kind].append(uri)
    return found


def test_an_evaluation_is_whole_and_written_once(
    target: str, result: EvaluationResult, shards: dict[str, list[str]], grades: list[Grade]
) -> None:
    uri = evaluation_uri(target, result.problem_set, result.name)
    write_report(uri, result, **shards)
    written = read_result(uri)
    assert written.model_copy(update={"files": []}) == result
    there = {
        info.uri.removeprefix(f"{uri}/"): info.size
        for info in store_for(uri).list(uri)
        if not info.uri.endswith("/report.json")
    }
    assert there == {entry.path: entry.bytes for entry in written.files}
    for entry in written.files:
        data = read(f"{uri}/{entry.path}")
        assert hashlib.sha256(data).hexdigest() == entry.sha256
    parts = [f"{uri}/{e.path}" for e in written.files if e.path.startswith("grades/")]
    assert [grade for part in parts for grade in read_shard(part, Grade)] == grades
    assert sum(e.rows or 0 for e in written.files if e.path.startswith("answers/")) == len(grades)
    # A second attempt finds it, and another evaluation does not replace it.
    before = read(f"{uri}/report.json")
    write_report(uri, result, **shards)
    other = result.model_copy(update={"model": "another"})
    with pytest.raises(EvaluationExists, match=r"differs \(model\); start a new evaluation"):
        write_report(uri, other, **shards)
    assert read(f"{uri}/report.json") == before
    assert read_result(uri) == written


@of_files
def test_files_of_an_evaluation_that_is_there_are_not_touched(
    target: str, result: EvaluationResult, shards: dict[str, list[str]]
) -> None:
    uri = evaluation_uri(target, result.problem_set, result.name)
    write_report(uri, result, **shards)
    before = dict(store_for(uri).changed(uri))
    with pytest.raises(EvaluationExists, match=r"differs \(files\)"):
        write_report(uri, result, answers=shards["answers"][:1], grades=shards["grades"])
    assert dict(store_for(uri).changed(uri)) == before


@of_files
def test_an_attempt_that_was_cut_leaves_no_evaluation(
    target: str,
    result: EvaluationResult,
    shards: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uri = evaluation_uri(target, result.problem_set, result.name)
    upload = type(store_for(uri)).upload

    def cut(store: Any, uri: str, *arguments: Any, **options: Any) -> Any:
        if "/grades/" in uri:
            raise StoreUnavailable(f"{uri}: no answer")
        return upload(store, uri, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(type(store_for(uri)), "upload", cut)
        with pytest.raises(StoreUnavailable):
            write_report(uri, result, **shards)
    assert store_for(uri).head(f"{uri}/report.json") is None
    write_report(uri, result, **shards)
    assert read_result(uri).model_copy(update={"files": []}) == result


@of_files
def test_plots_that_the_page_names_are_there(
    target: str, result: EvaluationResult, shards: dict[str, list[str]], tmp_path: Path
) -> None:
    uri = evaluation_uri(target, result.problem_set, result.name)
    write_report(uri, result, **shards)
    page = read(f"{uri}/report.md").decode()
    named = set(re.findall(r"\]\((plots/[a-z0-9_]+\.png)\)", page))
    written = {entry.path for entry in read_result(uri).files}
    assert named == {path for path in written if path.startswith("plots/")}
    assert len(named) == 4
    for name in named:
        copy = tmp_path / "plot.png"
        store_for(uri).download(f"{uri}/{name}", copy)
        with Image.open(copy) as image:
            assert image.width > 1_000


def test_the_page_can_be_read_alone(result: EvaluationResult) -> None:
    page = render_page(result)
    held = result.tasks[0].rate("held")
    assert held is not None
    assert f"| held-out cases | {held.value:.1%} ({100 * held.low:.1f} to " in page
    assert "all cases, as the paper grades" in page
    assert "| raised | 16 | 66.7% |" in page
    assert f"SHA-256 `{'ab' * 32}`" in page
    for record in (Answer, Grade):
        for column in arrow_schema(record).names:
            assert f"| `{column}` | " in page
    assert "None has answered" not in page
    assert "**No model has answered.**" in render_page(
        result.model_copy(update={"solver": SolverFacts(name="lookup")})
    )


def test_what_is_missing_is_said(problems: list[Problem], grades: list[Grade]) -> None:
    answers = [
        *((grade.problem_id, True) for grade in grades[:20]),
        (problems[-1].problem_id, False),
    ]
    funnel = StepReport("grade", "", problems=[HOSTILE])
    funnel.stage("answers", "answers").drop("no_answer_at_all", 7)
    page = render_page(
        make_result(problems, grades[:20], answers=answers, samples_per_problem=2, reports=[funnel])
    )
    assert "1 problems have no answer, and count as wrong." in page
    assert "2 answers are missing, and count as wrong." in page
    assert "1 problems could not be graded, and do not count." in page
    assert "20 answers were cut off at the limit of tokens." in page
    assert "| answers (answers) | 7 | 0 | 7: no answer at all |" in page
    assert "nothing was answered" not in page.lower()
    assert "Nothing was answered" in render_page(make_result(problems, []))


def test_neither_page_nor_report_holds_text_of_a_program(result: EvaluationResult) -> None:
    """They stay when a release is retired."""
    for text in (render_page(result), result.to_json().decode()):
        assert "recorded 1" not in text
        assert "{'x': 3}" not in text
        assert "def f" not in text


def test_strangers_text_does_not_mark_the_page_up(problems: list[Problem]) -> None:
    result = make_result(problems, [], model=HOSTILE, name="x").model_copy(
        update={
            "release": None,
            "case_file": FileSource(uri=f"file:///{HOSTILE}", sha256="00"),
            "model": HOSTILE,
        }
    )
    page = render_page(result)
    outside = re.sub(r"```.*?```|`` .*? ``", "", page, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)<img", outside)
    assert "\n# heading" not in page
    assert not re.search(r"(?<!\\)\]\(javascript", outside)


def test_the_command_repeats_what_was_asked(problems: list[Problem]) -> None:
    result = make_result(problems, [], temperature=0.2, pass_at=[1, 5], model="it's a model")
    result.config["model"]["model"] = "it's a model"
    command = rerun_command(result)
    assert command.startswith("c2c evaluate \\\n")
    program, verb, *arguments = shlex.split(command.replace("\\\n", " "))
    assert (program, verb) == ("c2c", "evaluate")
    assert set(arguments[::2]) == {"--option"}
    assert set(arguments[1::2]) == {
        "bootstrap_resamples=200",
        "model=it's a model",
        "pass_at=[1, 5]",
        "release=2026.11.24-1",
        "temperature=0.2",
    }


@of_files
def test_shards_of_the_work_area_may_go_afterwards(
    target: str, result: EvaluationResult, shards: dict[str, list[str]], tmp_path: Path
) -> None:
    uri = evaluation_uri(target, result.problem_set, result.name)
    write_report(uri, result, **shards)
    for uris in shards.values():
        for shard in uris:
            store_for(shard).delete(shard)
    copy = tmp_path / "copy.parquet"
    store_for(uri).download(f"{uri}/grades/part-00001.parquet", copy)
    assert pq.read_metadata(copy).num_rows == 14


def test_retiring_a_release_deletes_answers_and_grades_and_leaves_the_report(
    target: str, publish: Any, make_program: Any, shards: dict[str, list[str]]
) -> None:
    uris = [publish(target, [make_program(n)], build_id=str(n), card=False) for n in (1, 2)]
    found = []
    for release in uris:
        version = release.rpartition("/")[2]
        source = RELEASE.model_copy(update={"version": version, "uri": release})
        problem = make_problem(1)
        result = make_result([problem], judged([problem], lambda *_: ("raised", False), 1))
        result = result.model_copy(update={"release": source})
        found.append(evaluation_uri(target, version, result.name))
        write_report(found[-1], result, **shards)
    old, new = found
    before = len(list(store_for(new).list(new)))
    retired = retire(target, uris[0].rpartition("/")[2], "opted out")
    assert retired.files > 4
    assert sorted(info.uri for info in store_for(old).list(old)) == [
        f"{old}/plots/categories.png",
        f"{old}/report.json",
        f"{old}/report.md",
    ]
    assert read_result(old).tasks[0].answers == 1
    assert len(list(store_for(new).list(new))) == before
