"""Random small books for hypothesis: gaps short and long, exits, cures, loans of a single row."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import Phase, settings
from hypothesis import strategies as st

from loanbook.book.months import last_day
from tests.features.books import BookLoan
from tests.property_tests import examples

_STATE = st.sampled_from(["current"] * 5 + ["dpd30", "dpd30", "dpd60", "dpd90", "foreclosure", "inactive"])
_MONTHS = st.integers(1, 5)
_SPELLS = st.lists(st.tuples(st.one_of(_STATE, _STATE, st.none()), _MONTHS), max_size=8)
_EXIT = st.sampled_from([None, None, "prepaid", "matured", "liquidated", "removed"])


@st.composite
def loan_states(draw: st.DrawFn) -> tuple[str | None, ...]:
    """Return the states of a loan's months, the first reported, at most one exit and nothing after it."""
    spells = [(draw(_STATE), draw(_MONTHS)), *draw(_SPELLS)]
    states = [state for state, months in spells for _ in range(months)]
    leaving = draw(_EXIT)
    return (*states, leaving) if leaving else tuple(states)


@st.composite
def books(draw: st.DrawFn, period_months: int = 1, loans: int = 25) -> list[BookLoan]:
    """Return a book of some loans, reported each period."""
    starts = draw(st.lists(st.integers(0, 12), min_size=loans, max_size=loans))
    return [
        BookLoan(f"L{k:02}", start, draw(loan_states()), period_months=period_months)
        for k, start in enumerate(starts)
    ]


TERMS: dict[str, list[Any]] = {
    "original_upb": [Decimal(100_000), Decimal(250_000), Decimal("80000.55"), None],
    "original_rate": [Decimal("4.125"), Decimal("6.5"), Decimal("0.25"), Decimal(0), None],
    "original_term": [360, 180, 24, None],
    "credit_limit": [None, Decimal(120_000)],
    "credit_score": [700, 581, None],
    "dti": [31.25, 0.0, None],
    "ltv": [80.0, 97.5, None],
    "cltv": [85.0, 110.5, None],
    "mi_percent": [0.0, 25.0, None],
    "units": [1, 4, None],
    "borrowers": [1, 2, None],
    "first_time_buyer": ["Y", "N", None],
    "occupancy": ["primary", "investor", None],
    "purpose": ["purchase", "cash_out", None],
    "property_type": ["condo", "pud", None],
    "channel": ["retail", "broker", None],
    "product": ["mortgage", "card"],
    "region": ["CA", "NY", "TX", "WA", None],
    "zip3": ["941", "750", None],
    "vintage": ["2019Q4", "2020Q1", None],
}
# Days of the terms, as months from the first report; the payments of some begin after it.
DAYS = {
    "origination_date": [-40, -9, -1, -1, 2, None],
    "first_payment_date": [-8, 1, 4, None, None],
    "maturity_date": [15, 350, None],
}
REPORTED: dict[str, list[Any]] = {
    "rate": [Decimal("4.125"), Decimal("7.25"), None],
    "remaining_term": [..., None],  # that of a plain report, or never any
    "credit_limit": [..., None],
}


def with_terms(book: list[BookLoan], seed: int) -> list[BookLoan]:
    """Return the loans with terms of all kinds, some missing, and one in ten without any."""
    choose = np.random.default_rng(seed).integers

    def chosen(values: dict[str, list[Any]]) -> dict[str, Any]:
        return {name: of[choose(len(of))] for name, of in values.items()}

    def varied(loan: BookLoan) -> BookLoan:
        days = {
            name: None if months is None else last_day(loan.month(0) + months).replace(day=1)
            for name, months in chosen(DAYS).items()
        }
        reported = {name: value for name, value in chosen(REPORTED).items() if value is not ...}
        terms = chosen(TERMS) | days if choose(10) else None
        return replace(loan, terms=terms, reported=reported)

    return [varied(loan) for loan in book]


@st.composite
def books_with_terms(draw: st.DrawFn, period_months: int = 1, loans: int = 25) -> list[BookLoan]:
    """Return a book whose loans differ in their terms too: of a seed, which costs one draw."""
    return with_terms(draw(books(period_months, loans)), draw(st.integers(0, 2**32 - 1)))


# An example is a Spark job, and shrinking would run hundreds.
FEW = settings(examples(4), phases=(Phase.explicit, Phase.generate))
