from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from c2c_tasks.browsing import evaluations
from c2c_tasks.browsing.evaluations import (
    describe_evaluation,
    describe_leaderboard,
    read_report_page,
    search_answers,
)
from c2c_tasks.browsing.refusals import InvalidRequest, NothingThere
from c2c_tasks.evaluation.records import Answer, Category, Grade
from c2c_tasks.evaluation.report import write_report
from c2c_tasks.evaluation.results import EvaluationResult, evaluation_uri
from c2c_tasks.shards import write_shard
from c2c_tasks.store import StoreError, read, store_for
from tests.evaluation.evaluations import answers_of, judged, make_problem, make_result

pytestmark = pytest.mark.usefixtures("deployment")
of_files = pytest.mark.parametrize("target", ["file"], indirect=True)
CATEGORIES = get_args(Category)
SET, NAME = "2026.11.24-1", "tiny-2026-11-27-1a2b3c4d"


@pytest.fixture(autouse=True)
def without_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page draws its own."""
    monkeypatch.setattr("c2c_tasks.evaluation.report.draw_plots", lambda *_: [])


def written(target: str, folder: Path, parts: int = 2, **fields: Any) -> EvaluationResult:
    """Write an evaluation of 40 problems, 2 answers to each, of all categories."""
    problems = [make_problem(number) for number in range(40)]
    grades = judged(problems, lambda n, s: (CATEGORIES[(n + s) % len(CATEGORIES)], False), 2)
    result = make_result(problems, grades, samples_per_problem=2, **fields)
    size = len(grades) // parts
    shards: dict[str, list[str]] = {"answers": [], "grades": []}
    for number in range(parts):
        part = grades[number * size :][:size]
        for kind, cls, rows in (("answers", Answer, answers_of(part)), ("grades", Grade, part)):
            shards[kind].append((folder / f"{kind}-{number}.parquet").as_uri())
            write_shard(shards[kind][-1], cls, rows)  # type: ignore[type-var]
    write_report(evaluation_uri(target, SET, result.name), result, **shards)
    return result


def test_the_leaderboard_is_plain_data(target: str, tmp_path: Path) -> None:
    result = written(target, tmp_path)
    store_for(target).write(f"{target}/evaluations/{SET}/broken/report.json", b"{")
    found = describe_leaderboard(None)
    (board,) = json.loads(json.dumps(found))["boards"]
    assert (board["task"], board["problem_set"], board["problems"]) == ("induction", SET, 40)
    (row,) = board["standings"]
    assert (row["rank"], row["model"], row["name"], row["answers"]) == (1, "tiny", NAME, 80)
    assert row["ranked_by"] == "held"
    assert row["pass_at"] == [rate.model_dump() for rate in result.tasks[0].pass_at]
    assert found["unreadable"][0]["name"] == "broken"
    assert "not a report" in found["unreadable"][0]["fault"]


def test_an_evaluation_is_described(target: str, tmp_path: Path) -> None:
    result = written(target, tmp_path)
    found = json.loads(json.dumps(describe_evaluation(None, SET, NAME)))
    assert found["result"]["tasks"] == json.loads(result.to_json())["tasks"]
    assert found["result"]["release"]["manifest_sha256"] == "ab" * 32
    assert found["options"]["model"]["samples_per_problem"] == 2
    assert found["command"].startswith("c2c evaluate")
    assert found["has_answers"]
    assert set(found["categories"]) == set(CATEGORIES)
    page = read_report_page(None, SET, NAME)
    assert page.data == read(f"{evaluation_uri(target, SET, NAME)}/report.md")


def test_answers_are_found_page_by_page_across_parts(target: str, tmp_path: Path) -> None:
    written(target, tmp_path, parts=4)
    items: list[dict[str, Any]] = []
    cursor, pages = "", 0
    while True:
        page = search_answers(None, SET, NAME, category="failed", cursor=cursor, limit=9)
        items += page["items"]
        pages += 1
        assert page["rows"] == 80
        if (cursor := page["next_cursor"]) is None:
            break
    assert pages == 8
    assert len({(item["problem_id"], item["sample"]) for item in items}) == 70
    assert {item["category"] for item in items} == set(CATEGORIES) - {"passed_all"}
    for item in items:
        assert bool(item["code"]) == (item["category"] != "no_code")
        assert (item["text"] == "```\n```") == (item["category"] == "no_code")
        assert item["detail"] == "{'x': 3}: returned 3, recorded 1"


@of_files
def test_a_category_and_a_task_choose(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(target, tmp_path)
    assert len(search_answers(None, SET, NAME, category="raised", limit=100)["items"]) == 10
    assert search_answers(None, SET, NAME, task="mbpp")["items"] == []
    assert len(search_answers(None, SET, NAME, task="induction", limit=100)["items"]) == 80
    monkeypatch.setattr(evaluations, "MAX_SECONDS", -1.0)
    late = search_answers(None, SET, NAME, task="mbpp")
    assert (late["scanned"], late["items"]) == (40, [])
    rest = search_answers(None, SET, NAME, task="mbpp", cursor=late["next_cursor"])
    assert (rest["scanned"], rest["next_cursor"]) == (40, None)


@of_files
def test_what_is_long_is_cut(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(target, tmp_path)
    monkeypatch.setattr(evaluations, "MAX_CHARACTERS", 4)
    (item,) = search_answers(None, SET, NAME, category="raised", limit=1)["items"]
    assert (item["code"], item["detail"]) == ("def …", "{'x'…")


@of_files
@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"limit": 0}, "limit: from 1 to 100"),
        ({"task": "all"}, "task: one of induction"),
        ({"category": "wrong"}, "category: failed, or one of passed_all"),
        ({"cursor": "zzzz"}, "none of this search"),
        ({"name": ".."}, "not a name of an evaluation"),
        ({"name": "a/b"}, "not a name of an evaluation"),
        ({"problem_set": "../releases"}, "not a name of an evaluation"),
    ],
)
def test_what_makes_no_sense_is_refused(
    target: str, tmp_path: Path, asked: dict[str, Any], fault: str
) -> None:
    written(target, tmp_path)
    with pytest.raises(InvalidRequest, match=fault):
        search_answers(None, **({"problem_set": SET, "name": NAME} | asked))


@of_files
def test_what_is_not_there_is_said(target: str, tmp_path: Path) -> None:
    assert describe_leaderboard(None)["boards"] == []
    with pytest.raises(NothingThere, match=f"there is no evaluation {NAME} of {SET}"):
        describe_evaluation(None, SET, NAME)
    written(target, tmp_path)
    uri = evaluation_uri(target, SET, NAME)
    for info in list(store_for(uri).list(uri)):
        if info.uri.endswith((".parquet", ".md")):
            store_for(uri).delete(info.uri)
    with pytest.raises(NothingThere, match="deleted when the release is retired"):
        search_answers(None, SET, NAME)
    with pytest.raises(NothingThere, match="is missing"):
        read_report_page(None, SET, NAME)
    with pytest.raises(NothingThere, match="no such target"):
        describe_leaderboard("file:///etc")
    store_for(uri).write(f"{uri}/report.json", b"[]")
    with pytest.raises(StoreError, match="not a report"):
        describe_evaluation(None, SET, NAME)


@of_files
def test_a_report_that_leads_out_of_the_evaluation_leads_nowhere(
    target: str, tmp_path: Path
) -> None:
    written(target, tmp_path)
    uri = f"{evaluation_uri(target, SET, NAME)}/report.json"
    text = read(uri).decode().replace("grades/part-", "grades/../../../secret/part-")
    store_for(uri).write(uri, text.encode())
    with pytest.raises(NothingThere, match="has no answers"):
        search_answers(None, SET, NAME)
    assert not describe_evaluation(None, SET, NAME)["has_answers"]


@of_files
def test_only_a_release_of_the_target_is_linked(target: str, tmp_path: Path) -> None:
    result = written(target, tmp_path)
    assert describe_evaluation(None, SET, NAME)["release"] is None
    assert describe_leaderboard(None)["boards"][0]["release"] is None
    assert result.release is not None
    here = result.release.model_copy(update={"uri": f"{target}/releases/{SET}"})
    uri = f"{evaluation_uri(target, SET, 'other')}/report.json"
    store_for(uri).write(uri, result.model_copy(update={"release": here}).to_json())
    assert describe_evaluation(None, SET, "other")["release"] == SET


@of_files
def test_passwords_are_hidden(target: str, tmp_path: Path) -> None:
    result = written(target, tmp_path)
    uri = f"{evaluation_uri(target, SET, NAME)}/report.json"
    told = result.model_copy(
        update={"config": {"model": {"endpoint": "http://ada:secret@host/v1"}}}
    )
    store_for(uri).write(uri, told.to_json())
    assert "ada:secret" not in json.dumps(describe_evaluation(None, SET, NAME))
