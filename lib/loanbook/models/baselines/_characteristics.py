"""The inputs of a scorecard in bins: their edges by optbinning, weights of evidence, information values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from loanbook.models.calibration import logit
from loanbook.models.inputs.rows import Rows
from loanbook.models.steps import bins_of
from loanbook.models.trees import Matrix, TreeColumns

Floats = npt.NDArray[np.float64]
Trend = Literal["free", "auto", "monotonic", "ascending", "descending"]

KNOWN, MISSING, UNKNOWN = "known", "missing", "missing or unknown"
MOST_PREBINS = 20
SEED = 0  # of the choice between equally good splits


@dataclass(frozen=True)
class Binning:
    """How inputs are binned.

    Args:
        bins: most bins of an input, that of missing values not counted.
        smallest: least share of the rows in a bin.
        rows: most rows that edges are found on.
        prior_rows: rows of the mean rate that the rate of a bin leans on.
    """

    bins: int
    smallest: float
    rows: int
    prior_rows: float


@dataclass(frozen=True)
class Characteristic:
    """An input in bins.

    Args:
        name: of the input.
        column: its place among the columns of trees.
        edges: of its bins.
        labels: of the bins in words, that of missing values last.
        woe: their weights of evidence: above 0 where fewer default than on average.
        shares: of the rows in each.
        information_value: of the input.
    """

    name: str
    column: int
    edges: tuple[float, ...]
    labels: tuple[str, ...]
    woe: Floats
    shares: Floats
    information_value: float

    def woe_of(self, design: Matrix) -> Floats:
        """Return the weight of evidence of each row."""
        return self.woe[bins_of(design[:, self.column], self.edges)]


def characteristic(
    columns: TreeColumns, column: int, values: Matrix, rows: Rows, trend: Trend, settings: Binning
) -> Characteristic:
    """Return a column in bins, its edges by optimal binning and its weights of evidence of all rows.

    With the rate p of all rows and p_i of the rows of a bin, which leans on p, the weight of evidence is
    logit(p) - logit(p_i); without the leaning, that is log(share of the goods / share of the bads) (Siddiqi
    2006, *Credit Risk Scorecards*, ch. 6). The information value is the sum of (share of the goods - share
    of the bads) * woe.
    """
    edges = _edges(values, rows, trend, settings)
    bins, size = bins_of(values, edges), len(edges) + 2
    weights = np.bincount(bins, rows.weight, size)
    bads = np.bincount(bins, rows.weight * rows.label, size)
    rate = bads.sum() / weights.sum()
    woe = logit(rate) - logit((bads + settings.prior_rows * rate) / (weights + settings.prior_rows))
    goods = weights - bads
    apart = goods / goods.sum() - bads / bads.sum()
    return Characteristic(
        name=input_name(columns, column),
        column=column,
        edges=edges,
        labels=tuple(_labels(columns, column, edges)),
        woe=woe,
        shares=weights / weights.sum(),
        information_value=float(apart @ woe),
    )


def input_name(columns: TreeColumns, column: int) -> str:
    """Return the name of a column without the letter of its kind, such as ``upb_last_12m_3``."""
    return columns.names[column].split("_", 1)[1]


def _edges(values: Matrix, rows: Rows, trend: Trend, settings: Binning) -> tuple[float, ...]:
    """Return the edges that maximise the information value (Navas-Palencia 2020, arXiv:2001.08025).

    None where the rows with a value are all alike, or have one class only. The solver has one thread, so
    that equally good edges are always the same.
    """
    from optbinning import OptimalBinning

    some = slice(None, None, -(-len(rows) // settings.rows))
    known = ~np.isnan(values[some])
    x, y = values[some][known].astype(np.float64), (rows.label[some][known] > 0).astype(np.int64)
    if not x.size or x.min() == x.max() or y.min() == y.max():
        return ()
    found = OptimalBinning(
        solver="mip",
        max_n_prebins=max(MOST_PREBINS, settings.bins),
        min_prebin_size=settings.smallest,
        max_n_bins=settings.bins,
        min_bin_size=settings.smallest,
        monotonic_trend={"free": None, "monotonic": "auto_asc_desc"}.get(trend, trend),
        random_state=SEED,
    ).fit(x, y, rows.weight[some][known].astype(np.float64))
    return tuple(sorted({_float32_from(edge) for edge in found.splits}))


def _float32_from(edge: float) -> float:
    """Return the least float32 that is not below an edge: of float32 values the same are below it.

    >>> _float32_from(0.1) >= 0.1 > float(np.nextafter(np.float32(_float32_from(0.1)), np.float32(0)))
    True
    """
    near = np.float32(edge)
    return float(np.nextafter(near, np.float32(np.inf)) if near < edge else near)


def _labels(columns: TreeColumns, column: int, edges: Sequence[float]) -> Iterator[str]:
    """Yield each bin in words: an interval of numbers, or the categories; then the missing values'."""
    after = len(columns.spec.numeric_columns)
    if column < after:
        words = [str(np.float32(edge)) for edge in edges]
        yield f"below {words[0]}" if words else KNOWN
        yield from (f"[{low}, {high})" for low, high in pairwise(words))
        if words:
            yield f"from {words[-1]}"
        yield MISSING
        return
    place, ranks = columns.ranks[column - after]
    words = _categories(columns, place, len(ranks))
    bins = bins_of(ranks, edges)
    for item in range(len(edges) + 1):
        yield ", ".join(words[code] for code in np.flatnonzero(bins == item))
    yield UNKNOWN


def _categories(columns: TreeColumns, place: int, size: int) -> list[str]:
    """Return what each code of a column stands for; of a history, the number of the code."""
    name = columns.spec.code_columns[place]
    vocabularies = {item.column: item.vocabulary for item in columns.spec.categorical}
    return [UNKNOWN, *vocabularies.get(name, tuple(str(code) for code in range(1, size)))]
