"""The plots of an evaluation: PNG, in the look of a release's card."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from c2c_tasks.evaluation.breakdown import TITLES
from c2c_tasks.evaluation.records import Category
from c2c_tasks.evaluation.results import (
    BreakdownBy,
    EvaluationResult,
    GradedOn,
    Group,
    TaskResult,
)
from c2c_tasks.publishing.figures import (
    BLUE,
    FAINT,
    GREEN,
    GREY,
    INK,
    PALE,
    VERMILION,
    label_of,
    new_figure,
    write,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLOTS = "plots"
"""Folder of the plots."""
CATEGORY_COLOURS: Mapping[Category, str] = {
    "passed_all": GREEN,
    "passed_seen_only": "#F0E442",
    "wrong_output": VERMILION,
    "raised": "#CC79A7",
    "timed_out": "#56B4E9",
    "killed": BLUE,
    "wrong_name_or_arguments": GREY,
    "no_code": INK,
}
"""Of Okabe and Ito, too: right in green, wrong output in vermilion."""
RATES: Mapping[GradedOn, tuple[str, str]] = {
    "held": (BLUE, "held-out cases"),
    "all": (VERMILION, "all cases, as the paper grades"),
    "differential": (GREEN, "all cases and the differential check"),
    "tests": (BLUE, "tests"),
}
"""Colour of what counts as right, and its name."""
_LEAST = 0.05
"""Share of answers from which on a part of a bar says how large it is."""


def draw_plots(folder: Path, result: EvaluationResult) -> list[str]:
    """Draw the plots into ``plots/`` of a local folder; return their paths inside it.

    What there is nothing to show of is not drawn.
    """
    place = folder / PLOTS
    place.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, draw in _drawn(result):
        # No date and no version of matplotlib in the file: equal plots are equal bytes.
        draw().savefig(place / f"{name}.png", metadata={"Software": None})
        paths.append(f"{PLOTS}/{name}.png")
    return paths


def plot_name(task: str, by: BreakdownBy) -> str:
    """Return the name of the plot of a breakdown."""
    return f"{task}_by_{by}"


def _drawn(result: EvaluationResult) -> Iterator[tuple[str, Callable[[], Figure]]]:
    answered = [task for task in result.tasks if task.answers]
    if answered:
        yield "categories", lambda: _categories(answered)
    for task in answered:
        for by, groups in task.breakdowns.items():
            yield (
                plot_name(task.task, by),
                lambda task=task, by=by, groups=groups: _breakdown(task, by, groups),  # type: ignore[misc]
            )


def _categories(tasks: Sequence[TaskResult]) -> Figure:
    figure, (axes,) = new_figure(1.75 + 0.5 * len(tasks), "What came of the answers")
    for category, colour in CATEGORY_COLOURS.items():
        shares = [task.categories[category] / task.answers for task in tasks]
        starts = [_before(task, category) / task.answers for task in tasks]
        axes.barh(
            range(len(tasks)),
            shares,
            left=starts,
            color=colour,
            height=0.62,
            label=category.replace("_", " "),
            edgecolor="white",
            linewidth=0.6,
        )
        for place, (start, share) in enumerate(zip(starts, shares, strict=True)):
            if share >= _LEAST:
                axes.text(
                    start + share / 2,
                    place,
                    f"{share:.0%}",
                    ha="center",
                    va="center",
                    fontsize=9,
                    color="black" if category in _PALE_ONES else "white",
                )
    names = [f"{task.task}\n{task.answers:,} answers" for task in tasks]
    axes.set_yticks(range(len(tasks)), names)
    axes.set_ylim(len(tasks) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.xaxis.set_visible(False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(left=False)
    figure.legend(loc="outside lower left", ncols=4, fontsize=9, frameon=False)
    return figure


_PALE_ONES = ("passed_seen_only", "timed_out", "raised", "wrong_name_or_arguments")


def _before(task: TaskResult, category: Category) -> int:
    names = list(CATEGORY_COLOURS)
    return sum(task.categories[name] for name in names[: names.index(category)])


def _breakdown(task: TaskResult, by: BreakdownBy, groups: Sequence[Group]) -> Figure:
    shown = list(dict.fromkeys(rate.graded_on for group in groups for rate in group.pass_at_1))
    figure, (axes,) = new_figure(1.5 + 0.42 * len(groups), f"pass@1 of {task.task}")
    step = 0.24
    for number, graded_on in enumerate(shown):
        colour, label = RATES[graded_on]
        rates = [
            next(rate for rate in group.pass_at_1 if rate.graded_on == graded_on)
            for group in groups
        ]
        values = [rate.value for rate in rates]
        axes.errorbar(
            values,
            [place + (number - (len(shown) - 1) / 2) * step for place in range(len(groups))],
            xerr=[
                [max(rate.value - rate.low, 0) for rate in rates],
                [max(rate.high - rate.value, 0) for rate in rates],
            ],
            fmt="o",
            color=colour,
            markersize=5,
            elinewidth=1.6,
            capsize=2.5,
            label=label,
        )
    for place, group in enumerate(groups):
        write(axes, f"{group.problems:,}", 1.02, place)
    write(axes, "problems", 1.02, -0.85)
    axes.set_yticks(
        range(len(groups)), [label_of(group.label) for group in groups], parse_math=False
    )
    axes.set_ylim(len(groups) - 0.4, -1.0)
    axes.set_xlim(-0.02, 1.16)  # room for the numbers
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "25%", "50%", "75%", "100%"])
    axes.grid(axis="x", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(left=False)
    axes.set_title(TITLES[by], loc="left", fontsize=11, color=FAINT)
    figure.legend(loc="outside lower left", ncols=3, fontsize=9, frameon=False)
    return figure
