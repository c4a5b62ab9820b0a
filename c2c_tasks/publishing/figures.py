"""The look of all plots of a card: one width, one typeface, colours that the colour-blind tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from c2c_tasks.records import SampleFormat

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours of Okabe and Ito. The background is opaque: pages are light or dark.
BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"
PALE, GREY = "#DDE3E8", "#9AA5AE"
INK, FAINT = "#24292F", "#6E7781"
FORMAT_COLOURS: dict[SampleFormat, str] = {"sft": BLUE, "instruct": VERMILION, "pretrain": GREEN}

WIDTH = 8.0
"""Inches. With `DPI`, twice as many pixels as a page shows: sharp on any screen."""
DPI = 170
LABEL_CHARACTERS = 44
_DRAWN = 0x0530
"""Characters below this the typeface has."""


def new_figure(
    height: float, title: str, rows: int = 1, columns: int = 1, **subplots: Any
) -> tuple[Figure, list[Axes]]:
    """Return a figure and its axes. It is not registered with pyplot, and so needs no closing."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold", color=INK)
    grid = figure.subplots(rows, columns, squeeze=False, **subplots)
    found: list[Axes] = list(grid.flat)
    for axes in found:
        axes.set_facecolor("white")
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(FAINT)
        axes.tick_params(colors=INK, labelsize=10)
    return figure, found


def bars(
    axes: Axes,
    names: Sequence[str],
    values: Sequence[float],
    labels: Sequence[str],
    *,
    rest: bool = False,
) -> None:
    """Draw horizontal bars with a label at the end of each, the first on top.

    `rest` says that the last one stands for all others.
    """
    places = range(len(names))
    colours = [BLUE] * (len(names) - rest) + [GREY] * rest
    axes.barh(places, values, color=colours, height=0.68)
    for place, value, label in zip(places, values, labels, strict=True):
        write(axes, label, value, place)
    axes.set_yticks(places, [label_of(name) for name in names], parse_math=False)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, max(values, default=1) * 1.22)  # room for the labels
    axes.xaxis.set_visible(False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(left=False)


def write(axes: Axes, text: str, x: float, y: float) -> None:
    """Write a text right of a point."""
    axes.annotate(
        text,
        (x, y),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=10,
        color=INK,
    )


def label_of(name: str) -> str:
    """Return a stranger's name as a label: no longer than fits, and in characters that show."""
    shown = "".join(c if c.isprintable() and ord(c) < _DRAWN else "□" for c in name)
    half = LABEL_CHARACTERS // 2
    return shown if len(shown) <= LABEL_CHARACTERS else f"{shown[:half]}…{shown[1 - half :]}"
