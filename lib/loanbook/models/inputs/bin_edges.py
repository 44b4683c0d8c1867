"""Where the values of an input are parted into bins of about as many training rows each."""

import numpy as np

from loanbook.models.inputs.clip_points import Floats


def bin_edges(values: Floats, bins: int) -> tuple[float, ...]:
    """Return the ascending edges of at most ``bins`` bins; the first and the last are the extremes.

    A value that fills a bin by itself is an edge, and the quantiles of all others share the rest, so that a
    count that is 0 in most rows keeps its few high numbers apart. Few distinct values are the edges.

    Args:
        values: in ascending order; of none there are no edges.
        bins: at most.

    >>> bin_edges(np.array([0.0, 0, 0, 0, 0, 0, 1, 2, 3, 4]), 3)
    (0.0, 2.0, 4.0)
    >>> bin_edges(np.array([0.0, 0, 0, 7]), 3)
    (0.0, 7.0)
    """
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) <= bins + 1:
        return tuple(map(float, distinct))
    heavy = counts * bins >= len(values)
    light = values[~np.isin(values, distinct[heavy])]
    shares = np.linspace(0, 1, bins - int(heavy.sum()) + 1)[1:-1]
    inner = np.quantile(light, shares, method="inverted_cdf")
    edges = np.unique(np.concatenate([distinct[heavy], inner, distinct[[0, -1]]]))
    return tuple(map(float, edges))
