"""Evaluations and leaderboards, as people and machines read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from c2c_tasks.consuming.printing import add, rows, say, show, table
from c2c_tasks.evaluation.leaderboard import Board, ListedEvaluation
from c2c_tasks.evaluation.results import EvaluationResult, GradedOn, PassRate

GRADED_ON: dict[GradedOn, str] = {
    "held": "held-out cases",
    "all": "all cases",
    "differential": "all cases and searched inputs",
    "tests": "its tests",
}


def print_evaluation(result: EvaluationResult, uri: str, console: Console) -> None:
    """Print an evaluation: pass@k with intervals, then what came of the answers."""
    say(console, f"{result.model} on {result.problem_set}", style="bold")
    launcher = result.sandbox.model_dump().get("launcher")
    say(console, f"solver {result.solver.name}, launcher {launcher}, {result.date}")
    rates = table(
        ["task", "problems", "graded on", "k", "pass@k", "interval"],
        numbers=["problems", "k", "pass@k"],
    )
    for task in result.tasks:
        for rate in task.pass_at:
            add(
                rates,
                *(task.task, rows(task.problems), GRADED_ON[rate.graded_on], str(rate.k)),
                *(f"{rate.value:.1%}", _interval(rate)),
            )
    say(console)
    show(console, rates)
    categories = table(["answers", *(task.task for task in result.tasks)], numbers=_tasks(result))
    for category in dict.fromkeys(name for task in result.tasks for name in task.categories):
        counts = [task.categories.get(category, 0) for task in result.tasks]
        if any(counts):
            add(categories, category.replace("_", " "), *map(rows, counts))
    say(console)
    show(console, categories)
    say(console)
    for remark in result.remarks:
        say(console, f"{remark}.", style="yellow")
    say(console, f"report: {uri}")


def print_boards(
    boards: Sequence[Board], unreadable: Sequence[ListedEvaluation], target: str, console: Console
) -> None:
    """Print leaderboards, the newest first, and name what cannot be read."""
    if not boards and not unreadable:
        say(console, f"no evaluation in {target}")
    for board in boards:
        where = f" on {board.problem_set}" if board.problem_set else ""
        where += f", {board.split} split" if board.split else ""
        shots = f", {board.few_shot} solved examples" if board.few_shot else ""
        say(console, f"{board.task}{where}: {board.problems:,} problems{shots}", style="bold")
        made = table(["rank", "model", "pass@1", "interval", "date", "name"], numbers=["rank"])
        for standing in board.standings:
            rate = standing.rate
            add(
                made,
                *("" if standing.rank is None else str(standing.rank), standing.result.model),
                *((f"{rate.value:.1%}", _interval(rate)) if rate else ("", "")),
                *(standing.result.date, standing.listed.name),
            )
        show(console, made)
        say(console)
    for listed in unreadable:
        say(console, f"{listed.problem_set}/{listed.name}: {listed.fault}", style="red")


def board_rows(boards: Sequence[Board]) -> list[dict[str, Any]]:
    """Return leaderboards as JSON has them."""
    return [
        {
            "task": board.task,
            "problem_set": board.problem_set,
            "problems": board.problems,
            "few_shot": board.few_shot,
            "standings": [
                {
                    "rank": standing.rank,
                    "model": standing.result.model,
                    "pass_at_1": standing.rate.model_dump() if standing.rate else None,
                    "date": standing.result.date,
                    "name": standing.listed.name,
                }
                for standing in board.standings
            ],
        }
        for board in boards
    ]


def _tasks(result: EvaluationResult) -> list[str]:
    return [task.task for task in result.tasks]


def _interval(rate: PassRate) -> str:
    return f"{rate.low:.1%} to {rate.high:.1%}"
