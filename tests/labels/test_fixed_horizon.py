"""Labels against the oracle, and what must hold of every book's last cohorts."""

from collections import defaultdict
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from loanbook.book.months import last_day, month_number
from loanbook.errors import InputError
from loanbook.labels.cohorts import Calendar
from loanbook.labels.fixed_horizon import label_rows
from loanbook.tables.labels import HORIZONS, LABELS, status_column
from loanbook.tables.performance import PERFORMANCE
from tests.features.books import START, BookLoan, Rows, frame, performance_of
from tests.features.oracle import STALE
from tests.features.strategies import FEW, books
from tests.labels.label_oracle import expected_labels

LAST = START + 30


def labels_of(
    spark: SparkSession,
    rows: Rows,
    last_month: int,
    period: int = 1,
    cohorts: Collection[int] | None = None,
) -> Rows:
    calendar = Calendar(last_month, STALE, period)
    labels = label_rows(frame(spark, PERFORMANCE, rows), calendar, cohorts)
    return [row.asDict() for row in labels.orderBy("loan_id", "as_of_date").collect()]


@FEW
@given(data=st.data())
def test_labels_equal_the_oracle(spark: SparkSession, data: st.DataObject) -> None:
    period = data.draw(st.sampled_from([1, 3]))
    book, last = data.draw(books(period)), START + 30 * period
    rows = performance_of(book)
    labels = labels_of(spark, rows, last, period)
    found = {(row["loan_id"], row["as_of_date"]): row for row in labels}
    expected = expected_labels(rows, last, period=period)
    assert len(found) == len(labels)
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert {name: found[key][name] for name in values} == values, key


@FEW
@given(book=books(), data=st.data())
def test_cohorts_that_can_differ_written_alone_give_the_labels_of_all(
    spark: SparkSession, book: list[BookLoan], data: st.DataObject
) -> None:
    rows, last = performance_of(book), START + data.draw(st.integers(7, 40))
    before = data.draw(st.integers(START, last))
    told = data.draw(st.lists(st.sampled_from(range(len(rows))), max_size=2))
    corrected = [
        {**row, "state": "current", "default_entry": not row["default_entry"]} if k in told else row
        for k, row in enumerate(rows)
    ]
    lost = data.draw(st.sampled_from([None, *sorted({row["as_of_date"] for row in rows})]))
    now = [row for row in corrected if row["as_of_date"] != lost]
    changed = {month_number(rows[k]["as_of_date"]) for k in told} | ({month_number(lost)} if lost else set())
    first = min((month_number(row["as_of_date"]) for row in now), default=START)
    written = Calendar(last, STALE, 1).cohorts_to_write(first, before, changed)
    days = {last_day(month) for month in written}
    kept = [row for row in labels_of(spark, rows, before) if row["as_of_date"] not in days]
    fresh = labels_of(spark, now, last, cohorts=written) if written else []
    assert by_key(kept + fresh) == by_key(labels_of(spark, now, last))


def by_key(labels: Rows) -> Rows:
    return sorted(labels, key=lambda row: (row["loan_id"], row["as_of_date"]))


def test_only_what_the_cohorts_are_made_of_is_read(spark: SparkSession) -> None:
    rows = performance_of([BookLoan("a", 0, ("current",) * 31)])
    calendar = Calendar(LAST, STALE, 1)
    cohorts = calendar.cohorts_to_write(START, LAST - 1, [])
    assert [LAST - cohort for cohort in cohorts] == [24, 12, 6, 1, 0]
    kept = [row for row in rows if month_number(row["as_of_date"]) >= LAST - 24 - STALE]
    assert len(kept) < len(rows)
    assert labels_of(spark, kept, LAST, cohorts=cohorts) == labels_of(spark, rows, LAST, cohorts=cohorts)
    assert calendar.months_of_all(cohorts) == list(range(LAST - 24 - STALE, LAST + 1))


