"""Intervals, and the variance of sums whose rows come about together in clusters."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NORMAL_95 = 1.959964


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 percent interval."""

    estimate: float
    low: float
    high: float


def quantile(chance: float) -> float:
    """Return what a standard normal exceeds, on either side, with a chance.

    >>> round(quantile(0.05), 6), round(quantile(0.01), 3)
    (1.959964, 2.576)
    """
    return NormalDist().inv_cdf(1 - chance / 2)


def wilson(rate: float, rows: float, reach: float = NORMAL_95) -> Interval:
    """Return a rate with its interval (Wilson 1927).

    Args:
        rate: observed.
        rows: independent ones that tell as much.
        reach: standard errors to either side.

    >>> found = wilson(0.0, 100)
    >>> found.low, round(found.high, 4)
    (0.0, 0.037)
    """
    z = reach**2 / rows
    centre, half = (rate + z / 2) / (1 + z), np.sqrt(z * rate * (1 - rate) + z**2 / 4) / (1 + z)
    return Interval(rate, max(0.0, float(centre - half)), min(1.0, float(centre + half)))


def cluster_variance(influence: Floats, codes: npt.NDArray[np.int64]) -> float:
    """Return the sum, over the clusters, of the square of what their rows add up to."""
    _, position = np.unique(codes, return_inverse=True)
    return float(np.sum(np.bincount(position, weights=influence) ** 2))
