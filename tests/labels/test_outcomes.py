"""Outcomes: one row for each spell at risk."""

from typing import Any

from pyspark.sql import SparkSession

from loanbook.book.months import last_day
from loanbook.labels.outcomes import outcome_rows
from loanbook.tables.performance import PERFORMANCE
from tests.features.books import START, BookLoan, frame, performance_of

CURED = ("current", "dpd90", "current", "current", "current", None, "prepaid")


def test_each_spell_ends_in_one_event(spark: SparkSession) -> None:
    book = [
        BookLoan("cured", 0, CURED),
        BookLoan("starts_in_default", 0, ("dpd90", "current", "current", "current", "matured")),
        BookLoan("never_at_risk", 0, ("dpd90", "foreclosure", "liquidated")),
        BookLoan("charged_off", 0, ("current", "liquidated")),
        BookLoan("removed", 0, ("current", "dpd30", "removed")),
        BookLoan("at_risk", 0, ("current",) * 9),
        BookLoan("only_exit", 0, ("prepaid",)),
    ]
    rows = outcome_rows(frame(spark, PERFORMANCE, performance_of(book)), START + 7).collect()
    found = {(row["loan_id"], row["episode"]): _months(row) for row in rows}
    assert found == {
        ("cured", 1): ("default", 0, 1, 0, 0),
        ("cured", 2): ("prepaid", 4, 6, 4, 4),
        ("starts_in_default", 1): ("matured", 3, 4, 3, 3),
        ("charged_off", 1): ("default", 0, 1, 0, 0),
        ("removed", 1): ("removed", 0, 2, 1, 1),
        ("at_risk", 1): ("none", 0, None, None, 7),
    }


def _months(row: Any) -> tuple[Any, ...]:
    """Return the event, and at_risk_from, event_date, event_month_lower, last_observed_date as months."""
    days = (row["at_risk_from"], row["event_date"], row["event_month_lower"], row["last_observed_date"])
    months = {last_day(START + k): k for k in range(20)}
    return (row["event"], *[None if day is None else months[day] for day in days])
