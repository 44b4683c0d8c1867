"""Features and labels of one loan and month, written from the definitions, a month at a time."""

from typing import Any

from loanbook.features.months import last_day, month_number
from tests.features.books import TERMINAL, Rows

SEVERITY = {"current": 0, "inactive": 0, "dpd30": 1, "dpd60": 2, "dpd90": 3, "foreclosure": 4, "reo": 5}
STALE = 3

Reports = dict[int, dict[str, Any]]
Expected = dict[tuple[str, Any], dict[str, Any]]


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


def expected_features(rows: Rows, last_month: int) -> Expected:
    """Return the delinquency and balance features of every loan in the book and month."""
    return {
        (loan_id, last_day(month)): _features(reports, month)
        for loan_id, reports in reports_of(rows).items()
        for month in range(min(reports), last_month + 1)
        if last_report(reports, month) is not None
    }


def _features(reports: Reports, month: int) -> dict[str, Any]:
    past = [reports[m] | {"month": m} for m in sorted(reports) if m <= month]
    now = past[-1]
    bad = [row["month"] for row in past if SEVERITY[row["state"]] >= 1]
    worst = max(SEVERITY[row["state"]] for row in past)

    def known(row: dict[str, Any]) -> bool:
        return row["months_delinquent"] is not None

    run = next((k for k in range(len(past), 0, -1) if past[k - 1]["state"] != now["state"]), 0)
    result = {
        "reported": now["month"] == month,
        "months_since_report": month - now["month"],
        "state": now["state"],
        "default_status": now["default_status"],
        "months_delinquent": next((r["months_delinquent"] for r in reversed(past) if known(r)), None),
        "months_since_30plus": month - bad[-1] if bad else None,
        "ever_30plus": int(worst >= 1),
        "ever_60plus": int(worst >= 2),
        "ever_90plus": int(worst >= 3),
        "default_episodes": now["default_episode"],
        "months_in_state": month - past[run]["month"] + 1,
        "previous_state": past[run - 1]["state"] if run else None,
        "observed_since_months": month - past[0]["month"],
        "months_observed_12m": len(_within(past, month, 12)),
        "modified": int(now["modified"]),
        "remaining_term": now["remaining_term"] - (month - now["month"]),
        "upb": now["upb"],
        "upb_to_original": float(now["upb"]) / 100_000.0,
    }
    for k in (3, 6, 12):
        ranks = _within(past, month, k)
        for bucket, least in ((30, 1), (60, 2), (90, 3)):
            count = sum(rank >= least for rank in ranks) if ranks else None
            result[f"months_{bucket}plus_{k}m"] = count
    for k in (12, 24):
        result[f"worst_state_{k}m"] = max(_within(past, month, k), default=None)
    for k in (3, 12):
        then = last_report(reports, month - k)
        change = None if then is None else float(now["upb"] - then["upb"]) / float(then["upb"])
        result[f"upb_change_{k}m"] = change
    return result


def _within(past: Rows, month: int, months: int) -> list[int]:
    return [SEVERITY[row["state"]] for row in past if row["month"] > month - months]


def expected_labels(rows: Rows, last_month: int) -> Expected:
    """Return the labels of every loan in the book and month, of a tape whose last complete month is given."""
    return {
        (loan_id, last_day(month)): _labels(reports, month, last_month)
        for loan_id, reports in reports_of(rows).items()
        for month in range(min(reports), last_month + 1)
        if last_report(reports, month) is not None
    }


def _labels(reports: Reports, month: int, last_month: int) -> dict[str, Any]:
    ahead = {m: row for m, row in reports.items() if month < m <= month + 12}
    defaulted = any(row["default_entry"] for row in ahead.values())
    exits = [row["state"] for row in ahead.values() if row["state"] in TERMINAL]
    now = last_report(reports, month)
    assert now is not None
    if now["default_status"] in ("in_default", "probation"):
        status = "in_default"
    elif month + 12 > last_month:
        status = "not_matured"
    elif not defaulted and "removed" in exits:
        status = "censored"
    elif defaulted or exits or last_report(reports, month + 12) is not None:
        status = "observed"
    else:
        status = "history_gap"
    label = int(defaulted) if status == "observed" else None
    following = reports.get(month + 1, {}).get("state") if month in reports and month < last_month else None
    return {
        "label_status": status,
        "default_12m": label,
        "default_12m_regulatory": 0 if status == "censored" else label,
        "next_state": following,
    }
