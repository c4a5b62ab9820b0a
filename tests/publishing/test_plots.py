from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from c2c_tasks.publishing.counts import ProgramCounts
from c2c_tasks.publishing.figures import label_of
from c2c_tasks.publishing.histograms import Histogram
from c2c_tasks.publishing.manifest import FunnelStage
from c2c_tasks.publishing.plots import PLOTS, draw_plots
from c2c_tasks.publishing.statistics import Lengths, Statistics

pytestmark = pytest.mark.filterwarnings("error")

FUNNEL = [
    FunnelStage(name="parsed", unit="files", rows_in=900, rows_out=890, dropped={"syntax": 10}),
    FunnelStage(name="functions", unit="functions", rows_in=0, rows_out=0, dropped={}),
]


def statistics() -> Statistics:
    lengths = Histogram.of(np.array([200, 9_000, 0]))
    return Statistics(
        programs=ProgramCounts(
            cases_per_program=Counter({5: 3, 20: 40}),
            coverage=Counter({100: 30, 99: 2, 40: 11}),
            difficulty=Counter({0: 1, 33: 2, 100: 1}),
            output_types=Counter({"int": 7, "str": 2}),
            exception_types=Counter({"ValueError": 1}),
        ),
        licences=Counter({"MIT": 3}),
        repositories=Counter({f"$o_{number}^$/\n名\0{'x' * 90}": 1 for number in range(40)}),
        lengths={"sft": Lengths(lengths, lengths.scaled(rows=9, total=90), counted=3)},
    )


def test_equal_plots_are_equal_bytes(tmp_path: Path) -> None:
    first = draw_plots(tmp_path / "a", FUNNEL, statistics())
    assert draw_plots(tmp_path / "b", FUNNEL, statistics()) == first
    assert first == [f"report/{name}.png" for name in PLOTS]
    for path in first:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


def test_pages_may_be_dark(tmp_path: Path) -> None:
    from matplotlib.image import imread

    for path in draw_plots(tmp_path, FUNNEL, statistics()):
        image = imread(tmp_path / path)
        assert image.shape[1] == 1360  # one width for all
        assert (image[0, 0] == 1).all()  # white
        assert (image[..., 3] == 1).all()  # opaque


def test_what_there_is_nothing_of_is_not_drawn(tmp_path: Path) -> None:
    assert draw_plots(tmp_path, [], Statistics()) == []
    without_lines = Statistics(programs=ProgramCounts(coverage=Counter({0: 9})))
    assert draw_plots(tmp_path, [], without_lines) == []


@pytest.mark.parametrize("returned", [Counter(), Counter({"int": 10**6})])
@pytest.mark.parametrize("raised", [Counter(), Counter({f"E{n}": 1 for n in range(50)})])
def test_cases_of_one_outcome(tmp_path: Path, returned: Counter[str], raised: Counter[str]) -> None:
    programs = ProgramCounts(output_types=returned, exception_types=raised)
    drawn = draw_plots(tmp_path, [], Statistics(programs=programs))
    assert drawn == (["report/outcomes.png"] if returned or raised else [])


def test_names_of_strangers_are_labels_that_fit() -> None:
    assert label_of("owner/name_$1") == "owner/name_$1"
    assert label_of("a\nb名") == "a□b□"
    assert len(label_of("x" * 500)) == 44
