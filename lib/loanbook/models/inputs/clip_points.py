"""Where the numbers of an input are cut off."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def clip_points(values: Floats, cut: float) -> tuple[float, float]:
    """Return the quantiles ``cut`` from each end; where they agree, the extremes.

    Args:
        values: in ascending order; of none both points are 0.
        cut: share of the values beyond each point.

    >>> clip_points(np.array([0.0, 1.0, 2.0, 90.0]), 0.25), clip_points(np.array([0.0, 0.0, 0.0, 5.0]), 0.25)
    ((0.0, 2.0), (0.0, 5.0))
    """
    if not values.size:
        return 0.0, 0.0
    low, high = map(float, np.quantile(values, (cut, 1 - cut), method="inverted_cdf"))
    return (low, high) if low < high else (float(values[0]), float(values[-1]))
