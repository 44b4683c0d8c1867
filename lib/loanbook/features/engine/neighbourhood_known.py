"""What had been counted around a loan by each month: loans at risk, defaults and prepayments of its cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from loanbook.features.engine.values import Numbers
from loanbook.tables.neighbourhood import COUNTS, KINDS

WINDOW = 12  # months before a month that its rates are made from
CELL = ["kind", "cell", "month"]
BEFORE = -1  # stands for the month from which a count is known that is there already


def no_counts() -> pd.DataFrame:
    """Return a frame of counts without rows."""
    types = {"kind": "str", "cell": "str", **dict.fromkeys(("month", "known", *COUNTS), "int64")}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})


@dataclass(frozen=True)
class Neighbourhood:
    """Counts of the ``WINDOW`` months before each month, in the revision known at its end.

    Args:
        cells: names of the cells of each kind.
        first_month: number of the first month.
        sums: of each kind, shape (cells + 1, months, counts); the last cell is one that nothing is known of.
        weight: reports of the whole source that a cell's own are mixed with.
    """

    cells: dict[str, tuple[str, ...]]
    first_month: int
    sums: dict[str, Numbers]
    weight: float

    def at(self, kind: str, cell: Numbers, month: int) -> Numbers:
        """Return the counts of the months before a month, shape (n, counts) in the order of ``COUNTS``.

        Args:
            kind: nation, region, zip3 or vintage.
            cell: positions in ``cells[kind]``, shape (n,); one past the last is a cell never counted.
            month: its number.
        """
        found: Numbers = self.sums[kind][cell, month - self.first_month]
        return found


def neighbourhood_known(counts: pd.DataFrame, first: int, last: int, weight: float) -> Neighbourhood:
    """Return what was known of each cell in the months from ``first`` to ``last``.

    A month's counts are those of the ``WINDOW`` months before it, each in its latest revision known by the
    month's end.

    Args:
        counts: rows of the table: kind, cell, month and known (numbers of months), and the counts.
        first: number of the first month.
        last: of the last one.
        weight: see ``Neighbourhood``.

    >>> row = {"kind": "region", "cell": "CA", "month": 100, "at_risk": 50, "prepaid": 0}
    >>> counts = pd.DataFrame([{**row, "known": 100, "defaults": 1}, {**row, "known": 102, "defaults": 2}])
    >>> around = neighbourhood_known(counts, 100, 113, weight=0)
    >>> [around.at("region", np.array([0]), month)[0].tolist() for month in (100, 101, 102, 113)]
    [[0, 0, 0], [50, 1, 0], [50, 2, 0], [0, 0, 0]]
    """
    in_order = counts.sort_values("known", kind="stable")
    by_kind = {kind: in_order[in_order["kind"] == kind] for kind in KINDS}
    cells = {kind: tuple(sorted(rows["cell"].unique())) for kind, rows in by_kind.items()}
    sums = {kind: _sums(by_kind[kind], cells[kind], first, last) for kind in KINDS}
    return Neighbourhood(cells, first, sums, weight)


def _sums(rows: pd.DataFrame, cells: Sequence[str], first: int, last: int) -> Numbers:
    start = first - WINDOW
    rows = rows[(rows["month"] >= start) & (rows["month"] < last)]
    known = np.zeros((len(cells) + 1, last + 1 - start, len(COUNTS)), np.int64)
    sums = np.zeros((len(cells) + 1, last + 1 - first, len(COUNTS)), np.int64)
    cell = pd.Index(cells).get_indexer(pd.Index(rows["cell"]))
    of, values = rows["month"].to_numpy() - start, rows[list(COUNTS)].to_numpy(np.int64)
    bounds = np.searchsorted(rows["known"].to_numpy(), np.arange(first + 1, last + 2))
    for k, (begin, end) in enumerate(pairwise([0, *bounds])):
        known[cell[begin:end], of[begin:end]] = values[
            begin:end
        ]  # of several counts of a cell the last stays
        sums[:, k] = known[:, k : k + WINDOW].sum(axis=1)
    return sums


def revisions(before: pd.DataFrame, now: pd.DataFrame, counted_to: int) -> pd.DataFrame:
    """Return the counts that are new or differ from those known, with the month from which they are known.

    A month counted for the first time is known at its end. Where a month counted before has another count
    now, that is known only from the month after the last counted one: features made with the older count
    stay.

    Args:
        before: rows of the table of the months that are counted again: kind, cell, month, known, counts.
        now: the same of the reports, as they became known; a cell not in it has none.
        counted_to: number of the last month counted before.

    >>> cell = {"kind": "region", "cell": "CA", "at_risk": 50, "prepaid": 0}
    >>> old = {**cell, "month": 100, "known": 100, "defaults": 1}
    >>> now = [{**old, "defaults": 2}, {**old, "month": 101, "known": 101}]
    >>> found = revisions(pd.DataFrame([old]), pd.DataFrame(now), counted_to=100)
    >>> found[["month", "known", "defaults"]].values.tolist()
    [[100, 101, 2], [101, 101, 1]]
    """
    counts = list(COUNTS)
    latest = before.sort_values("known", kind="stable").drop_duplicates(CELL, keep="last")
    soonest = now["month"].where(now["month"] > counted_to, counted_to + 1)
    levels = now.assign(known=np.maximum(now["known"], soonest)).sort_values("known", kind="stable")
    levels = levels.drop_duplicates([*CELL, "known"], keep="last")
    gone = latest.assign(known=counted_to + 1, **dict.fromkeys(counts, 0))
    gone = gone[~pd.MultiIndex.from_frame(gone[CELL]).isin(pd.MultiIndex.from_frame(levels[CELL]))]
    every = pd.concat([latest.assign(known=BEFORE), levels, gone]).sort_values("known", kind="stable")
    earlier = every.groupby(CELL)[counts].shift(fill_value=0)
    changed = (every[counts] != earlier).any(axis=1) & (every["known"] != BEFORE)
    return every[changed].sort_values([*CELL, "known"], ignore_index=True)[[*CELL, "known", *counts]]
