"""Default and prepayment rates around a loan: against plain counting, and against what was not yet known."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from pyspark.sql import SparkSession

from loanbook.book.months import last_day, month_number
from loanbook.features.engine.neighbourhood_known import neighbourhood_known, revisions
from loanbook.features.panel.neighbourhood_counts import Counts, counted, months_to_count
from loanbook.features.plan.increment import Step, built_to
from loanbook.features.plan.tape import Since, Tape
from loanbook.tables.loans import LOANS
from loanbook.tables.neighbourhood import COUNTS
from loanbook.tables.performance import PERFORMANCE
from loanbook.warehouse.changes import LastRun
from tests.features.books import (
    START,
    BookLoan,
    Rows,
    counts_of,
    frame,
    loans_of,
    performance_of,
    plan_of,
    repaid,
)
from tests.features.oracle import differences
from tests.features.oracle_neighbourhood import events_of, rates
from tests.features.partitions import features_of, partition_of
from tests.features.strategies import books
from tests.features.test_engine import CUT, FUTURES, LAST, until
from tests.property_tests import examples

WEIGHT = 7
CELLS: list[dict[str, Any]] = [
    {"region": region, "zip3": zip3}
    for region, zip3 in (("CA", "941"), ("CA", None), ("TX", "750"), (None, None))
]


def placed(book: list[BookLoan]) -> list[BookLoan]:
    """Return the loans in several regions, one of them without any."""
    return [
        replace(loan, terms=CELLS[k % 4] | {"vintage": f"2019Q{1 + k % 2}"}) for k, loan in enumerate(book)
    ]


def panel(performance: Rows, loans: Rows, counts: pd.DataFrame | None = None) -> Rows:
    counts = counts_of(performance, loans) if counts is None else counts
    return features_of(partition_of(performance, loans, plan_of(LAST, counts=counts, weight=WEIGHT)))


@examples(5)
@given(book=books(loans=50))
def test_rates_are_those_of_the_other_loans_in_the_twelve_months_before(book: list[BookLoan]) -> None:
    book = placed(book)
    performance, loans = performance_of(book), loans_of(book)
    terms = {loan["loan_id"]: loan for loan in loans}
    events = events_of(performance, terms)
    for row in panel(performance, loans):
        month, own = month_number(row["as_of_date"]), terms[row["loan_id"]]
        expected = rates(events, row["loan_id"], own, month, 1, WEIGHT)
        assert differences(row, expected) == {}, (row["loan_id"], row["as_of_date"])


BOOK = placed(
    [
        BookLoan("a", 0, ("current",) * 5 + ("dpd30", None, "dpd60", "dpd90") + ("current",) * 16),
        BookLoan("b", 10, ("dpd30", None, None, None, None, None, "current", "prepaid")),
        BookLoan("c", 3, ("current",) * 20),
        BookLoan("d", 14, ("current", "removed")),
        BookLoan("e", 2, ("current",) * 6 + ("dpd90",) * 3 + ("liquidated",)),
        BookLoan("f", 2, ("current",) * 6 + ("prepaid",)),
    ]
)


@pytest.mark.parametrize("future", FUTURES)
def test_nothing_after_a_month_changes_its_rates(future: str) -> None:
    rows, loans = performance_of(BOOK), loans_of(BOOK)
    past = [row for row in rows if row["as_of_date"] <= last_day(CUT)]
    later = [row for row in rows if row["as_of_date"] > last_day(CUT)]
    found = [until(panel(months, loans)) for months in (rows, FUTURES[future](past, later))]
    assert found[0] == found[1]
    assert len({row["region_default_rate_12m"] for row in found[0]}) > 10


def test_a_thin_cell_takes_the_rate_of_the_source_and_an_unknown_one_none() -> None:
    performance, loans = performance_of(BOOK), loans_of(BOOK)
    counts = counts_of(performance, loans)
    sparse = counts[counts["cell"] != "TX"]
    row = {(row["loan_id"], row["as_of_date"]): row for row in panel(performance, loans, sparse)}
    month = START + 12
    others = [
        other for other in performance
        if other["loan_id"] != "c" and other["as_of_date"] < last_day(month)
        and (other["default_status"] == "performing" or other["default_entry"] or repaid(other))
    ]  # fmt: skip
    entered = sum(other["default_entry"] for other in others)
    assert entered == 2
    assert row["c", last_day(month)]["region_default_rate_12m"] == pytest.approx(12 * entered / len(others))
    assert row["d", last_day(CUT)]["region_default_rate_12m"] is None


def count(kind: str, cell: str, month: int, known: int, *values: int) -> tuple[Any, ...]:
    return (kind, cell, START + month, START + known, *values)


def table(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["kind", "cell", "month", "known", *COUNTS])


def test_what_is_counted_again_is_known_from_the_month_after_the_last_counted_one() -> None:
    before = table(count("region", "CA", 0, 0, 10, 1, 0), count("region", "TX", 0, 0, 4, 0, 0))
    now = table(
        count("region", "CA", 0, 0, 10, 1, 0),
        count("region", "NY", 0, 0, 5, 0, 0),
        count("region", "CA", 6, 6, 9, 0, 1),
        count("region", "CA", 6, 8, 9, 1, 1),  # known only then
        count("region", "CA", 6, 9, 9, 1, 1),
    )
    assert [tuple(row) for row in revisions(before, now, START + 5).itertuples(index=False)] == [
        count("region", "CA", 6, 6, 9, 0, 1),
        count("region", "CA", 6, 8, 9, 1, 1),
        count("region", "NY", 0, 6, 5, 0, 0),
        count("region", "TX", 0, 6, 0, 0, 0),
    ]


def test_a_second_correction_before_a_new_month_takes_the_place_of_the_first() -> None:
    kept = table(count("nation", "all", 0, 0, 10, 0, 0), count("nation", "all", 0, 6, 10, 1, 0))
    for defaults in (2, 0):
        now = table(count("nation", "all", 0, 0, 10, defaults, 0))
        counts = Counts(kept, revisions(kept, now, START + 5))
        assert [tuple(row) for row in counts.every.itertuples(index=False)] == [
            count("nation", "all", 0, 0, 10, 0, 0),
            count("nation", "all", 0, 6, 10, defaults, 0),
        ]


def test_a_month_is_made_of_the_counts_known_at_its_end() -> None:
    of = ((0, 0, 10, 1, 0), (0, 3, 10, 2, 0), (0, 4, 10, 5, 0), (13, 13, 8, 0, 0))
    counts = table(*(count("nation", "all", *numbers) for numbers in of))
    for first in (0, 2, 5):  # from wherever the months begin
        known = neighbourhood_known(counts, START + first, START + 14, WEIGHT)
        defaults = [int(known.sums["nation"][0, month - first, 1]) for month in range(first, 15)]
        assert defaults == [0, 1, 1, 2, *[5] * 9, 0, 0][first:]
        assert known.sums["nation"][0, 14 - first].tolist() == [8, 0, 0]


def test_an_increment_counts_new_and_changed_months_and_all_where_terms_changed() -> None:
    run = LastRun("r", None, {}, {}, {"panel": {"last_month": str(last_day(START + 4))}})
    changed = {last_day(START + 1), last_day(START + 9)}
    tape = Tape("tape", None, START, START + 9, 3, False, False, since=Since(run, {}, {}, changed))  # type: ignore[arg-type]
    step = Step(START + 5, START + 7, built=built_to(tape.since))  # type: ignore[arg-type]
    assert months_to_count(tape, step) == {START + 1, START + 5, START + 6, START + 7}
    assert months_to_count(tape, replace(step, terms_changed=True)) is None
    assert months_to_count(tape, replace(step, built=None)) is None
    assert months_to_count(replace(tape, since=None), step) is None


def test_spark_counts_what_plain_counting_does(spark: SparkSession) -> None:
    performance, loans = performance_of(BOOK), loans_of(BOOK)[:-1]  # one loan without terms
    found = counted(frame(spark, PERFORMANCE, performance), frame(spark, LOANS, loans)).collect()
    rows = {row[:3]: [row[name] for name in COUNTS] for row in found}
    expected = counts_of(performance, loans).set_index(["kind", "cell", "month"])[list(COUNTS)]
    assert rows == dict(zip(expected.index, expected.to_numpy().tolist(), strict=True))
    assert all(row["known"] == row["month"] for row in found)
    assert sum(row[1] for row in rows.values()) == 4 + 4  # of a and of e, in each of their cells
