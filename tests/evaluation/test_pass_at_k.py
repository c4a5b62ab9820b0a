"""pass@k and its interval, against the enumeration of all that can be drawn."""

from __future__ import annotations

import math
import time
from fractions import Fraction
from itertools import combinations, product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from c2c_tasks.evaluation.pass_at_k import Estimate, estimate, pass_at_k


@st.composite
def draws(draw: st.DrawFn, most: int = 10) -> tuple[int, int, int]:
    samples = draw(st.integers(1, most))
    return samples, draw(st.integers(0, samples)), draw(st.integers(1, samples))


@given(draws())
def test_it_is_the_share_of_all_subsets_that_hold_one_that_passed(
    numbers: tuple[int, int, int],
) -> None:
    samples, passed, k = numbers
    subsets = list(combinations([True] * passed + [False] * (samples - passed), k))
    share = Fraction(sum(map(any, subsets)), len(subsets))
    assert pass_at_k(samples, passed, k) == pytest.approx(float(share), abs=1e-12)


@given(draws(5_000))
def test_it_is_what_the_binomials_say_where_they_overflow_floats(
    numbers: tuple[int, int, int],
) -> None:
    samples, passed, k = numbers
    share = 1 - Fraction(math.comb(samples - passed, k), math.comb(samples, k))
    assert pass_at_k(samples, passed, k) == pytest.approx(float(share), rel=1e-9, abs=1e-12)


@given(draws(300))
def test_it_grows_with_k_and_with_what_passed(numbers: tuple[int, int, int]) -> None:
    samples, passed, k = numbers
    found = pass_at_k(samples, passed, k)
    assert 0 <= found <= 1
    assert (found == 0) == (passed == 0)
    assert found == 1 or samples - passed >= k
    if passed < samples:
        assert pass_at_k(samples, passed + 1, k) >= found
    if k < samples:
        assert pass_at_k(samples, passed, k + 1) >= found


def test_pass_at_1_is_the_share_that_passed() -> None:
    assert pass_at_k(200, 37, 1) == pytest.approx(37 / 200)


def test_many_samples_take_no_time() -> None:
    started = time.process_time()
    assert pass_at_k(10**9, 10**8, 10) == pytest.approx(1 - 0.9**10, rel=1e-6)
    assert time.process_time() - started < 0.1


@pytest.mark.parametrize(
    ("samples", "passed", "k", "message"),
    [
        (0, 0, 1, "samples is 0"),
        (5, 6, 1, "passed is 6: it must be 0 to samples, 5"),
        (5, -1, 1, "passed is -1"),
        (5, 2, 0, "k is 0"),
        (5, 2, 6, "k is 6: it must be 1 to samples, 5"),
    ],
)
def test_the_error_names_the_number(samples: int, passed: int, k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pass_at_k(samples, passed, k)


@given(st.lists(draws(8), min_size=2, max_size=4), st.sampled_from((0.8, 0.9, 0.95)))
def test_the_interval_is_that_of_all_resamples(
    problems: list[tuple[int, int, int]], confidence: float
) -> None:
    counts = [(samples, passed) for samples, passed, _ in problems]
    found = estimate(counts, 1, resamples=4_000, confidence=confidence)
    values = [pass_at_k(samples, passed, 1) for samples, passed in counts]
    assume(len(set(values)) > 1)
    means = sorted(math.fsum(drawn) / len(drawn) for drawn in product(values, repeat=len(values)))
    tail = (1 - confidence) / 2
    for end, share in ((found.low, tail), (found.high, 1 - tail)):
        # 0.03 is more than six standard deviations of a share of 4,000 draws.
        below = [mean for mean in means if mean < end - 1e-9]
        not_above = [mean for mean in means if mean <= end + 1e-9]
        assert len(below) / len(means) <= share + 0.03
        assert len(not_above) / len(means) >= share - 0.03
    assert found.value == pytest.approx(math.fsum(values) / len(values))


def test_problems_with_too_few_samples_are_left_out_and_said() -> None:
    found = estimate([(10, 10), (3, 0), (10, 0), (4, 4)], 5)
    assert (found.value, found.problems, found.left_out) == (0.5, 2, 2)


def test_no_problem_with_enough_samples_is_an_error() -> None:
    with pytest.raises(ValueError, match="pass@10: none of 2 problems has 10 samples"):
        estimate([(3, 1), (9, 9)], 10)
    with pytest.raises(ValueError, match="pass@1: none of 0 problems"):
        estimate([], 1)


def test_counts_that_cannot_be_are_refused_even_where_they_would_be_left_out() -> None:
    with pytest.raises(ValueError, match="passed is 4"):
        estimate([(10, 5), (3, 4)], 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"resamples": 0}, "resamples is 0"), ({"confidence": 1.0}, "confidence is 1.0")],
)
def test_options_that_cannot_be_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimate([(1, 1)], 1, **options)  # type: ignore[arg-type]


def test_one_problem_tells_nothing_of_others() -> None:
    assert estimate([(10, 5)], 1) == Estimate(0.5, 0.0, 1.0, 1, 1)


@pytest.mark.parametrize(
    ("passed", "low", "high"),
    # Of 55 problems, at 95 %: Wilson's interval of 0, 55 and 22 of 55.
    [(0, 0.0, 0.0653), (10, 0.9347, 1.0), (4, 0.2812, 0.5319)],
)
def test_problems_that_all_score_the_same_do_not_look_certain(
    passed: int, low: float, high: float
) -> None:
    found = estimate([(10, passed)] * 55, 1)
    assert found.value == pytest.approx(passed / 10)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@given(st.integers(2, 2_000), st.integers(0, 10), st.sampled_from((0.8, 0.95, 0.99)))
def test_their_interval_holds_the_value_and_narrows_with_more_problems(
    problems: int, passed: int, confidence: float
) -> None:
    few = estimate([(10, passed)] * problems, 1, confidence=confidence)
    more = estimate([(10, passed)] * 2 * problems, 1, confidence=confidence)
    assert 0 <= few.low <= few.value <= few.high <= 1
    assert 0 < more.high - more.low < few.high - few.low


def test_the_seed_decides_and_nothing_else() -> None:
    counts = [(10, passed % 11) for passed in range(100)]
    assert estimate(counts, 3, seed=1) == estimate(counts, 3, seed=1)
    assert estimate(counts, 3, seed=1) != estimate(counts, 3, seed=2)
    # A problem's place in the list tells nothing.
    assert estimate(counts[::-1], 3, seed=1) == estimate(counts, 3, seed=1)


def test_the_width_is_that_of_the_normal_law_for_many_problems() -> None:
    counts = [(1, number % 2) for number in range(1_000)]
    found = estimate(counts, 1, resamples=20_000)
    half = 1.96 * math.sqrt(0.25 / 1_000)
    assert found.high - found.value == pytest.approx(half, rel=0.08)
    assert found.value - found.low == pytest.approx(half, rel=0.08)


def test_a_hundred_thousand_resamples_of_ten_thousand_problems_take_a_second() -> None:
    counts = [(10, number % 11) for number in range(10_000)]
    started = time.process_time()
    estimate(counts, 5, resamples=100_000)
    assert time.process_time() - started < 3
