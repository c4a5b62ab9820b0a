"""The plots of a release's card: PNG, drawn without a display."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from c2c_tasks.publishing.manifest import FunnelStage
from c2c_tasks.publishing.statistics import Statistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KEPT = "#1f77b4"
DROPPED = "#d9d9d9"


def draw_plots(folder: Path, funnel: Sequence[FunnelStage], statistics: Statistics) -> list[str]:
    """Draw the plots into ``report/`` of a local folder; return their paths inside it."""
    figures = {
        "funnel": _funnel(funnel),
        "cases_per_program": _cases_per_program(statistics),
        "coverage": _coverage(statistics),
        "lengths": _lengths(statistics),
    }
    report = folder / "report"
    report.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, figure in figures.items():
        # No date and no version of matplotlib in the file: equal plots are equal bytes.
        figure.savefig(report / f"{name}.png", metadata={"Software": None})
        paths.append(f"report/{name}.png")
    return paths


def _axes(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    """Return a new figure that is not registered with pyplot, and so needs no closing."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _funnel(funnel: Sequence[FunnelStage]) -> Figure:
    figure, axes = _axes(
        9, 1.2 + 0.55 * max(len(funnel), 1), "Funnel: rows in and out of each stage"
    )
    names = [f"{stage.name} ({stage.unit})" for stage in funnel]
    places = range(len(funnel))
    axes.barh(places, [stage.rows_in for stage in funnel], color=DROPPED, label="in")
    axes.barh(places, [stage.rows_out for stage in funnel], color=KEPT, label="out", height=0.5)
    for place, stage in enumerate(funnel):
        share = f" ({stage.rows_out / stage.rows_in:.0%})" if stage.rows_in else ""
        axes.annotate(
            f"{stage.rows_out:,} of {stage.rows_in:,}{share}",
            (max(stage.rows_in, 1), place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xscale("log")
    most = max((stage.rows_in for stage in funnel), default=1)
    axes.set_xlim(1, max(most, 10) ** 1.45)  # room for the labels
    axes.set_xlabel("rows (log scale)")
    figure.legend(loc="outside lower right", ncols=2, frameon=False)
    return figure


def _cases_per_program(statistics: Statistics) -> Figure:
    from matplotlib.ticker import MaxNLocator

    figure, axes = _axes(7, 3.6, "Cases per program")
    counts = statistics.cases_per_program
    axes.bar(list(counts.keys()), list(counts.values()), color=KEPT, width=0.9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("cases of a program")
    axes.set_ylabel("programs")
    return figure


def _coverage(statistics: Statistics) -> Figure:
    figure, axes = _axes(7, 3.6, "Lines of a function that its cases run")
    percents = statistics.coverage
    # 100 % is a bar of its own: full coverage is what a reader looks for.
    axes.hist(
        list(percents.keys()),
        bins=[*range(0, 101, 5), 105],
        weights=list(percents.values()),
        color=KEPT,
        rwidth=0.9,
    )
    axes.set_xticks([*range(0, 100, 10), 102.5], [*map(str, range(0, 100, 10)), "100"])
    axes.set_xlabel("executable lines run (% of the function's body; last bar: all)")
    axes.set_ylabel("programs")
    return figure


def _lengths(statistics: Statistics) -> Figure:
    import numpy as np

    figure, axes = _axes(7, 3.6, "Length of a sample")
    every: Counter[int] = sum(statistics.sample_characters.values(), Counter())
    bins = np.geomspace(max(min(every, default=1), 1), max(every, default=10) + 1, 40).tolist()
    for format_, counts in statistics.sample_characters.items():
        axes.hist(
            list(counts.keys()),
            bins=bins,
            weights=list(counts.values()),
            histtype="step",
            linewidth=1.6,
            label=format_,
        )
    axes.set_xscale("log")
    axes.set_xlabel("characters, prompt and completion together (log scale)")
    axes.set_ylabel("samples")
    if statistics.sample_characters:
        axes.legend(frameon=False)
    return figure