def test_each_horizon_has_its_own_status(spark: SparkSession) -> None:
    book = [
        BookLoan("a", 0, ("current",) * 8 + ("dpd90",)),
        BookLoan("b", 0, ("current",) * 9 + ("removed",)),
        BookLoan("c", 0, ("current",) * 5),
        BookLoan("d", 0, ("current",) * 5 + (None,) * 10 + ("current",) * 10),
    ]
    rows = [
        row for row in labels_of(spark, performance_of(book), LAST) if row["as_of_date"] == last_day(START)
    ]
    found = {
        row["loan_id"]: [
            (row[status_column(h)], row[f"default_{h}m"], row[f"default_{h}m_regulatory"]) for h in HORIZONS
        ]
        for row in rows
    }
    stays, gap, censored = ("observed", 0, 0), ("history_gap", None, None), ("censored", None, 0)
    assert found == {
        "a": [stays, ("observed", 1, 1), ("observed", 1, 1)],
        "b": [stays, censored, censored],
        "c": [stays, gap, gap],
        "d": [stays, gap, stays],
    }


def test_a_horizon_without_labels_is_refused() -> None:
    assert [status_column(h) for h in HORIZONS] == ["label_status_6m", "label_status", "label_status_24m"]
    with pytest.raises(InputError, match="36 months"):
        status_column(36)


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


def test_a_month_that_declares_the_tapes_own_outcome_is_labelled_by_it(spark: SparkSession) -> None:
    book = [BookLoan("a", 0, ("current",) * 30), BookLoan("b", 0, ("current", "current", "dpd90"))]
    # A month that has a label else, one that has none yet, and one in default.
    declared = {("a", 0): 0, ("a", 20): 1, ("b", 2): 1}
    rows = [
        {**row, "tape_outcome": declared.get((row["loan_id"], month_number(row["as_of_date"]) - START))}
        for row in performance_of(book)
    ]
    found = {
        (row["loan_id"], month_number(row["as_of_date"]) - START): row for row in labels_of(spark, rows, LAST)
    }
    known = {key: row["tape_outcome"] for key, row in found.items() if row["tape_outcome"] is not None}
    assert known == declared
    for key in declared:
        statuses = {found[key][status_column(horizon)] for horizon in HORIZONS}
        assert (statuses, found[key]["default_12m"]) == ({"tape_outcome"}, None)
    assert found["a", 1]["label_status"] == "observed"
    assert found["b", 3]["label_status"] == "in_default"  # carried from the month before, without its outcome


def test_a_matured_label_never_changes(spark: SparkSession) -> None:
    book = [
        BookLoan("a", 0, ("current",) * 11 + (None, None, "dpd90")),
        BookLoan("b", 0, ("current",) * 13 + ("removed",)),
        BookLoan("c", 0, ("current",) * 10),
    ]
    rows = performance_of(book)
    early = labels_of(spark, [row for row in rows if row["as_of_date"] <= last_day(START + 12)], START + 12)
    late = labels_of(spark, rows, LAST)
    first = [
        [
            {name: value for name, value in row.items() if "24m" not in name}
            for row in labels
            if row["as_of_date"] == last_day(START)
        ]
        for labels in (early, late)
    ]
    assert first[0] == first[1]
    assert [row["label_status"] for row in first[0]] == ["observed", "observed", "observed"]


def test_a_quarterly_tape_has_a_cohort_a_quarter(spark: SparkSession) -> None:
    states = ("current", "dpd30", "dpd60", None, "current", "current", "dpd90", "current")
    rows = labels_of(spark, performance_of([BookLoan("a", 0, states, period_months=3)]), START + 21, 3)
    assert [row["as_of_date"] for row in rows] == [last_day(START + k) for k in range(0, 22, 3)]
    assert [row["next_state"] for row in rows] == [
        "dpd30", "dpd60", None, None, "current", "dpd90", "current", None,
    ]  # fmt: skip
    assert [row["default_12m"] for row in rows] == [0, 0, 1, 1, *(None,) * 4]
    assert [row["label_status"] for row in rows[3:]] == [
        "observed", "not_matured", "not_matured", "in_default", "in_default",
    ]  # fmt: skip
    calendar = Calendar(START + 21, STALE, 3)
    assert list(calendar.cohorts_to_write(START, START + 18, [])) == [START + k for k in (9, 15, 18, 21)]
    assert list(calendar.cohorts_to_write(START, START + 21, [START + 3])) == [START + k for k in (0, 3, 6)]
    assert list(rows[0]) == LABELS.column_names
