"""Means with intervals that hold where rows of one loan, or of one month, come about together."""

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


def clustered_mean(values: Floats, weight: Floats, *clusters: npt.NDArray[np.int64]) -> Interval:
    """Return the weighted mean of ``values`` with an interval robust to dependence within clusters.

    One cluster variable gives the linearised variance of a ratio; two give V1 + V2 - V12 (Cameron, Gelbach,
    Miller 2011), not below the larger of V1 and V2. Few clusters make the interval too narrow.

    Args:
        values: one for each row.
        weight: of each row.
        clusters: one or two arrays of cluster codes from 0.
    """
    mean = float(np.average(values, weights=weight))
    influence = weight * (values - mean) / np.sum(weight)
    half = NORMAL_95 * float(np.sqrt(clustered_variance(influence, *clusters)))
    return Interval(mean, mean - half, mean + half)


def clustered_variance(influence: Floats, *clusters: npt.NDArray[np.int64]) -> float:
    """Return the variance of the rows' sum, robust to dependence within clusters; see ``clustered_mean``.

    Args:
        influence: what each row adds, of mean 0.
        clusters: one or two arrays of cluster codes from 0.
    """
    variances = [cluster_variance(influence, codes) for codes in clusters]
    if len(clusters) == 2:
        first, second = clusters
        both = cluster_variance(influence, first * (int(np.max(second)) + 1) + second)
        variances.append(sum(variances) - both)
    return float(max(variances))


def cluster_variance(influence: Floats, codes: npt.NDArray[np.int64]) -> float:
    """Return the sum, over the clusters, of the square of what their rows add up to."""
    _, position = np.unique(codes, return_inverse=True)
    return float(np.sum(np.bincount(position, weights=influence) ** 2))
