"""The bootstrap sample that a network is fitted on: borrowers drawn with replacement, with all their rows.

Breiman (1996), *Bagging predictors*. Of n borrowers drawn n times, each is drawn Binomial(n, 1/n) times, as
good as Poisson(1) times, which needs no n (Oza and Russell 2001, *Online bagging and boosting*). How often
follows from a hash, and so neither from the order of the rows nor from what else a process reads.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

MOST = 16  # times; so often, or more, fewer than one of 10^13 borrowers would be drawn


def times_drawn(borrowers: npt.NDArray[Any], seed: int) -> npt.NDArray[np.float32]:
    """Return how often each row is drawn: as often as its borrower is.

    Args:
        borrowers: of each row, a text.
        seed: of the network: another one draws others.

    >>> times_drawn(np.array(["a", "b", "a", "c", "d"], object), seed=17).tolist()
    [0.0, 1.0, 0.0, 2.0, 1.0]
    """
    hashed = pd.util.hash_array(borrowers, hash_key=f"{seed:016d}"[-16:])
    uniform = (hashed >> np.uint64(11)) * 2.0**-53  # as many bits as a float64 has
    at_most = math.exp(-1) * np.cumsum([1 / math.factorial(times) for times in range(MOST)])
    return np.searchsorted(at_most, uniform, side="right").astype(np.float32)


def borrowers_in(file: Path) -> npt.NDArray[Any]:
    """Return the borrower of each row of a training file, in the file's order."""
    found = pq.read_table(file, columns=["borrower"], partitioning=None)["borrower"]
    return np.asarray(found.to_numpy(zero_copy_only=False), object)
