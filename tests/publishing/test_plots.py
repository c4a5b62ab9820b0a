from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from c2c_tasks.publishing.manifest import FunnelStage
from c2c_tasks.publishing.plots import draw_plots
from c2c_tasks.publishing.statistics import Statistics

FUNNEL = [
    FunnelStage(name="parsed", unit="files", rows_in=900, rows_out=890, dropped={"syntax": 10}),
    FunnelStage(name="functions", unit="functions", rows_in=0, rows_out=0, dropped={}),
]


def statistics() -> Statistics:
    return Statistics(
        cases_per_program=Counter({5: 3, 20: 40}),
        coverage=Counter({100: 30, 99: 2, 40: 11}),
        sample_characters={"sft": Counter({200: 4, 9_000: 1}), "pretrain": Counter({300: 3})},
    )


def test_equal_plots_are_equal_bytes(tmp_path: Path) -> None:
    first = draw_plots(tmp_path / "a", FUNNEL, statistics())
    assert draw_plots(tmp_path / "b", FUNNEL, statistics()) == first
    assert first == [
        f"report/{name}.png" for name in ("funnel", "cases_per_program", "coverage", "lengths")
    ]
    for path in first:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


@pytest.mark.filterwarnings("error")
def test_nothing_to_show_is_no_error(tmp_path: Path) -> None:
    assert len(draw_plots(tmp_path, [], Statistics())) == 4
