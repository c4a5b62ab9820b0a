"""All evaluations of a target, and which model is best at the same problems."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from c2c_tasks.config.evaluation import Task
from c2c_tasks.evaluation.results import (
    EVALUATIONS,
    EvaluationResult,
    PassRate,
    TaskResult,
    evaluation_uri,
    read_result,
)
from c2c_tasks.store import ObjectNotFound, StoreError, store_for

READS = 8
"""Reports that are read at a time."""
BOUNDS = ("reference", "lookup")
"""Solvers that are no models: they show how high and how low models can come, and have no rank."""


@dataclass(frozen=True, slots=True)
class ListedEvaluation:
    """A folder of the target that should hold an evaluation."""

    problem_set: str
    """Version of the release, or name of the file, that it asked about."""
    name: str
    result: EvaluationResult | None
    """None where it is not complete, or cannot be read."""
    fault: str = ""
    """Why it cannot be read."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an evaluation did in a task, among those that asked the same."""

    listed: ListedEvaluation
    result: EvaluationResult
    task: TaskResult
    rank: int | None
    """1 + the number of models that are better by more than chance: whose interval lies above
    this one's. Models that share a rank were not told apart. None of a solver that is no model."""

    @property
    def rate(self) -> PassRate | None:
        """What it is ranked by."""
        return self.task.headline


@dataclass(frozen=True, slots=True)
class Board:
    """Evaluations that can be compared: they asked the same problems, in the same way."""

    task: Task
    problem_set: str
    split: str
    """Of the release; empty of a file and of a benchmark."""
    problems: int
    few_shot: int
    float_tolerance: float
    standings: list[Standing]
    """Best first."""


def list_evaluations(
    target: str, *, result_of: Callable[[str], EvaluationResult] = read_result
) -> list[ListedEvaluation]:
    """Return the evaluations of a target, newest first; those that cannot be read come last.

    The listing is all there is: no index has to be kept. A folder without a report, of an
    evaluation under way, is left out. `result_of` reads the one at a URI, as `read_result` does.
    Raises StoreError where the target cannot be listed.
    """

    def read(place: tuple[str, str]) -> ListedEvaluation | None:
        try:
            return ListedEvaluation(*place, result_of(evaluation_uri(target, *place)))
        except ObjectNotFound:
            return None
        except StoreError as error:
            return ListedEvaluation(*place, None, str(error))

    root = f"{target}/{EVALUATIONS}"
    store = store_for(root)
    places = [
        (problem_set.rstrip("/"), name.rstrip("/"))
        for problem_set in store.names(root)
        if problem_set.endswith("/")
        for name in store.names(f"{root}/{problem_set.rstrip('/')}")
        if name.endswith("/")
    ]
    with ThreadPoolExecutor(READS, "evaluations") as pool:
        found = [one for one in pool.map(read, places) if one]
    found.sort(key=lambda one: (one.problem_set, one.name))
    found.sort(key=lambda one: one.result.date if one.result else "", reverse=True)
    return found


def leaderboard(evaluations: Iterable[ListedEvaluation]) -> list[Board]:
    """Return the boards of evaluations, that of the newest evaluation first.

    Only what asked the same problems stands on one board: same ids, prompts and cases held back,
    as many solved problems in the prompt, floats compared as strictly. Prompt style and sampling
    are the model's own.
    """
    boards: defaultdict[tuple[object, ...], list[tuple[ListedEvaluation, TaskResult]]]
    boards = defaultdict(list)
    for listed in evaluations:
        for task in listed.result.tasks if listed.result else []:
            assert listed.result is not None
            boards[_key(listed.result, task)].append((listed, task))
    return [_board(found) for found in boards.values()]


def _option(result: EvaluationResult, section: str, name: str) -> float:
    found: float = result.config.get(section, {}).get(name, 0)
    return found


def _key(result: EvaluationResult, task: TaskResult) -> tuple[object, ...]:
    return (
        task.task,
        task.problems_sha256,
        task.problems,
        _option(result, "problems", "few_shot"),
        _option(result, "grading", "float_tolerance"),
    )


def _board(found: list[tuple[ListedEvaluation, TaskResult]]) -> Board:
    listed, task = found[0]
    result = listed.result
    assert result is not None
    is_induction = task.task == "induction"
    return Board(
        task=task.task,
        problem_set=listed.problem_set if is_induction else "",
        split=result.release.split if result.release and is_induction else "",
        problems=task.problems,
        few_shot=int(_option(result, "problems", "few_shot")),
        float_tolerance=_option(result, "grading", "float_tolerance"),
        standings=sorted(_ranked(found), key=_order),
    )


def _order(standing: Standing) -> tuple[float, str, str]:
    rate = standing.rate
    return (-rate.value if rate else 1.0, standing.result.model, standing.listed.name)


def _ranked(found: list[tuple[ListedEvaluation, TaskResult]]) -> Iterator[Standing]:
    models = [task.headline for listed, task in found if not _is_bound(listed)]
    for listed, task in found:
        rate, rank = task.headline, None
        if rate and not _is_bound(listed):
            rank = 1 + sum(other.low > rate.high for other in models if other)
        assert listed.result is not None
        yield Standing(listed, listed.result, task, rank)


def _is_bound(listed: ListedEvaluation) -> bool:
    return listed.result is not None and listed.result.solver.name in BOUNDS
