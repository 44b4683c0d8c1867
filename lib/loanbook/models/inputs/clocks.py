"""Whole numbers that grow as a loan ages: which inputs they are, and how far training rows support them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

LOAN, MONTH = "_loan", "_month"  # columns of a sample beside its inputs
PACE = 0.25  # gained a month by the middle loan: a count of quarterly reports gains a third


class Clock(NamedTuple):
    """Where a clock is cut off, and the greatest number of it that training rows support."""

    high: float
    most: float


def fit_clocks(sample: pd.DataFrame, names: Sequence[str], cut: float) -> dict[str, Clock]:
    """Return the clocks among some inputs.

    A clock gains at least a quarter a month in the middle loan. That is told from the rows, as an attribute
    of a tape can be one. A rare count, such as months 90 days late, gains nothing in the middle loan: its few
    high numbers say most, and stay.

    Each is cut off at its own quantile. Were it supported only up to there, a handful of clocks, which do not
    run together, would leave out as many times ``cut`` of the training rows. So they are supported up to the
    greatest numbers of the rows that are left when the share ``cut`` of them goes, those furthest in the tail
    of any clock (the distribution of the largest rank, as in Westfall and Young 1993, *Resampling-Based
    Multiple Testing*, chapter 2). A clock that is at its greatest number in more rows than that, as months
    reported of the last 12, has no thin tail and leaves out none.

    Rows are counted, not defaults: of a few dozen defaulting loans the greatest age is chance, and would be
    another in each split.

    Args:
        sample: training rows: the inputs, ``_loan`` and ``_month``, counted from any month.
        names: of the inputs that are whole numbers.
        cut: share of the rows cut off at the upper end; 0: there are no clocks.
    """
    rows = sample.sort_values([LOAN, MONTH])
    clocks = [name for name in names if _pace(rows, name) >= PACE] if cut else []
    highs = {name: _quantile(sample[name], 1 - cut) for name in clocks}
    thin = [name for name in clocks if highs[name] < sample[name].max()]
    inside = sample[_furthest(sample[thin]) <= 1 - cut] if thin else sample
    return {name: Clock(highs[name], max(highs[name], float(inside[name].max()))) for name in clocks}


def _quantile(column: "pd.Series[float]", share: float) -> float:
    return float(np.quantile(column.dropna(), share, method="inverted_cdf"))


def _pace(rows: pd.DataFrame, name: str) -> float:
    """Return what the middle loan gains a month between its first and its last known number; 0 of none.

    >>> rows = pd.DataFrame({"_loan": [1, 1, 1, 2], "_month": [0, 5, 8, 3], "age": [2.0, 7.0, None, 1.0]})
    >>> _pace(rows, "age")
    1.0
    """
    loans = rows.loc[rows[name].notna(), [LOAN, MONTH, name]].groupby(LOAN, sort=False)
    gained = loans.last() - loans.first()
    several = gained[gained[MONTH] > 0]
    return float((several[name] / several[MONTH]).median()) if len(several) else 0.0


def _furthest(clocks: pd.DataFrame) -> "pd.Series[float]":
    """Return each row's place, from 0 to 1, among all rows by its highest rank of any clock.

    Rows that tie share the lowest of their places, so that no more rows than asked for stand above one.

    >>> _furthest(pd.DataFrame({"age": [1.0, 2.0, 3.0, 4.0], "run": [9.0, 1.0, None, 2.0]})).tolist()
    [0.75, 0.25, 0.5, 0.75]
    """
    ranks = clocks.rank(pct=True, method="max").max(axis=1).fillna(0.0)
    return ranks.rank(pct=True, method="min")
