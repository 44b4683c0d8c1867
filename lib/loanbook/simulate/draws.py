"""Random generators by purpose, so that one part's draws never move another's."""

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def generator(seed: int, purpose: str, *parts: int) -> np.random.Generator:
    """Return the generator of ``(seed, purpose, *parts)``: the same arguments, the same draws.

    >>> first, again, other = (generator(7, *key).random() for key in (("book",), ("book",), ("months", 1)))
    >>> first == again, first == other
    (True, False)
    """
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), *parts])


def pick(rng: np.random.Generator, size: int, shares: Array) -> Array:
    """Return ``size`` indices drawn by ``shares``, as int8.

    Args:
        rng: draws one number an index.
        size: n.
        shares: shape (k,), or (n, k) with the shares of each draw; they are divided by their sum.

    >>> pick(generator(7, "example"), 3, np.array([[0, 5, 0], [1, 0, 0], [0, 0, 2]])).tolist()
    [1, 0, 2]
    """
    bounds = np.cumsum(np.atleast_2d(np.asarray(shares, dtype=float)), axis=1)
    levels = rng.random(size) * bounds[:, -1]
    out: Array = (levels[:, None] >= bounds[:, :-1]).sum(axis=1).astype(np.int8)
    return out
