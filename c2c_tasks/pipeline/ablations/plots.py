"""The plots of an ablation: each variant a bar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from c2c_tasks.pipeline.ablations.measuring import Figures
from c2c_tasks.publishing.figures import BLUE, FAINT, GREEN, GREY, INK, VERMILION, bars, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_YELLOW, _SKY, _PURPLE, _ORANGE = "#F0E442", "#56B4E9", "#CC79A7", "#E69F00"
_STEPS = {
    "extract": GREY,
    "merge_functions": FAINT,
    "write_inputs": VERMILION,
    "execute": BLUE,
    "curate": _SKY,
    "merge_programs": _YELLOW,
    "compose": GREEN,
    "audit": _PURPLE,
}
"""Steps in their order, with colours of Okabe and Ito."""

Panel = tuple[str, Callable[[Figures], float], Callable[[float], str]]
_count, _one, _percent = "{:,.0f}".format, "{:,.1f}".format, "{:.1%}".format
_PROGRAMS: tuple[Panel, ...] = (
    ("yield: programs of 100 functions", lambda f: 100 * f.program_yield, _one),
    ("cases of a program", lambda f: f.per_program(f.cases), _one),
    ("different outputs of a program", lambda f: f.distinct_outputs, _one),
    ("programs fully covered", lambda f: f.fully_covered, _percent),
    ("templates, of all formats", lambda f: sum(s.templates for s in f.samples.values()), _count),
    ("tokens of all samples", lambda f: sum(s.tokens for s in f.samples.values()), _count),
)


def draw_plots(figures: Mapping[str, Figures], folder: Path) -> list[str]:
    """Draw the plots into a local folder; return the names of their files."""
    drawn = {"programs.png": _panels(figures)}
    if any(found.seconds for found in figures.values()):
        drawn["seconds.png"] = _seconds(figures)
    for name, figure in drawn.items():
        figure.savefig(folder / name, metadata={"Software": None})
    return list(drawn)


def _panels(figures: Mapping[str, Figures]) -> Figure:
    names = list(figures)
    height = 0.9 + 3 * (0.5 + 0.3 * len(names))
    figure, grid = new_figure(height, "What came of each variant", 3, 2)
    for axes, (title, of, write) in zip(grid, _PROGRAMS, strict=True):
        values = [of(found) for found in figures.values()]
        bars(axes, names, values, [write(value) for value in values])
        axes.set_xlim(0, max(*values, 1e-9) * 1.35)
        axes.set_title(title, loc="left", fontsize=10, color=INK)
    return figure


def _seconds(figures: Mapping[str, Figures]) -> Figure:
    names = list(figures)
    figure, (axes,) = new_figure(
        1.5 + 0.36 * len(names), "Seconds of each step, all tasks together"
    )
    places = range(len(names))
    ends = [0.0] * len(names)
    steps = dict.fromkeys([*_STEPS, *(step for f in figures.values() for step in f.seconds)])
    for step in steps:
        values = [found.seconds.get(step, 0.0) for found in figures.values()]
        colour = _STEPS.get(step, _ORANGE)
        axes.barh(places, values, left=ends, color=colour, height=0.68, label=step)
        ends = [end + value for end, value in zip(ends, values, strict=True)]
    for place, end in enumerate(ends):
        axes.annotate(
            f"{end:,.0f} s" if end else "not known",
            (end, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
            color=INK,
        )
    axes.set_yticks(places, names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, max(*ends, 1e-9) * 1.12)
    axes.xaxis.set_visible(False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(left=False)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=4, frameon=False, fontsize=9)
    return figure
