from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.evaluation.leaderboard import leaderboard, list_evaluations
from c2c_tasks.evaluation.records import Problem
from c2c_tasks.evaluation.results import EvaluationResult, evaluation_uri
from c2c_tasks.store import store_for
from tests.evaluation.evaluations import judged, make_problem, make_result
from tests.publishing.conftest import target

__all__ = ["target"]

PROBLEMS = [make_problem(number) for number in range(60)]


def put(target: str, result: EvaluationResult) -> None:
    uri = f"{evaluation_uri(target, result.problem_set, result.name)}/report.json"
    store_for(uri).write(uri, result.to_json())


def passing(
    count: int, name: str, problems: list[Problem] = PROBLEMS, **fields: Any
) -> EvaluationResult:
    """Return an evaluation of a model that solves the first so many problems."""
    grades = judged(
        problems, lambda number, _: ("passed_all" if number < count else "raised", False), 1
    )
    return make_result(problems, grades, name=name, model=fields.pop("model", name), **fields)


def test_models_are_ranked_and_those_that_chance_may_order_share_a_rank(target: str) -> None:
    for count, name in ((30, "middle"), (32, "similar"), (5, "weak"), (58, "strong")):
        put(target, passing(count, name))
    put(target, passing(60, "reference", solver="reference"))
    (board,) = leaderboard(list_evaluations(target))
    assert (board.task, board.problem_set, board.split) == ("induction", "2026.11.24-1", "test")
    assert [(one.result.model, one.rank) for one in board.standings] == [
        ("reference", None),
        ("strong", 1),
        ("similar", 2),
        ("middle", 2),
        ("weak", 4),
    ]
    assert board.standings[1].rate == board.standings[1].task.rate("held")


@pytest.mark.parametrize("target", ["file"], indirect=True)
def test_who_solves_nothing_is_not_told_from_who_solves_next_to_nothing(target: str) -> None:
    for count in (0, 5, 30, 60):
        put(target, passing(count, f"solves-{count}"))
    (board,) = leaderboard(list_evaluations(target))
    ranks = [(one.result.model, one.rank) for one in board.standings]
    assert ranks == [("solves-60", 1), ("solves-30", 2), ("solves-5", 3), ("solves-0", 3)]


@pytest.mark.parametrize("target", ["file"], indirect=True)
def test_only_those_that_asked_the_same_stand_on_one_board(target: str) -> None:
    put(target, passing(30, "one"))
    put(target, passing(30, "same", prompt_style="text", temperature=0.1))
    put(target, passing(30, "few-shot", few_shot=2))
    put(target, passing(30, "tolerant", float_tolerance=0.01))
    put(target, passing(30, "fewer", PROBLEMS[:50]))
    other = [make_problem(number, prompt="Another way to ask.") for number in range(60)]
    put(target, passing(30, "other", other))
    boards = leaderboard(list_evaluations(target))
    names = sorted(sorted(one.listed.name for one in board.standings) for board in boards)
    assert names == [["few-shot"], ["fewer"], ["one", "same"], ["other"], ["tolerant"]]


@pytest.mark.parametrize("target", ["file"], indirect=True)
def test_benchmarks_of_several_releases_stand_on_one_board(target: str) -> None:
    problem = make_problem(1, problem_id="HumanEval/1", task="humaneval", cases=[], held_cases=[])
    for name in ("before", "after"):
        result = passing(1, name, [problem], tasks=["humaneval"])
        release = result.release.model_copy(update={"version": f"2026.11.2{len(name)}-1"})  # type: ignore[union-attr]
        put(target, result.model_copy(update={"release": release}))
    (board,) = leaderboard(list_evaluations(target))
    assert len(board.standings) == 2
    assert (board.problem_set, board.split) == ("", "")


def test_what_cannot_be_read_is_listed_and_what_is_not_complete_is_not(target: str) -> None:
    store = store_for(target)
    put(target, passing(3, "old", date="2026-11-01"))
    put(target, passing(3, "new", date="2026-11-28"))
    root = f"{target}/evaluations/2026.11.24-1"
    store.write(f"{root}/broken/report.json", b"\xff not JSON")
    store.write(f"{root}/under-way/answers/part-00000.parquet", b"")
    store.write(f"{target}/evaluations/README", b"somebody's file")
    store.write(f"{root}/README", b"somebody's file")
    found = list_evaluations(target)
    assert [one.name for one in found] == ["new", "old", "broken"]
    assert found[-1].result is None
    assert "broken/report.json: not a report of schema version 1" in found[-1].fault
    (board,) = leaderboard(found)
    assert len(board.standings) == 2


def test_a_target_without_evaluations_has_none(tmp_path: Path) -> None:
    assert list_evaluations((tmp_path / "nothing").as_uri()) == []
    assert leaderboard([]) == []
