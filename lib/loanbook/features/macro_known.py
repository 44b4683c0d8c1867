"""Which value of a macro series was known in which month; small enough for the driver."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from loanbook.features.months import month_number

NATION = "US"
SERIES = ("unemployment", "mortgage_rate", "hpi")

SCHEMA = (
    "area STRING, month INT, unemployment DOUBLE, unemployment_change_12m DOUBLE, mortgage_rate DOUBLE, "
    "hpi DOUBLE, nation_hpi DOUBLE, hpi_growth_12m DOUBLE"
)


def known_macro(macro: pd.DataFrame, last_month: int) -> pd.DataFrame:
    """Return the values known at the end of each month up to ``last_month``, by area.

    Known is the latest month of a series published by then, in the revision last published by then; a change
    compares it with the value 12 months before it, in the revision known at the same time.

    Args:
        macro: rows of the macro table: region, series, as_of_date, known_on, value.
        last_month: number of the last month.

    Returns:
        the columns of ``SCHEMA``; ``hpi`` is the area's own, the other values the area's, else the nation's.
    """
    columns = [f"{series}{suffix}" for series in SERIES for suffix in ("", "_year_ago")]
    found = pd.concat([pd.DataFrame(columns=["area", "month"]), *_by_series(macro, last_month)])
    wide = found.groupby(["area", "month"]).first().reindex(columns=columns).astype(float)
    wide["unemployment_change_12m"] = wide["unemployment"] - wide["unemployment_year_ago"]
    wide["hpi_growth_12m"] = wide["hpi"] / wide["hpi_year_ago"] - 1
    areas = sorted({NATION, *wide.index.unique("area")})
    months = sorted(wide.index.unique("month"))
    grid = pd.MultiIndex.from_product([areas, months], names=["area", "month"])
    own, nation = wide.reindex(grid), wide.reindex([(NATION, month) for _, month in grid])
    nation.index = grid
    known = own.fillna(nation).assign(hpi=own["hpi"], nation_hpi=nation["hpi"]).reset_index()
    return known[[column.split()[0] for column in SCHEMA.split(", ")]]


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
    """Return month, the series' latest value known then, and its value 12 months earlier."""
    months = range(rows["from_month"].min(), last_month + 1)
    of_months = range(rows["of_month"].min(), rows["of_month"].max() + 1)
    table = rows.pivot(index="from_month", columns="of_month", values="value")
    known = table.reindex(index=months).ffill().reindex(columns=of_months).to_numpy(dtype=float)
    latest = known.shape[1] - 1 - np.argmax(~np.isnan(known[:, ::-1]), axis=1)
    row = np.arange(len(months))
    year_ago = np.where(latest >= 12, known[row, latest - 12], np.nan)
    return pd.DataFrame({"month": months, series: known[row, latest], f"{series}_year_ago": year_ago})
