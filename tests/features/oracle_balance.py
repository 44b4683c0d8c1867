"""Balance and payments of one loan and month, from the definitions."""

from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise
from typing import Any

from tests.features.oracle_loan import CENT, Loan, ratio


def balance_features(loan: Loan, month: int) -> dict[str, Any]:
    """Return the balance features, and the balances of the last 12 months."""
    now, original = loan.last_of("upb", month), loan.terms.get("original_upb")
    then = {k: _balance(loan, month - k) for k in range(13)}
    used = {k: ratio(then[k], loan.limit(month - k)) for k in range(13)}
    limit = loan.limit(month)
    old = loan.limit(month - 12) if month - 12 in loan.months else None
    return {
        "upb": now,
        "upb_to_original": ratio(now, original),
        "upb_to_schedule": _to_schedule(loan, month),
        **{f"upb_change_{k}m": _growth(now, then[k]) for k in (3, 12)},
        "upb_last_12m": [ratio(then[k], original) for k in range(11, -1, -1)],
        "utilisation": used[0],
        "utilisation_change_3m": None if None in (used[0], used[3]) else used[0] - used[3],  # type: ignore[operator]
        "utilisation_peak_12m": max((used[k] for k in range(12) if used[k] is not None), default=None),  # type: ignore[type-var]
        "limit_change_12m": _growth(limit, old),
        "shortfall_3m": _shortfall(loan, month),
        "payment_to_statement": _paid(loan, month),
        "curtailment_12m": _curtailed(loan, month),
    }


def _balance(loan: Loan, month: int) -> Decimal | None:
    """Return the balance known at a month, None where the loan was not in the book then."""
    return loan.last_of("upb", month) if month in loan.months else None


def _growth(now: Decimal | None, before: Decimal | None) -> float | None:
    return None if now is None or before is None else ratio(now - before, before)


def _to_schedule(loan: Loan, month: int) -> float | None:
    """Return the balance over the present value, at the original rate, of the level payments left."""
    upb, first = loan.last_of("upb", month), loan.month_of("first_payment_date")
    amount: Any
    rate: Any
    term: Any
    amount, rate, term = (loan.terms.get(name) for name in ("original_upb", "original_rate", "original_term"))
    if None in (upb, amount, rate, term):
        return None
    made = loan.age(month) if first is None else month - first + 1
    left = term - min(max(made, 0), term)
    growth = 1 + float(rate) / 1200
    share = left / term if rate == 0 else (1 - growth**-left) / (1 - growth**-term)
    return float(upb) / (float(amount) * share) if left else None


def _shortfall(loan: Loan, month: int) -> float | None:
    """Return the part of the payments due not received; what is paid beyond one makes up for no other."""
    recent = [row for row in loan.past(month) if row["month"] > month - 3 and row["payment"] is not None]
    dues = [(row["payment"], loan.due(row["month"])) for row in recent]
    counted = [(paid, due) for paid, due in dues if due is not None]
    short = sum((min(max(due - paid, Decimal(0)), due) for paid, due in counted), Decimal(0))
    return ratio(short, sum((due for _, due in counted), Decimal(0))) if counted else None


def _paid(loan: Loan, month: int) -> float | None:
    now = loan.reports.get(month, {}).get("payment")
    return ratio(now, loan.reports.get(month - loan.period, {}).get("statement"))


def _curtailed(loan: Loan, month: int) -> float | None:
    beyond = []
    for before, row in pairwise(loan.past(month)):
        due, rate = loan.due(row["month"]), loan.last_of("rate", row["month"])
        in_order = month - 12 < row["month"] == before["month"] + loan.period
        known = None not in (due, rate, before["upb"], row["upb"])
        if in_order and row["state"] == before["state"] == "current" and known:
            interest = (before["upb"] * rate * loan.period / 1200).quantize(CENT, ROUND_FLOOR)
            beyond.append(max(before["upb"] - row["upb"] - max(due - interest, 0), Decimal(0)))
    return ratio(sum(beyond, Decimal(0)), loan.terms.get("original_upb")) if beyond else None
