"""The plots of a release's card: PNG, drawn without a display."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from c2c_tasks.publishing.figures import (
    BLUE,
    FAINT,
    FORMAT_COLOURS,
    INK,
    PALE,
    bars,
    new_figure,
    write,
)
from c2c_tasks.publishing.histograms import Histogram, bin_start
from c2c_tasks.publishing.manifest import FunnelStage
from c2c_tasks.publishing.statistics import Statistics
from c2c_tasks.publishing.tokens import TOKENIZER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PLOTS = {
    "funnel": "Share of rows that each stage of the build lets go on",
    "cases_per_program": "Programs by their number of cases",
    "coverage": "Programs by the share of their lines that their cases run",
    "difficulty": "Programs by estimated difficulty",
    "outcomes": "Types of returned values and of exceptions, by share of cases",
    "lengths": "Lengths of samples in characters and in tokens",
    "licences": "Programs by licence",
    "repositories": "Repositories with most programs",
}
"""Plots by name, in the order of the card, with what they show."""
TOP = 12
"""Bars of a plot that ranks; what is left is one bar more."""


def draw_plots(folder: Path, funnel: Sequence[FunnelStage], statistics: Statistics) -> list[str]:
    """Draw the plots into ``report/`` of a local folder; return their paths inside it.

    What there is nothing to show of is not drawn.
    """
    report = folder / "report"
    report.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, draw in _drawn(funnel, statistics):
        # No date and no version of matplotlib in the file: equal plots are equal bytes.
        draw().savefig(report / f"{name}.png", metadata={"Software": None})
        paths.append(f"report/{name}.png")
    return paths


def _drawn(
    funnel: Sequence[FunnelStage], statistics: Statistics
) -> Iterator[tuple[str, Callable[[], Figure]]]:
    programs = statistics.programs
    if funnel:
        yield "funnel", lambda: _funnel(funnel)
    if programs.cases_per_program:
        yield "cases_per_program", lambda: _cases_per_program(programs.cases_per_program)
    if any(programs.coverage.keys()):  # all 0: no lines were recorded
        yield "coverage", lambda: _coverage(programs.coverage)
    if programs.difficulty:
        yield "difficulty", lambda: _difficulty(programs.difficulty)
    if programs.output_types or programs.exception_types:
        yield "outcomes", lambda: _outcomes(programs.output_types, programs.exception_types)
    if statistics.lengths:
        yield "lengths", lambda: _lengths(statistics)
    if statistics.licences:
        yield "licences", lambda: _ranking("Licences", statistics.licences, "programs")
    if len(statistics.repositories) > 1:
        yield (
            "repositories",
            lambda: _ranking("Repositories", statistics.repositories, "programs"),
        )


def _funnel(funnel: Sequence[FunnelStage]) -> Figure:
    figure, (axes,) = new_figure(1.0 + 0.36 * len(funnel), "Funnel: rows that go on")
    places = range(len(funnel))
    shares = [100 * stage.rows_out / stage.rows_in if stage.rows_in else 0 for stage in funnel]
    axes.barh(places, [100] * len(funnel), color=PALE, height=0.68)
    axes.barh(places, shares, color=BLUE, height=0.68)
    for place, (stage, share) in enumerate(zip(funnel, shares, strict=True)):
        percent = f"  {_kept(share)}" if stage.rows_in else ""
        rows = f"{stage.rows_in:,} → {stage.rows_out:,} {stage.unit}"
        write(axes, f"{rows}{percent}", 100, place)
    axes.set_yticks(places, [stage.name for stage in funnel])
    axes.set_ylim(len(funnel) - 0.4, -0.6)
    axes.set_xlim(0, 172)  # room for the labels
    axes.set_xticks(range(0, 101, 25))
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(left=False)
    axes.set_xlabel("rows that go on, % of those that came in", x=50 / 172, color=INK)
    return figure


def _kept(percent: float) -> str:
    """Return a share as text. What lost a row is not 100%."""
    if percent in (0, 100) or percent < 99:
        return f"{percent:.0f}%"
    return f"{percent:.1f}%" if percent < 99.9 else "> 99.9%"


def _cases_per_program(counts: Mapping[int, int]) -> Figure:
    from matplotlib.ticker import MaxNLocator

    figure, (axes,) = new_figure(3.2, "Cases per program")
    drawn = axes.bar(list(counts.keys()), list(counts.values()), color=BLUE, width=0.85)
    if len(counts) <= TOP:
        axes.bar_label(drawn, fmt="{:,.0f}", padding=2, fontsize=9, color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlim(0, max(counts) + 1)
    axes.set_xlabel("cases of a program", color=INK)
    _count_programs_upwards(axes)
    return figure


def _coverage(percents: Mapping[int, int]) -> Figure:
    figure, (axes,) = new_figure(3.2, "Coverage: lines of a function that its cases run")
    # 100 % is a bar of its own: full coverage is what a reader looks for.
    axes.hist(
        list(percents.keys()),
        bins=[*range(0, 101, 5), 105],
        weights=list(percents.values()),
        color=BLUE,
        rwidth=0.85,
    )
    every, full = sum(percents.values()), percents.get(100, 0)
    if full:
        axes.annotate(
            f"{full:,}  ({_percent(full / every)})",
            (105, full),
            ha="right",
            va="bottom",
            fontsize=9,
            color=INK,
        )
    axes.set_xlim(-1, 106)
    axes.set_xticks([*range(0, 100, 10), 102.5], [*map(str, range(0, 100, 10)), "100"])
    axes.set_xlabel("executable lines that are run, % (the last bar: all of them)", color=INK)
    _count_programs_upwards(axes)
    return figure


def _difficulty(hundredths: Mapping[int, int]) -> Figure:
    figure, (axes,) = new_figure(3.2, "Difficulty, estimated")
    axes.hist(
        [value / 100 for value in hundredths],
        bins=[number / 20 for number in range(21)],
        weights=list(hundredths.values()),
        color=BLUE,
        rwidth=0.85,
    )
    axes.set_xlim(0, 1)
    axes.set_xlabel("from size, branches and growth of coverage: 0 plain, 1 hard", color=INK)
    _count_programs_upwards(axes)
    return figure


def _count_programs_upwards(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_ylabel("programs", color=INK)
    axes.grid(axis="y", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)


def _outcomes(returned: Counter[str], raised: Counter[str]) -> Figure:
    cases = returned.total() + raised.total()
    panels = []
    if returned:
        panels.append((f"returned: {_percent(returned.total() / cases)}", returned))
    if raised:
        panels.append((f"raised: {_percent(raised.total() / cases)}", raised))
    most = max(min(len(counts), TOP) for _, counts in panels)
    figure, grid = new_figure(
        1.1 + 0.27 * (most + 1),
        "What comes of the cases, by type: share of all cases",
        1,
        len(panels),
    )
    for axes, (title, counts) in zip(grid, panels, strict=True):
        axes.set_title(title, loc="left", fontsize=11, color=INK)
        names, rows = _ranked(counts)
        labels = [_percent(value / cases) for value in rows]
        bars(axes, names, rows, labels, rest=len(counts) > TOP)
        axes.set_ylim(most + 0.5, -0.6)
        axes.set_xlim(0, max(rows) * 1.3)
    return figure


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "< 0.1%"


def _ranking(title: str, counts: Counter[str], unit: str) -> Figure:
    names, values = _ranked(counts)
    figure, (axes,) = new_figure(0.7 + 0.3 * len(names), f"{title}, by number of {unit}")
    whole = counts.total()
    labels = [f"{value:,}  ({_percent(value / whole)})" for value in values]
    bars(axes, names, values, labels, rest=len(counts) > TOP)
    return figure


def _ranked(counts: Counter[str]) -> tuple[list[str], list[int]]:
    """Return the first names and their counts, and the others as one."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    first, others = ranked[:TOP], ranked[TOP:]
    if others:
        first.append((f"{len(others):,} more", sum(count for _, count in others)))
    return [name for name, _ in first], [count for _, count in first]


