"""A loan as the oracles read it: its reports, its terms, and what of them was known at a month."""

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from typing import Any

from loanbook.book.months import month_number
from tests.features.books import TERMINAL, Rows

STALE = 3
CENT = Decimal("0.01")

Reports = dict[int, dict[str, Any]]


def reports_of(rows: Rows) -> dict[str, Reports]:
    """Return each loan's reports by month."""
    loans: dict[str, Reports] = {}
    for row in rows:
        loans.setdefault(row["loan_id"], {})[month_number(row["as_of_date"])] = row
    return loans


def last_report(reports: Reports, month: int) -> dict[str, Any] | None:
    """Return the report that a loan is known by at ``month``, None where it is not in the book."""
    seen = [m for m in reports if m <= month]
    if not seen or reports[max(seen)]["state"] in TERMINAL or month - max(seen) > STALE:
        return None
    return reports[max(seen)]


@dataclass(frozen=True)
class Loan:
    """A loan's reports by month and its terms, empty without any."""

    loan_id: str
    reports: Reports
    terms: dict[str, Any]
    last_month: int
    period: int
    months: list[int] = field(init=False)
    _rows: Rows = field(init=False)

    def __post_init__(self) -> None:
        """Find the months in which the loan is in the book."""
        object.__setattr__(self, "_rows", [self.reports[m] | {"month": m} for m in sorted(self.reports)])
        every = range(self.first, self.last_month + 1, self.period)
        object.__setattr__(self, "months", [m for m in every if last_report(self.reports, m) is not None])

    @property
    def first(self) -> int:
        """Return the month of the first report."""
        return min(self.reports)

    def past(self, month: int) -> Rows:
        """Return the reports up to a month, in order, each with the number of its month."""
        return [row for row in self._rows if row["month"] <= month]

    def last_of(self, name: str, month: int) -> Any:
        """Return the value of a column that was reported last up to a month."""
        return last_of(self.past(month), name)

    def month_of(self, name: str) -> int | None:
        """Return the month of a day of the terms."""
        day: date | None = self.terms.get(name)
        return None if day is None else month_number(day)

    def limit(self, month: int) -> Decimal | None:
        """Return the credit limit last reported, else that at origination."""
        reported = self.last_of("credit_limit", month)
        return self.terms.get("credit_limit") if reported is None else reported

    def rate(self, month: int) -> float | None:
        """Return the interest rate last reported, else the one at origination."""
        reported = self.last_of("rate", month)
        rate = self.terms.get("original_rate") if reported is None else reported
        return None if rate is None else float(rate)

    def age(self, month: int) -> int:
        """Return the months since origination; where that is unknown, since the first report."""
        origination = self.month_of("origination_date")
        return month - (self.first if origination is None else origination)

    def due(self, month: int) -> Decimal | None:
        """Return the level payments of the period that a month ends; None before the first one is due."""
        first = self.month_of("first_payment_date")
        terms = [self.terms.get(name) for name in ("original_upb", "original_rate", "original_term")]
        if None in terms or (first is not None and month < first):
            return None
        return level_payment(*terms) * self.period


def last_of(past: Rows, name: str) -> Any:
    """Return the last value that was reported of a column."""
    return next((row[name] for row in reversed(past) if row[name] is not None), None)


@cache
def level_payment(amount: Any, rate: Any, term: Any) -> Decimal:
    """Return the monthly payment, in cents, that repays an amount with interest over a term.

    >>> level_payment(Decimal(100_000), Decimal("4.125"), 360)
    Decimal('484.65')
    """
    monthly = Decimal(rate) / 1200
    # The present value of one unit a month over the term.
    annuity = (1 - (1 + monthly) ** -term) / monthly if monthly else Decimal(term)
    return (amount / annuity).quantize(CENT, ROUND_HALF_EVEN)


def ratio(top: Decimal | None, bottom: Decimal | None) -> float | None:
    """Return the quotient of two amounts, of their cents; None where one is unknown, or the divisor 0."""
    return int(top * 100) / int(bottom * 100) if top is not None and bottom else None
