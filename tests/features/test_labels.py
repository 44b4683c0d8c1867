"""Labels against the oracle, and what must hold of every book's last cohorts."""

from collections import defaultdict

from hypothesis import given
from pyspark.sql import SparkSession

from loanbook.features.labels import label_rows
from loanbook.features.months import last_day
from loanbook.tables.labels import LABELS
from loanbook.tables.performance import PERFORMANCE
from tests.features.books import START, BookLoan, Rows, frame, performance_of
from tests.features.oracle import STALE, expected_labels
from tests.features.strategies import FEW, books

LAST = START + 24


def labels_of(spark: SparkSession, rows: Rows, last_month: int, period: int = 1) -> Rows:
    labels = label_rows(frame(spark, PERFORMANCE, rows), last_month, STALE, period)
    return [row.asDict() for row in labels.orderBy("loan_id", "as_of_date").collect()]


@FEW
@given(book=books())
def test_labels_equal_the_oracle(spark: SparkSession, book: list[BookLoan]) -> None:
    rows = performance_of(book)
    labels = labels_of(spark, rows, LAST)
    found = {(row["loan_id"], row["as_of_date"]): row for row in labels}
    expected = expected_labels(rows, LAST)
    assert len(found) == len(labels)
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert {name: found[key][name] for name in values} == values, key


def test_each_way_a_loan_can_end(spark: SparkSession) -> None:
    book = [
        BookLoan("default_then_removed", 0, ("current", "dpd90", "removed")),
        BookLoan("removed", 0, ("current", "removed")),
        BookLoan("prepaid", 0, ("current", "prepaid")),
        BookLoan("matured", 0, ("current", "matured")),
        BookLoan("charged_off", 0, ("current", "liquidated")),
        BookLoan("vanished", 0, ("current",) * 5),
        BookLoan("seen_again", 0, ("current", *(None,) * 15, "current")),
        BookLoan("stays", 0, ("current",) * 24),
        BookLoan("default_after", 0, (*("current",) * 13, "dpd90")),
        BookLoan("default_at_the_end", 0, (*("current",) * 12, "dpd90")),
        BookLoan("in_default", 0, ("dpd90", "current", "current")),
    ]
    rows = [
        row for row in labels_of(spark, performance_of(book), LAST) if row["as_of_date"] == last_day(START)
    ]
    found = {
        row["loan_id"]: (row["label_status"], row["default_12m"], row["default_12m_regulatory"])
        for row in rows
    }
    assert found == {
        "default_then_removed": ("observed", 1, 1),
        "removed": ("censored", None, 0),
        "prepaid": ("observed", 0, 0),
        "matured": ("observed", 0, 0),
        "charged_off": ("observed", 1, 1),
        "vanished": ("history_gap", None, None),
        "seen_again": ("history_gap", None, None),
        "stays": ("observed", 0, 0),
        "default_after": ("observed", 0, 0),
        "default_at_the_end": ("observed", 1, 1),
        "in_default": ("in_default", None, None),
    }


def test_the_default_rate_has_no_jump_at_the_end(spark: SparkSession) -> None:
    # One loan in three defaults, evenly over the months, up to the tape's last one.
    months = LAST - START + 1
    book = [
        BookLoan(f"L{k:03}", 0, ("current",) * (k % (3 * months)) + ("dpd90",))
        if k % (3 * months) < months
        else BookLoan(f"L{k:03}", 0, ("current",) * months)
        for k in range(1, 3 * months)
    ]
    cohorts = defaultdict(list)
    for row in labels_of(spark, performance_of(book), LAST):
        if row["label_status"] != "in_default":
            cohorts[row["as_of_date"]].append(row["default_12m"])
    unmatured = [last_day(month) for month in range(LAST - 11, LAST + 1)]
    assert all(label is None for month in unmatured for label in cohorts[month])
    rates = [
        sum(cohorts[last_day(month)]) / len(cohorts[last_day(month)]) for month in range(START, LAST - 11)
    ]
    assert min(rates) > 0.1
    assert max(rates) - min(rates) < 0.06


def test_a_matured_label_never_changes(spark: SparkSession) -> None:
    book = [
        BookLoan("a", 0, ("current",) * 11 + (None, None, "dpd90")),
        BookLoan("b", 0, ("current",) * 13 + ("removed",)),
        BookLoan("c", 0, ("current",) * 10),
    ]
    rows = performance_of(book)
    early = labels_of(spark, [row for row in rows if row["as_of_date"] <= last_day(START + 12)], START + 12)
    late = labels_of(spark, rows, LAST)
    first = [[row for row in labels if row["as_of_date"] == last_day(START)] for labels in (early, late)]
    assert first[0] == first[1]
    assert [row["label_status"] for row in first[0]] == ["observed", "observed", "observed"]


def test_next_state_of_a_quarterly_tape_is_a_quarter_later(spark: SparkSession) -> None:
    book = [BookLoan("a", 0, ("current", None, None, "dpd30", None, None, "dpd60"))]
    rows = labels_of(spark, performance_of(book), START + 6, period=3)
    assert [row["next_state"] for row in rows] == ["dpd30", None, None, "dpd60", None, None, None]
    assert list(rows[0]) == LABELS.column_names
