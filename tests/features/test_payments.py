"""What is due and paid, and what a balance falls by beyond the schedule."""

import pytest

from loanbook.book.months import last_day
from tests.features.books import START, BookLoan, loans_of, performance_of
from tests.features.oracle import expected_features
from tests.features.test_engine import ECONOMY, HISTORY, WEIGHT, panel


def test_nothing_is_due_before_the_first_payment_and_a_large_balance_does_not_overflow() -> None:
    first = {"first_payment_date": last_day(START + 2).replace(day=1)}
    rows = panel(
        performance_of([BookLoan("a", 0, ("current",) * 4, first)]), loans_of([BookLoan("a", 0, (), first)])
    )
    assert [row["shortfall_3m"] is None for row in rows[:4]] == [True, True, False, False]
    large = [row | {"upb": row["upb"] * 5_000_000} for row in performance_of([HISTORY])]
    terms = [row | {"original_upb": row["original_upb"] * 5_000_000} for row in loans_of([HISTORY])]
    plain = panel(performance_of([HISTORY]), loans_of([HISTORY]))
    found = [row["curtailment_12m"] for row in panel(large, terms)]
    assert found == pytest.approx([row["curtailment_12m"] for row in plain], abs=1e-5)


@pytest.mark.parametrize("period", [1, 3])
def test_a_month_after_one_without_a_balance_is_none_of_repayment_beyond_the_schedule(period: int) -> None:
    book = [BookLoan(name, k, ("current",) * 20, period_months=period) for k, name in enumerate("abcd")]
    rows = [
        row | {"upb": None if (row["line"] * 7 + ord(row["loan_id"])) % 5 < 2 else row["upb"]}
        for row in performance_of(book)
    ]
    terms, last = loans_of(book), START + 24 * period
    expected = expected_features(rows, terms, ECONOMY, last, period, WEIGHT)
    found = panel(rows, terms, macro=ECONOMY, last_month=last, period_months=period)
    curtailed = {(row["loan_id"], row["as_of_date"]): row["curtailment_12m"] for row in found}
    assert curtailed == {key: pytest.approx(row["curtailment_12m"]) for key, row in expected.items()}
    assert {row["curtailment_12m"] for row in expected.values()} > {None}
