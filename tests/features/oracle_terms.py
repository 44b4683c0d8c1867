"""Terms of one loan and month, from the definitions."""

from typing import Any

from loanbook.book.months import last_day
from tests.features.oracle_loan import Loan

AS_GIVEN = (
    "original_term", "credit_score", "dti", "ltv", "cltv", "mi_percent", "units", "borrowers",
    "first_time_buyer", "occupancy", "purpose", "property_type", "channel", "product", "region", "vintage",
)  # fmt: skip


def term_features(loan: Loan, month: int) -> dict[str, Any]:
    """Return the features of the theme loan_terms."""
    amount = loan.terms.get("original_upb")
    return {
        **{name: loan.terms.get(name) for name in AS_GIVEN},
        "months_on_book": loan.age(month),
        "remaining_term": _remaining(loan, month),
        "rate": loan.rate(month),
        "original_upb": None if amount is None else float(amount),
        "calendar_month": last_day(month).month,
    }


def _remaining(loan: Loan, month: int) -> int | None:
    """Return the months to the maturity that a report, the contract, or the term at origination says."""
    told = [row for row in loan.past(month) if row["remaining_term"] is not None]
    contract, start = loan.month_of("maturity_date"), loan.month_of("origination_date")
    term = loan.terms.get("original_term")
    if told:
        maturity = told[-1]["month"] + told[-1]["remaining_term"]
    elif contract is not None:
        maturity = contract
    elif start is None or term is None:
        return None
    else:
        maturity = start + term
    return max(maturity - month, 0)
