"""Intervals, and the variance of sums whose rows come about together in clusters."""

from dataclasses import dataclass

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


def cluster_variance(influence: Floats, codes: npt.NDArray[np.int64]) -> float:
    """Return the sum, over the clusters, of the square of what their rows add up to."""
    _, position = np.unique(codes, return_inverse=True)
    return float(np.sum(np.bincount(position, weights=influence) ** 2))
