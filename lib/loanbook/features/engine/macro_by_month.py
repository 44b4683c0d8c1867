"""Which value of a macro series was known in which month; small enough for the driver."""

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from loanbook.book.months import month_number
from loanbook.features.engine.values import Numbers, Values
from loanbook.tables.macro import SERIES

NATION = "US"

GRACE = 3  # months that a publication may be late
AGO = (3, 12)  # months back that a change is measured over
COLUMNS = (
    "unemployment", "unemployment_change_3m", "unemployment_change_12m", "mortgage_rate",
    "mortgage_rate_change_3m", "mortgage_rate_change_12m", "hpi", "nation_hpi", "hpi_growth_12m",
)  # fmt: skip


CHANGE_OF = {
    **{f"{series}_change_{k}m": series for series in ("unemployment", "mortgage_rate") for k in AGO},
    "hpi_growth_12m": "hpi",
}


@dataclass(frozen=True)
class MacroKnown:
    """Values known at the end of each month, by area.

    Args:
        areas: their names, the nation among them.
        first_month: number of the first month.
        values: of ``COLUMNS``, each of shape (areas, months), NaN where unknown.
    """

    areas: tuple[str, ...]
    first_month: int
    values: dict[str, Numbers]

    def at(self, name: str, area: Numbers, month: Numbers) -> Values:
        """Return the values of rows, given by the position of their area and by their month.

        Args:
            name: one of ``COLUMNS``.
            area: positions in ``areas``, shape (n,).
            month: numbers of months, shape (n,); those outside the table are unknown.

        >>> known = MacroKnown(("CA", "US"), 24240, {"mortgage_rate": np.array([[4.0, 4.1], [3.9, np.nan]])})
        >>> found = known.at("mortgage_rate", np.array([0, 1, 1]), np.array([24241, 24241, 24239]))
        >>> found.data[0], found.mask.tolist()
        (4.1, [True, False, False])
        """
        table = self.values[name]
        column = month - self.first_month
        inside = (column >= 0) & (column < table.shape[1])
        found = table[area, np.where(inside, column, 0)]
        return Values(found, inside & ~np.isnan(found))


def macro_known(macro: pd.DataFrame, last_month: int) -> MacroKnown:
    """Return what ``known_macro`` finds as arrays; arguments as of it."""
    frame = known_macro(macro, last_month)
    areas = tuple(sorted({NATION, *frame["area"]}))
    first = int(frame["month"].min()) if len(frame) else last_month
    grid = [areas, range(first, last_month + 1)]
    index = pd.MultiIndex.from_product(grid, names=["area", "month"])
    whole = frame.set_index(["area", "month"]).reindex(index)
    shape = (len(areas), last_month + 1 - first)
    return MacroKnown(areas, first, {name: whole[name].to_numpy(float).reshape(shape) for name in COLUMNS})


def series_that_end(macro: pd.DataFrame, month: int) -> dict[str, int]:
    """Return the series whose next month is overdue at the end of ``month``, with the last that they have.

    The next value of a series is due one of its periods after the last, by its shortest lag; it may be
    ``GRACE`` months late.

    Args:
        macro: rows of the macro table known by then: series, as_of_date, known_on.
        month: number of the month.

    >>> from datetime import date
    >>> days = [date(2020, 1, 31), date(2020, 2, 29)]  # monthly, known within its month
    >>> macro = pd.DataFrame({"series": "hpi", "as_of_date": days, "known_on": days})
    >>> last = month_number(days[-1])
    >>> series_that_end(macro, last + 4), series_that_end(macro, last + 5) == {"hpi": last}
    ({}, True)
    """
    ended = {}
    for series, rows in macro[macro["series"].isin(SERIES)].groupby("series"):
        of_month, known = rows["as_of_date"].map(month_number), rows["known_on"].map(month_number)
        if of_month.max() + _overdue_after(of_month, known, [month])[0] < month:
            ended[str(series)] = int(of_month.max())
    return ended


def _overdue_after(of_month: pd.Series, from_month: pd.Series, months: Sequence[int]) -> Numbers:
    """Return after how many months the next value is overdue, as known at the end of each of ``months``."""
    order = np.argsort(from_month.to_numpy(), kind="stable")
    of, since = of_month.to_numpy()[order], from_month.to_numpy()[order]
    known: list[int] = []  # months in order
    shortest, gaps = np.inf, []
    for month in of.tolist():
        at = bisect_left(known, month)
        if known[at : at + 1] != [month]:
            shortest = min([shortest, *(abs(month - other) for other in known[max(at - 1, 0) : at + 1])])
            known.insert(at, month)
        gaps.append(shortest)
    periods = np.where(np.isinf(gaps), 1, gaps).astype(np.int64)
    last = np.searchsorted(since, np.asarray(months), side="right") - 1
    after: Numbers = periods[last] + np.minimum.accumulate(since - of)[last] + GRACE
    return after


