"""Development bins and shares of inputs and scores: what population stability is measured against."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

DECILES = np.arange(1, 10) / 10


class Bins(BaseModel):
    """Inner ``edges`` (a value equal to an edge is below it) and ``shares``.

    Of numbers, ``shares[0]`` is missing and the others run from the lowest bin up; of codes, there are no
    edges and ``shares[k]`` is that of code k.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    edges: tuple[float, ...] = ()
    shares: tuple[float, ...]


class DevelopmentBins(BaseModel):
    """Bins on development rows, of what a model reads and of each model's raw PD.

    Inputs are the columns of numbers and categories (``x_``, ``c_``), the number of known words of each text
    (``t_<name>``), and all steps of each sequence together (``s_<name>``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: dict[str, Bins]
    scores: dict[str, Bins]


def number_shares(
    values: npt.ArrayLike, edges: Sequence[float], weight: npt.ArrayLike | None = None
) -> list[float]:
    """Return the shares of missing, then of each bin, among ``values``.

    Args:
        values: NaN for missing.
        edges: inner edges of the bins.
        weight: of each value, 1/share where rows were thinned; None: all alike.

    >>> number_shares([1.0, 2.0, 3.0, float("nan")], [2.0])
    [0.25, 0.5, 0.25]
    """
    array = np.asarray(values, np.float64)
    inner = np.asarray(edges, np.float64)
    position = np.where(np.isnan(array), 0, 1 + np.searchsorted(inner, array, side="left"))
    return _shares(position.astype(np.int64), len(edges) + 2, weight)


def number_bins(values: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Bins:
    """Return the bins between the distinct deciles of the values present; see ``number_shares``."""
    array = np.asarray(values, np.float64)
    present = ~np.isnan(array)
    of_each = np.ones(array.shape) if weight is None else np.asarray(weight, np.float64)
    edges = np.unique(_deciles(array[present], of_each[present])) if present.any() else np.empty(0)
    shares = number_shares(array, list(edges), of_each)
    return Bins(edges=tuple(float(edge) for edge in edges), shares=tuple(shares))


def code_bins(codes: npt.ArrayLike, vocabulary_size: int, weight: npt.ArrayLike | None = None) -> Bins:
    """Return the share of every code from 0 (unknown) to ``vocabulary_size``; see ``number_shares``."""
    return Bins(shares=tuple(_shares(np.asarray(codes, np.int64), vocabulary_size + 1, weight)))


def _shares(position: npt.NDArray[np.int64], bins: int, weight: npt.ArrayLike | None) -> list[float]:
    of_each = None if weight is None else np.asarray(weight, np.float64)
    counts = np.bincount(position, weights=of_each, minlength=bins)
    total = float(counts.sum())
    return [float(count) / total if total > 0 else 0.0 for count in counts]


def _deciles(values: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the least values that at least so many tenths of the weight are at or below."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weight[order])
    place = np.searchsorted(below, DECILES * below[-1] * (1 - 1e-12), side="left")
    return np.asarray(values[order][np.minimum(place, len(values) - 1)])
