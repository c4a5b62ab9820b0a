"""Timing side by side: contestants take turns, and ratios are taken turn by turn."""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Timing:
    """The seconds of a contestant in each turn."""

    seconds: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def ratio(self, baseline: Timing) -> tuple[float, float, float]:
        """Return least, median and greatest of the ratios to a baseline, turn by turn."""
        ratios = [
            mine / theirs for mine, theirs in zip(self.seconds, baseline.seconds, strict=True)
        ]
        return min(ratios), statistics.median(ratios), max(ratios)


def take_turns(
    contestants: Mapping[str, Callable[[], object]],
    turns: int,
    clock: Callable[[], float] = time.perf_counter,
    before: Callable[[], object] = lambda: None,
) -> dict[str, Timing]:
    """Run the contestants in turn, once to warm up and then `turns` times.

    For what runs in one process, `time.process_time` is the clock that other load disturbs least.
    `before` is run before each and not timed.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(turns + 1):
        for name, run in contestants.items():
            before()
            gc.collect()
            started = clock()
            run()
            if turn:
                seconds[name].append(clock() - started)
    return {name: Timing(values) for name, values in seconds.items()}


def show(title: str, timings: Mapping[str, Timing], baseline: str, rows: int, unit: str) -> None:
    """Print a line for each contestant: seconds, rate, and ratio to the baseline."""
    table = Table(title=title, title_justify="left")
    for heading in ("", "median s", f"{unit}/s", f"ratio to {baseline}", "least to greatest"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, timing in timings.items():
        least, median, greatest = timing.ratio(timings[baseline])
        table.add_row(
            name,
            f"{timing.median:.3f}",
            f"{rows / timing.median:,.0f}",
            f"{median:.2f}",
            f"{least:.2f} to {greatest:.2f}",
        )
    Console().print(table)


def arguments(
    description: str | None,
    argv: Sequence[str] | None = None,
    *,
    numbers: Mapping[str, str] | None = None,
    **more: str,
) -> argparse.Namespace:
    """Return the options that every benchmark has, ``--quick`` and ``--check``, and `more`.

    `numbers` are options with a whole number, `more` are those without a value, by name, each
    with its help.
    """
    parser = argparse.ArgumentParser(description=description)
    for name, text in (numbers or {}).items():
        parser.add_argument(f"--{name}", type=int, help=text)
    for name, text in more.items():
        parser.add_argument(f"--{name}", action="store_true", help=text)
    parser.add_argument("--quick", action="store_true", help="less data, under a minute")
    parser.add_argument("--check", action="store_true", help="exit with 1 where the bar is missed")
    return parser.parse_args(argv)


def verdict(figure: float, bar: float, check: bool) -> int:
    """Print the decisive figure last; return the exit status."""
    held = figure <= bar
    print(f"{figure:.3f} {'holds' if held else 'misses'} the bar of {bar}")
    return 1 if check and not held else 0
