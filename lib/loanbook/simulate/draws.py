"""Random generators by purpose, so that one part's draws never move another's."""

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def generator(seed: int, purpose: str, *parts: int) -> np.random.Generator:
    """Return the generator of ``(seed, purpose, *parts)``."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), *parts])


def pick(rng: np.random.Generator, size: int, shares: Array) -> Array:
    """Return ``size`` indices drawn by ``shares``, one row of shares for all or one a draw (int8).

    Shares need not add to 1: they are divided by their sum.
    """
    bounds = np.cumsum(np.atleast_2d(np.asarray(shares, dtype=float)), axis=1)
    levels = rng.random(size) * bounds[:, -1]
    out: Array = (levels[:, None] >= bounds[:, :-1]).sum(axis=1).astype(np.int8)
    return out
