"""Every feature of one loan and month, written from the definitions, a month at a time.

Nothing here calls the engine: each theme has a module of plain Python beside this one.
"""

import math
from typing import Any

from loanbook.book.months import last_day
from tests.features.books import Rows
from tests.features.oracle_balance import balance_features
from tests.features.oracle_loan import STALE, Loan, Reports, last_report, reports_of
from tests.features.oracle_macro import Economy, macro_features
from tests.features.oracle_neighbourhood import EVENTS, KINDS, events_of, rates
from tests.features.oracle_states import state_features
from tests.features.oracle_terms import term_features

__all__ = ["STALE", "Expected", "Reports", "differences", "expected_features", "last_report", "reports_of"]

Expected = dict[tuple[str, Any], dict[str, Any]]

# All else is equal to the last bit: counts, texts, and quotients of cents, which are one division.
_ROUNDING = {"rel_tol": 1e-12, "abs_tol": 1e-12}  # floats whose operations another order rounds otherwise
_POWERS = {"rel_tol": 1e-9, "abs_tol": 0.0}  # (1 + r)^360 loses three digits where r is small
_KEPT = {"rel_tol": 0.0, "abs_tol": 0.5000001e-5}  # the running state keeps an incentive as whole 1/100,000
TOLERANCE = {
    **dict.fromkeys(("mtm_ltv", "hpi_growth_12m"), _ROUNDING),
    **{f"{kind}_{event}_rate_12m": _ROUNDING for kind in KINDS for event in EVENTS},
    "upb_to_schedule": _POWERS,
    "incentive_mean_12m": _KEPT,
    "incentive_last_12m": _KEPT,
}


def expected_features(
    rows: Rows, loans: Rows, macro: Rows, last_month: int, period: int = 1, weight: float = 2400
) -> Expected:
    """Return the features of every loan in the book and month.

    Args:
        rows: performance.
        loans: terms; a loan may have none.
        macro: rows of the macro table.
        last_month: number of the last month.
        period: months between two reports.
        weight: reports of the whole source that a cell's own are mixed with.
    """
    terms, economy = {row["loan_id"]: row for row in loans}, Economy(macro)
    events, expected = events_of(rows, terms), Expected()
    for loan_id, reports in reports_of(rows).items():
        loan = Loan(loan_id, reports, terms.get(loan_id, {}), last_month, period)
        for month in loan.months:
            expected[loan_id, last_day(month)] = {
                **state_features(loan, month),
                **term_features(loan, month),
                **balance_features(loan, month),
                **macro_features(loan, month, economy),
                **rates(events, loan_id, loan.terms, month, period, weight),
            }
    return expected


def differences(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what differs between a row and its oracle: by name, the value found and the one expected."""
    return {
        name: (found[name], value) for name, value in expected.items() if not same(name, found[name], value)
    }


def same(name: str, found: Any, expected: Any) -> bool:
    """Return whether two values of a feature are equal, or within its tolerance."""
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(
            same(name, *pair) for pair in zip(found, expected, strict=True)
        )
    if name in TOLERANCE and isinstance(found, float) and isinstance(expected, float):
        return math.isclose(found, expected, **TOLERANCE[name])
    return bool(found == expected)
