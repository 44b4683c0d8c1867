"""The engine against the oracle, against itself a month at a time, and against what was not yet known."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loanbook.book.months import last_day
from loanbook.errors import InputError
from loanbook.features.catalogue.registry import FEATURES as CATALOGUE
from loanbook.tables.performance import PERFORMANCE
from tests.features.books import START, BookLoan, Rows, counts_of, loans_of, macro_of, performance_of, plan_of
from tests.features.oracle import Expected, differences, expected_features
from tests.features.partitions import features_of, partition_of
from tests.features.strategies import books, books_with_terms, with_terms
from tests.property_tests import examples

LAST = START + 30
CUT = START + 14
HISTORY = BookLoan("a", 0, ("current",) * 5 + ("dpd30", None, "dpd60", "dpd90") + ("current",) * 16)
SHORT = BookLoan("b", 10, ("dpd30", None, None, None, None, None, "current", "prepaid"))
BOOK = [HISTORY, SHORT, BookLoan("c", 3, ("current",) * 20), BookLoan("d", 14, ("current", "removed"))]
MACRO = macro_of(
    (region, series, month, lag, level + month / 7)
    for region in ("US", "CA")
    for series, lag, level in (("unemployment", 1, 5.0), ("hpi", 2, 100.0), ("mortgage_rate", 0, 4.0))
    for month in range(-24, 32)
)

# Series of every fate: the nation's go on; of the regions' some end, some begin late or are not there, some
# have a value every third month, and each is revised now and then.
ECONOMY = macro_of(
    (region, series, month, lag + later, level + step * (month % 17) / 8 + 0.375 * (later > 0))
    for region, series, months, lag, level, step in (
        ("US", "unemployment", range(-60, 95), 1, 5.0, 1.0),
        ("US", "hpi", range(-60, 95, 3), 2, 100.0, 2.0),
        ("US", "mortgage_rate", range(-60, 95), 0, 3.5, 0.75),
        ("CA", "unemployment", range(-24, 9), 1, 8.0, 0.5),
        ("CA", "hpi", range(-30, 95), 2, 200.0, 8.0),
        ("NY", "hpi", range(-60, 14), 3, 150.0, -4.0),
        ("NY", "mortgage_rate", range(5, 95), 1, 4.0, 0.5),
        ("TX", "unemployment", range(-6, 95, 3), 0, 6.0, 1.5),
        ("TX", "hpi", range(-2, 95), 1, 90.0, 5.0),
    )
    for month in months
    for later in ((0, 5) if month % 7 == 0 else (0,))
)
WEIGHT = 7  # of a cell's neighbours, who are few here


def panel(performance: Rows, loans: Rows, **plan: Any) -> Rows:
    return features_of(partition_of(performance, loans, plan_of(plan.pop("last_month", LAST), **plan)))


@pytest.mark.parametrize("period", [1, 3])
@examples(10)  # of 50 loans, and 31 periods each
@given(data=st.data())
def test_the_engine_equals_the_oracle(period: int, data: st.DataObject) -> None:
    found, expected = found_and_expected(data.draw(books_with_terms(period, loans=50)), period)
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert differences(found[key], values) == {}, key
    assert [problem for row in found.values() for problem in out_of_range(row)] == []


def found_and_expected(book: list[BookLoan], period: int) -> tuple[Expected, Expected]:
    rows, loans, last = performance_of(book), loans_of(book), START + 30 * period
    around = {"counts": counts_of(rows, loans), "weight": WEIGHT}
    panelled = panel(rows, loans, macro=ECONOMY, last_month=last, period_months=period, **around)
    found = {(row["loan_id"], row["as_of_date"]): row for row in panelled}
    return found, expected_features(rows, loans, ECONOMY, last, period, WEIGHT)


BESIDE = {"reported", "default_status", "numeric_inputs", "categorical_inputs"}  # columns that are no feature


def test_the_oracle_has_every_feature_and_the_book_moves_each() -> None:
    book = [replace(loan, loan_id=f"{loan.loan_id}{k}") for k in range(8) for loan in BOOK]
    _, expected = found_and_expected(with_terms(book, 1), 1)
    rows = list(expected.values())
    assert {*rows[0]} == {item.name for item in CATALOGUE} | BESIDE
    values = {name: {str(row[name]) for row in rows if row[name] is not None} for name in rows[0]}
    assert [name for name, of in values.items() if len(of) < 2] == []


def out_of_range(row: dict[str, Any]) -> list[tuple[str, Any]]:
    numbers = [(item, row[item.name]) for item in CATALOGUE if item.kind == "numeric"]
    return [
        (item.name, value)
        for item, value in numbers
        if value is not None
        and ((item.low is not None and value < item.low) or (item.high is not None and value > item.high))
    ]


@pytest.mark.parametrize("period", [1, 3])
@examples(2)
@given(data=st.data())
def test_a_month_at_a_time_gives_the_bits_of_a_rebuild(period: int, data: st.DataObject) -> None:
    book, last = data.draw(books(period)), START + 30 * period
    performance, loans = performance_of(book), loans_of(book)
    plan = plan_of(last, MACRO, period_months=period)
    whole = features_of(partition_of(performance, loans, plan))
    state, grown, built = None, Rows(), START - 1
    for month in range(START, last + 1, period):
        rows = [row for row in performance if row["as_of_date"] == last_day(month)]
        step, built = replace(plan, first_month=built + 1, last_month=month), month
        partition = partition_of(rows, loans, step, state)
        grown += features_of(partition)
        state = partition.state()
    assert grown == whole


@examples(3)
@given(book=books(loans=50))
def test_neither_order_nor_partitioning_of_rows_matters(book: list[BookLoan]) -> None:
    performance, loans = performance_of(book), loans_of(book)
    whole = panel(performance, loans, macro=MACRO)
    halves = [
        panel([row for row in reversed(performance) if int(row["loan_id"][1:]) % 2 == k],
              [row for row in reversed(loans) if int(row["loan_id"][1:]) % 2 == k], macro=MACRO)
        for k in (0, 1)
    ]  # fmt: skip
    assert sorted(halves[0] + halves[1], key=lambda row: (row["as_of_date"], row["loan_id"])) == whole


def rewritten(row: dict[str, Any]) -> dict[str, Any]:
    """Return a performance row with another value in every column that is not its key."""
    return row | {
        "slice": "other", "delivery": "d2", "line": row["line"] + 1000,
        "known_on": row["known_on"] + timedelta(days=400), "state": "foreclosure", "months_delinquent": 9,
        "upb": Decimal("1.11"), "rate": Decimal("9.5"), "remaining_term": 1, "modified": True,
        "payment": Decimal(7), "statement": Decimal(8), "credit_limit": Decimal(9), "loss_event": True,
        "tape_outcome": 1, "quality_flags": ["odd"], "default_status": "in_default", "default_episode": 7,
        "default_entry": True, "default_exit": True,
        "numeric_attributes": {"score": 1.0, "usage": 2.0, "other": 3.0},
        "categorical_attributes": {"band": "Z"}, "text_attributes": {"words": "new"},
        "date_attributes": {"day": row["known_on"]}, "attribute_roles": dict.fromkeys(
            ("score", "usage", "other", "band", "words", "day"), "input"
        ),
    }  # fmt: skip


FUTURES: dict[str, Callable[[Rows, Rows], Rows]] = {
    "rewritten": lambda past, later: past + [rewritten(row) for row in later],
    "deleted": lambda past, later: past,
    "added": lambda past, later: (
        past
        + [row for row in later if row["loan_id"] != "a"]
        + [row | {"as_of_date": last_day(CUT + 9)} for row in past if row["loan_id"] == "a"][:1]
        + BookLoan("z", 15, ("current",) * 4).rows()
    ),
}


@pytest.mark.parametrize("future", FUTURES)
def test_nothing_after_a_month_changes_its_features(future: str) -> None:
    rows, loans = performance_of(BOOK), loans_of(BOOK)
    past = [row for row in rows if row["as_of_date"] <= last_day(CUT)]
    later = [row for row in rows if row["as_of_date"] > last_day(CUT)]
    other = FUTURES[future](past, later)
    found = [until(panel(months, loans, macro=MACRO)) for months in (rows, other)]
    assert len(found[0]) == 15 + 4 + 12 + 1
    assert found[1] == found[0]


KEY = {"source", "loan_id", "as_of_date", "default_definition_id"}


@cache
def as_reported() -> Rows:
    rows, loans = performance_of(BOOK), loans_of(BOOK)
    return until(panel(rows, loans, macro=MACRO, counts=counts_of(rows, loans)))


@pytest.mark.parametrize("column", sorted({*PERFORMANCE.column_names} - KEY))
def test_no_column_of_a_later_row_changes_a_feature(column: str) -> None:
    rows, loans = performance_of(BOOK), loans_of(BOOK)
    changed = [
        row | {column: rewritten(row)[column]} if row["as_of_date"] > last_day(CUT) else row for row in rows
    ]
    assert changed != rows
    found = panel(changed, loans, macro=MACRO, counts=counts_of(changed, loans))
    assert until(found) == as_reported()


def until(rows: Rows, month: int = CUT) -> Rows:
    return [row for row in rows if row["as_of_date"] <= last_day(month)]


def test_macro_not_yet_known_changes_no_feature() -> None:
    known = [row for row in MACRO if row["known_on"] <= last_day(CUT)]
    later = [row | {"value": -999.0} for row in MACRO if row["known_on"] > last_day(CUT)]
    revised = [row | {"value": 555.0, "known_on": last_day(CUT + 1)} for row in known]
    found = [
        panel(performance_of(BOOK), loans_of(BOOK), macro=macro) for macro in (MACRO, known + later + revised)
    ]
    assert until(found[0]) == until(found[1])
    assert found[0] != found[1]
    row = next(row for row in found[0] if (row["loan_id"], row["as_of_date"]) == ("a", last_day(CUT)))
    assert row["unemployment"] == 5.0 + (14 - 1) / 7
    assert row["mtm_ltv"] == 80.0 * row["upb_to_original"] * ((100 - 3 / 7) / (100 + 12 / 7))
    rates = [4.125 - (4.0 + month / 7) for month in range(3, 15)]
    assert row["incentive_mean_12m"] == pytest.approx(sum(rates) / 12, abs=1e-5)
    assert row["burnout"] == 1  # at 4 percent in the first month; then the market rose above the loan's rate


def test_a_quarterly_tape_has_a_row_a_quarter_and_counts_its_reports() -> None:
    states = ("current", "current", "dpd30", "current", None, None, "current")
    book = [BookLoan("a", 0, states, period_months=3)]
    rows = panel(performance_of(book), loans_of(book), last_month=START + 21, period_months=3)
    quarters = [0, 3, 6, 9, 12, 18, 21]  # carried for one quarter, stale for the next
    assert [row["as_of_date"] for row in rows] == [last_day(START + k) for k in quarters]
    assert [row["months_since_report"] for row in rows] == [0, 0, 0, 0, 3, 0, 3]
    year = rows[3]
    assert (year["months_observed_12m"], year["months_30plus_12m"], year["longest_run_current"]) == (4, 1, 2)
    assert (year["cures_30plus"], year["upb_change_3m"]) == (1, -137 / (100_000 - 137 * 2))
    assert year["state_last_12m"] == [0, 0, 1, 0, 0, 1, 0, 0, 2, 0, 0, 1]


def test_a_loan_that_leaves_and_returns_keeps_its_history() -> None:
    book = [BookLoan("a", 0, ("dpd30", *(None,) * 9, "current"))]
    rows = {row["as_of_date"]: row for row in panel(performance_of(book), loans_of(book))}
    months = [START + k for k in (0, 1, 2, 3, 10, 11, 12, 13)]  # stale after three months
    assert list(rows) == [last_day(month) for month in months]
    back = rows[last_day(START + 10)]
    assert (back["months_since_30plus"], back["previous_state"], back["months_observed_12m"]) == (
        10,
        "dpd30",
        2,
    )
    assert (back["upb_change_3m"], back["months_30plus_3m"], back["cures_30plus"]) == (None, 0, 1)


def test_two_rows_of_a_loan_and_month_are_refused() -> None:
    rows = performance_of(BOOK)
    with pytest.raises(InputError, match="two or more of loan a at 2020-02-29"):
        partition_of([*rows, rows[1]], loans_of(BOOK), plan_of(LAST))


def test_a_loan_without_terms_is_in_the_panel_and_flagged() -> None:
    rows = panel(performance_of([HISTORY]), [], macro=MACRO)
    assert {tuple(row["quality_flags"]) for row in rows} == {("no_terms",)}
    assert (rows[0]["credit_score"], rows[0]["upb_to_original"], rows[0]["months_on_book"]) == (None, None, 0)
    assert rows[0]["unemployment"] == 5.0 - 1 / 7
