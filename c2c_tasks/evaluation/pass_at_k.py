"""pass@k: the chance that one of k answers to a problem is right, with its interval."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True, slots=True)
class Estimate:
    """pass@k over problems, each counting the same."""

    value: float
    """Mean of the problems' pass@k, 0 to 1."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""
    k: int
    problems: int
    """Problems that count."""
    left_out: int = 0
    """Problems that have fewer than `k` samples: nothing is known of their pass@k."""


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """Return the chance that of `k` samples, drawn without replacement, at least one has passed.

    It is the estimator of pass@k that has no bias (Chen et al. 2021, arXiv 2107.03374, section
    2.1): ``1 - C(samples - passed, k) / C(samples, k)``, as a product, since the binomials
    overflow. Raises ValueError unless ``0 <= passed <= samples`` and ``1 <= k <= samples``.
    """
    if samples < 1:
        raise ValueError(f"samples is {samples}: pass@k needs at least 1")
    if not 0 <= passed <= samples:
        raise ValueError(f"passed is {passed}: it must be 0 to samples, {samples}")
    if not 1 <= k <= samples:
        raise ValueError(f"k is {k}: it must be 1 to samples, {samples}")
    # k and passed can change places: the chance that two subsets of so many have nothing in common.
    fewer, more = sorted((k, passed))
    return 1.0 - math.prod(
        max(samples - more - drawn, 0) / (samples - drawn) for drawn in range(fewer)
    )


def estimate(
    counts: Sequence[tuple[int, int]],
    k: int,
    *,
    resamples: int = 2_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Return pass@k over problems, given (samples, passed) of each, with a bootstrap interval.

    Problems with fewer than `k` samples are left out, and counted in `left_out`. The interval is
    the percentile interval (Efron and Tibshirani 1993, chapter 13) of `resamples` draws of as
    many problems with replacement: it tells how far the value depends on which problems were
    asked, not on which answers were drawn. Where all problems score the same, every draw does too,
    and tells nothing: the interval is Wilson's score interval (Wilson 1927) then, as if each
    problem were right or wrong, which of all scores between 0 and 1 vary most. One problem tells
    nothing of others, and its interval is 0 to 1.

    Raises ValueError where no problem has `k` samples, and as `pass_at_k`.
    """
    if resamples < 1:
        raise ValueError(f"resamples is {resamples}: it must be at least 1")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}: it must be between 0 and 1")
    values = []
    for samples, passed in counts:
        if samples >= k:
            values.append(pass_at_k(samples, passed, k))
        elif not 0 <= passed <= samples:
            raise ValueError(f"passed is {passed}: it must be 0 to samples, {samples}")
    if not values:
        raise ValueError(f"pass@{k}: none of {len(counts)} problems has {k} samples")
    value = math.fsum(values) / len(values)
    if len(values) == 1:
        low, high = 0.0, 1.0
    elif min(values) == max(values):
        low, high = _wilson_interval(value, len(values), confidence)
    else:
        low, high = _percentile_interval(values, resamples, confidence, seed)
    return Estimate(value, low, high, k, len(values), len(counts) - len(values))


def _percentile_interval(
    values: Sequence[float], resamples: int, confidence: float, seed: int
) -> tuple[float, float]:
    import numpy as np

    # How often each distinct value is drawn is multinomial. Of answers to problems there are few
    # distinct ones, so that the table is small where one of all draws would fill the memory.
    found = sorted(Counter(values).items())
    distinct = np.array([value for value, _ in found])
    shares = np.array([count for _, count in found]) / len(values)
    drawn = np.random.default_rng(seed).multinomial(len(values), shares, size=resamples)
    means = np.clip(drawn @ distinct / len(values), 0.0, 1.0)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)


def _wilson_interval(value: float, problems: int, confidence: float) -> tuple[float, float]:
    """Return Wilson's score interval of a share; it holds the share, and none is without width."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = value + z * z / (2 * problems)
    half = z * math.sqrt(value * (1 - value) / problems + (z / (2 * problems)) ** 2)
    scale = 1 + z * z / problems
    # At 0 and 1 an end is the share itself, and rounding may miss it.
    low, high = max((middle - half) / scale, 0.0), min((middle + half) / scale, 1.0)
    return min(low, value), max(high, value)
