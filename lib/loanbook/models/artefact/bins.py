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


def number_shares(values: npt.ArrayLike, edges: Sequence[float]) -> list[float]:
    """Return the shares of missing, then of each bin, among ``values``.

    >>> number_shares([1.0, 2.0, 3.0, float("nan")], [2.0])
    [0.25, 0.5, 0.25]
    """
    array = np.asarray(values, np.float64)
    position = np.where(
        np.isnan(array), 0, 1 + np.searchsorted(np.asarray(edges, np.float64), array, side="left")
    )
    counts = np.bincount(position.astype(np.int64), minlength=len(edges) + 2)
    return [float(count) / max(1, array.size) for count in counts]


def number_bins(values: npt.ArrayLike) -> Bins:
    """Return the bins between the distinct deciles of the values present."""
    array = np.asarray(values, np.float64)
    present = array[~np.isnan(array)]
    edges = np.unique(np.quantile(present, DECILES)) if present.size else np.empty(0)
    return Bins(edges=tuple(float(edge) for edge in edges), shares=tuple(number_shares(array, list(edges))))


def code_bins(codes: npt.ArrayLike, vocabulary_size: int) -> Bins:
    """Return the share of every code from 0 (unknown) to ``vocabulary_size``."""
    array = np.asarray(codes, np.int64)
    counts = np.bincount(array, minlength=vocabulary_size + 1)
    return Bins(shares=tuple(float(count) / max(1, array.size) for count in counts))