def known_macro(macro: pd.DataFrame, last_month: int) -> pd.DataFrame:
    """Return the values known at the end of each month up to ``last_month``, by area.

    Known is the latest month of a series published by then, in the revision last published by then. A change
    compares it with the value 3 or 12 months before it, in the revision known at the same time. A series
    whose next value is overdue (``series_that_end``) counts as unknown, so that a region whose own series
    ends takes the nation's.

    Args:
        macro: rows of the macro table: region, series, as_of_date, known_on, value.
        last_month: number of the last month.

    Returns:
        area, month and ``COLUMNS``; ``hpi`` is the area's own, the others the area's, else the nation's.

    >>> from datetime import date
    >>> columns = ["region", "series", "as_of_date", "known_on", "value"]
    >>> first = ["US", "unemployment", date(2020, 1, 31), date(2020, 2, 29), 3.5]  # published a month later
    >>> revised = ["US", "unemployment", date(2020, 1, 31), date(2020, 3, 31), 3.6]
    >>> macro = pd.DataFrame([first, revised], columns=columns)
    >>> known_macro(macro, month_number(date(2020, 3, 31)))["unemployment"].tolist()
    [3.5, 3.6]
    """
    columns = [f"{series}{suffix}" for series in SERIES for suffix in ("", *(f"_{k}m_ago" for k in AGO))]
    found = pd.concat([pd.DataFrame(columns=["area", "month"]), *_by_series(macro, last_month)])
    wide = found.groupby(["area", "month"]).first().reindex(columns=columns).astype(float)
    for series in ("unemployment", "mortgage_rate"):
        for k in AGO:
            wide[f"{series}_change_{k}m"] = wide[series] - wide[f"{series}_{k}m_ago"]
    wide["hpi_growth_12m"] = wide["hpi"] / wide["hpi_12m_ago"] - 1
    areas = sorted({NATION, *wide.index.unique("area")})
    months = sorted(wide.index.unique("month"))
    grid = pd.MultiIndex.from_product([areas, months], names=["area", "month"])
    own, nation = wide.reindex(grid), wide.reindex([(NATION, month) for _, month in grid])
    nation.index = grid
    known = own.fillna(nation).assign(hpi=own["hpi"], nation_hpi=nation["hpi"])
    for (
        name,
        level,
    ) in CHANGE_OF.items():  # the area's own change where its own level is known, else the nation's
        known[name] = own[name].where(own[level].notna(), nation[name])
    known = known.reset_index()
    return known[["area", "month", *COLUMNS]]


def _by_series(macro: pd.DataFrame, last_month: int) -> Iterator[pd.DataFrame]:
    rows = macro[macro["series"].isin(SERIES)].sort_values("known_on")
    rows = rows.assign(
        of_month=rows["as_of_date"].map(month_number), from_month=rows["known_on"].map(month_number)
    )
    rows = rows[rows["from_month"] <= last_month]
    # Of two revisions in one month only the later is known at its end.
    rows = rows.drop_duplicates(["region", "series", "of_month", "from_month"], keep="last")
    for (region, series), group in rows.groupby(["region", "series"]):
        yield _known_values(group, str(series), last_month).assign(area=str(region))


def _known_values(rows: pd.DataFrame, series: str, last_month: int) -> pd.DataFrame:
    """Return month, the series' latest value known then, and its values 3 and 12 months earlier."""
    months = range(rows["from_month"].min(), last_month + 1)
    of_months = range(rows["of_month"].min(), rows["of_month"].max() + 1)
    table = rows.pivot(index="from_month", columns="of_month", values="value")
    known = table.reindex(index=months).ffill().reindex(columns=of_months).to_numpy(dtype=float)
    latest = known.shape[1] - 1 - np.argmax(~np.isnan(known[:, ::-1]), axis=1)
    row = np.arange(len(months))
    earlier = {
        f"{series}_{k}m_ago": np.where(latest >= k, known[row, np.maximum(latest - k, 0)], np.nan)
        for k in AGO
    }
    overdue = rows["of_month"].min() + latest + _overdue_after(rows["of_month"], rows["from_month"], months)
    ended = np.asarray(months) > overdue
    values = {series: known[row, latest], **earlier}
    return pd.DataFrame(
        {"month": months, **{name: np.where(ended, np.nan, found) for name, found in values.items()}}
    )


def macro_digest(macro: MacroKnown | None, month: int) -> str:
    """Return 12 hex digits over all that was known of the economy in the months up to ``month``.

    Where it is not what the features up to that month were built with, they are built anew. An area of which
    nothing of its own was known by then is left out: its loans have the nation's values.

    >>> macro_digest(None, 24240)
    'none'
    """
    if macro is None:
        return "none"
    months = max(month + 1 - macro.first_month, 0)
    known = np.stack([macro.values[name][:, :months] for name in sorted(macro.values)], axis=1)
    nation = known[macro.areas.index(NATION)].copy()
    nation[sorted(macro.values).index("hpi")] = np.nan
    content = [str(macro.first_month).encode()]
    for area, values in zip(macro.areas, known, strict=True):
        if area == NATION or not np.array_equal(values, nation, equal_nan=True):
            content += [area.encode(), np.ascontiguousarray(values).tobytes()]
    return hashlib.sha256(b"|".join(content)).hexdigest()[:12]
