"""Which macro value was known when: lags, revisions, and the nation where a region has no series."""

import math

import numpy as np
import pandas as pd

from loanbook.book.months import last_day
from loanbook.features.engine.macro_by_month import (
    COLUMNS,
    known_macro,
    macro_digest,
    macro_known,
    series_that_end,
)
from tests.features.books import START, macro_of

MACRO = macro_of(
    (region, series, month, lag, level + month)
    for region, level in (("US", 100.0), ("CA", 200.0))
    for series, lag in (("unemployment", 1), ("hpi", 2), ("mortgage_rate", 0))
    for month in range(24)
    if (region, series) != ("CA", "mortgage_rate")
)


def at(known: pd.DataFrame, area: str, month: int) -> dict[str, float]:
    rows = known[(known["area"] == area) & (known["month"] == START + month)]
    assert len(rows) == 1
    return {str(name): value for name, value in rows.iloc[0].items()}


def test_each_series_is_known_with_its_lag() -> None:
    known = known_macro(pd.DataFrame(MACRO), START + 20)
    assert list(known.columns) == ["area", "month", *COLUMNS]
    row = at(known, "CA", 20)
    assert (row["unemployment"], row["hpi"], row["nation_hpi"]) == (219.0, 218.0, 118.0)
    assert (row["unemployment_change_12m"], row["hpi_growth_12m"]) == (12.0, 218 / 206 - 1)
    assert known["month"].max() == START + 20


def test_a_region_without_a_series_takes_the_nations() -> None:
    row = at(known_macro(pd.DataFrame(MACRO), START + 20), "CA", 20)
    assert row["mortgage_rate"] == 120.0


def test_nothing_is_known_before_it_is_published() -> None:
    first = at(known_macro(pd.DataFrame(MACRO), START + 20), "US", 0)
    assert first["mortgage_rate"] == 100.0
    assert math.isnan(first["unemployment"])
    assert math.isnan(first["hpi"])
    eleventh = at(known_macro(pd.DataFrame(MACRO), START + 20), "US", 12)
    assert math.isnan(eleventh["unemployment_change_12m"])


def test_a_revision_counts_from_the_month_it_is_known() -> None:
    revised = macro_of([("US", "unemployment", 5, 4, 50.0), ("US", "unemployment", 17, 1, 60.0)])
    known = known_macro(pd.DataFrame([*MACRO, *revised]), START + 20)
    before = known_macro(pd.DataFrame(MACRO), START + 20)
    until = before["month"] < START + 9
    pd.testing.assert_frame_equal(known[until], before[until])
    assert at(known, "US", 18)["unemployment"] == 60.0
    assert at(known, "US", 18)["unemployment_change_12m"] == 60.0 - 50.0
    assert at(known, "US", 17)["unemployment_change_12m"] == 12.0


def test_an_older_month_published_late_does_not_become_the_latest() -> None:
    late = macro_of([("US", "mortgage_rate", 3, 10, 1.0)])
    known = known_macro(pd.DataFrame([*MACRO, *late]), START + 20)
    assert at(known, "US", 14)["mortgage_rate"] == 114.0


def test_values_published_after_the_last_month_are_not_read() -> None:
    later = macro_of([("TX", "hpi", 10, 15, 1.0)])
    known = known_macro(pd.DataFrame([*MACRO, *later]), START + 20)
    assert set(known["area"]) == {"US", "CA"}


def test_no_series_at_all_gives_no_rows() -> None:
    other = macro_of([("US", "inflation", 1, 0, 2.0)])
    assert known_macro(pd.DataFrame(other), START + 20).empty


def test_a_series_that_ends_before_the_book_is_found_once_its_next_value_is_overdue() -> None:
    macro = pd.DataFrame(MACRO)  # to month 23; the rate is known at once, the others one and two months later
    assert series_that_end(macro, START + 23 + 4) == {}
    assert series_that_end(macro, START + 23 + 5) == {"mortgage_rate": START + 23}
    assert set(series_that_end(macro, START + 40)) == {"hpi", "mortgage_rate", "unemployment"}


def test_a_series_of_quarters_does_not_end_between_them() -> None:
    rows = macro_of(("US", "unemployment", month, 2, float(month)) for month in range(0, 22, 3))
    for month in range(START + 2, START + 30):
        known = pd.DataFrame([row for row in rows if row["known_on"] <= last_day(month)])
        ended = {} if month <= START + 21 + 3 + 2 + 3 else {"unemployment": START + 21}
        assert series_that_end(known, month) == ended, month
    carried = known_macro(pd.DataFrame(rows), START + 24)
    assert [at(carried, "US", month)["unemployment"] for month in range(8, 15)] == [6, 6, 6, 9, 9, 9, 12]
    assert at(carried, "US", 10)["unemployment_change_3m"] == 3.0


def test_macro_without_a_series_of_the_catalogue_is_missing_everywhere() -> None:
    other = macro_known(pd.DataFrame(macro_of([("US", "inflation", 1, 0, 2.0)])), START + 20)
    assert other.areas == ("US",)
    assert not other.at("hpi", np.array([0, 0]), np.array([START, START + 20])).mask.any()


def test_a_young_region_has_no_change_and_takes_none_from_the_nation() -> None:
    young = macro_of(("TX", "unemployment", month, 1, 7.0) for month in range(15, 21))
    row = at(known_macro(pd.DataFrame([*MACRO, *young]), START + 20), "TX", 20)
    assert (row["unemployment"], row["unemployment_change_3m"]) == (7.0, 0.0)
    assert math.isnan(row["unemployment_change_12m"])
    assert row["mortgage_rate_change_12m"] == 12.0  # it has no rate of its own


def test_a_region_whose_series_ends_takes_the_nations_once_its_next_value_is_overdue() -> None:
    ending = [row for row in MACRO if row["region"] == "US" or row["as_of_date"] <= last_day(START + 9)]
    known = known_macro(pd.DataFrame(ending), START + 20)
    assert at(known, "CA", 14)["unemployment"] == 209.0  # of month 9; the next was due in month 11
    assert at(known, "CA", 15)["unemployment"] == 114.0
    assert at(known, "CA", 15)["unemployment_change_3m"] == 3.0


def test_later_values_that_come_sooner_do_not_make_earlier_ones_overdue() -> None:
    quarterly = macro_of(("TX", "unemployment", month, 4, float(month)) for month in range(0, 21, 3))
    monthly = macro_of(("TX", "unemployment", month, 1, float(month)) for month in range(21, 30))
    found = [known_macro(pd.DataFrame(rows), START + 24) for rows in (quarterly, quarterly + monthly)]
    values = [[at(known, "TX", month)["unemployment"] for month in range(4, 22)] for known in found]
    assert values[0] == values[1]
    assert values[0][:7] == [0.0, 0.0, 0.0, 3.0, 3.0, 3.0, 6.0]


def test_a_region_of_which_nothing_was_known_by_then_changes_no_digest() -> None:
    young = macro_of(("TX", series, 15, 1, 7.0) for series in ("unemployment", "hpi"))
    before, after = (macro_known(pd.DataFrame(rows), START + 20) for rows in (MACRO, [*MACRO, *young]))
    assert macro_digest(before, START + 15) == macro_digest(after, START + 15)
    assert macro_digest(before, START + 16) != macro_digest(after, START + 16)
