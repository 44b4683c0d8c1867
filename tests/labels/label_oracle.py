"""Labels of one loan and month, written from the definitions, a month at a time."""

from collections.abc import Sequence
from typing import Any

from loanbook.book.months import last_day
from tests.features.books import TERMINAL, Rows
from tests.features.oracle import Expected, Reports, last_report, reports_of


def expected_labels(
    rows: Rows, last_month: int, horizons: Sequence[int] = (6, 12, 24), period: int = 1
) -> Expected:
    """Return the labels of every loan in the book and month, of a tape whose last complete month is given."""
    return {
        (loan_id, last_day(month)): _labels(reports, month, last_month, horizons, period)
        for loan_id, reports in reports_of(rows).items()
        for month in range(min(reports), last_month + 1, period)
        if last_report(reports, month) is not None
    }


def _labels(
    reports: Reports, month: int, last_month: int, horizons: Sequence[int], period: int
) -> dict[str, Any]:
    has_next = month in reports and month < last_month
    result = {"next_state": reports.get(month + period, {}).get("state") if has_next else None}
    for horizon in horizons:
        status, defaulted = _status(reports, month, last_month, horizon)
        label = int(defaulted) if status == "observed" else None
        name = f"default_{horizon}m"
        result["label_status" if horizon == 12 else f"label_status_{horizon}m"] = status
        result[name] = label
        result[f"{name}_regulatory"] = 0 if status == "censored" else label
    return result


def _status(reports: Reports, month: int, last_month: int, horizon: int) -> tuple[str, bool]:
    """Return the status of a label, and whether the loan defaulted within its horizon."""
    ahead = [row for m, row in reports.items() if month < m <= month + horizon]
    defaulted = any(row["default_entry"] for row in ahead)
    exits = [row["state"] for row in ahead if row["state"] in TERMINAL]
    now = last_report(reports, month)
    assert now is not None
    if now["default_status"] in ("in_default", "probation"):
        return "in_default", defaulted
    if month + horizon > last_month:
        return "not_matured", defaulted
    if not defaulted and "removed" in exits:
        return "censored", defaulted
    if defaulted or exits or last_report(reports, month + horizon) is not None:
        return "observed", defaulted
    return "history_gap", defaulted
