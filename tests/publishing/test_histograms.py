from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.publishing.histograms import Histogram, bin_start

LENGTHS = st.lists(st.integers(0, 10**7), min_size=1, max_size=50)


@given(LENGTHS, LENGTHS)
def test_parts_add_up_to_the_whole(first: list[int], second: list[int]) -> None:
    parts = [Histogram.of(np.array(lengths)) for lengths in (first, second)]
    assert Histogram.sum_of(parts) == Histogram.of(np.array(first + second))


@given(LENGTHS, st.sampled_from([0.05, 0.5, 0.95, 1.0]))
def test_a_quantile_is_right_to_within_a_bin(lengths: list[int], share: float) -> None:
    exact = float(np.quantile(np.maximum(lengths, 1), share, method="inverted_cdf"))
    assert exact / 1.13 < Histogram.of(np.array(lengths)).quantile(share) < exact * 1.13


@pytest.mark.parametrize("length", [1, 10, 1_000, 10**6])
def test_powers_of_ten_start_a_bin(length: int) -> None:
    (number,) = Histogram.of(np.array([length])).bins
    assert bin_start(number) == pytest.approx(length)


def test_scaled() -> None:
    scaled = Histogram.of(np.array([5, 5, 500])).scaled(rows=30, total=9_000)
    assert (scaled.rows, scaled.total, sum(scaled.bins.values())) == (30, 9_000, 30)
    assert scaled.quantile(0.5) == pytest.approx(5, rel=0.13)


def test_of_no_rows() -> None:
    empty = Histogram.of(np.array([], np.int64))
    assert empty == Histogram() == empty.scaled(rows=0, total=0)
    assert empty.quantile(0.5) == 0