def _lengths(statistics: Statistics) -> Figure:
    lengths = statistics.lengths
    figure, grid = new_figure(
        1.05 + 1.25 * len(lengths), "Length of a sample", len(lengths), 2, sharex="col"
    )
    for row, (format_, found) in enumerate(lengths.items()):
        colour = FORMAT_COLOURS[format_]
        for axes, histogram in zip(grid[2 * row :], (found.characters, found.tokens), strict=False):
            _length(axes, histogram, colour)
        grid[2 * row].set_ylabel(format_, color=INK, fontsize=11, fontweight="bold")
    for axes in grid[-2:]:
        _number_lengths(axes)
    sampled = any(found.is_estimated for found in lengths.values())
    grid[-2].set_xlabel("characters of prompt and answer\n(log scale)", color=INK)
    scale = "estimated from a sample, log scale" if sampled else "log scale"
    grid[-1].set_xlabel(f"tokens of {TOKENIZER}\n({scale})", color=INK)
    return figure


def _number_lengths(axes: Axes) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if high > 300 * low else (1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _length(axes: Axes, histogram: Histogram, colour: str) -> None:
    numbers = range(min(histogram.bins), max(histogram.bins) + 1)
    starts = [bin_start(number) for number in (*numbers, numbers[-1] + 1)]
    rows = [histogram.bins.get(number, 0) for number in numbers]
    axes.stairs(rows, starts, fill=True, color=colour, alpha=0.85)
    axes.set_xscale("log")
    axes.set_yticks([])
    axes.set_ylim(0, 1.38 * max(rows))  # room for the labels
    axes.spines["left"].set_visible(False)
    median, most = histogram.quantile(0.5), histogram.quantile(0.95)
    axes.axvline(median, ymax=0.78, color=INK, linewidth=1.2)
    axes.axvline(most, ymax=0.78, color=FAINT, linewidth=1.2, linestyle="--")
    axes.text(
        0.995,
        0.97,
        f"median {rounded(median)}   95% below {rounded(most)}",
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=9,
        color=INK,
    )


def rounded(value: float) -> str:
    """Return a length to two digits: a histogram tells no more."""
    return f"{float(f'{value:.2g}'):,.0f}"
