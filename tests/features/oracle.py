"""Features of one loan and month, written from the definitions, a month at a time."""

from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise
from typing import Any

from loanbook.book.months import last_day, month_number
from tests.features.books import TERMINAL, Rows

SEVERITY = {"current": 0, "inactive": 0, "dpd30": 1, "dpd60": 2, "dpd90": 3, "foreclosure": 4, "reo": 5}
CODES = ["missing", "current", "dpd30", "dpd60", "dpd90", "foreclosure", "reo", "inactive"]
STALE = 3
INSTALMENT = Decimal("484.65")  # of a month, of 100,000 over 360 months at 4.125 percent

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


def expected_features(rows: Rows, last_month: int, period: int = 1) -> Expected:
    """Return the delinquency and balance features of every loan in the book and month."""
    return {
        (loan_id, last_day(month)): _features(reports, month, period)
        for loan_id, reports in reports_of(rows).items()
        for month in range(min(reports), last_month + 1, period)
        if last_report(reports, month) is not None
    }


def _features(reports: Reports, month: int, period: int) -> dict[str, Any]:
    past = [reports[m] | {"month": m} for m in sorted(reports) if m <= month]
    return _states(past, month, period) | _windows(past, month) | _balances(reports, past, month, period)


def _states(past: Rows, month: int, period: int) -> dict[str, Any]:
    now, ranks = past[-1], [SEVERITY[row["state"]] for row in past]
    bad = [row["month"] for row in past if SEVERITY[row["state"]] >= 1]
    steps = list(zip([0, *ranks], ranks, strict=False))
    run = next((k for k in range(len(past), 0, -1) if past[k - 1]["state"] != now["state"]), 0)
    return {
        "reported": now["month"] == month,
        "months_since_report": month - now["month"],
        "state": now["state"],
        "default_status": now["default_status"],
        "months_delinquent": last_of(past, "months_delinquent"),
        "months_since_30plus": month - bad[-1] if bad else None,
        **{f"ever_{days}plus": int(max(ranks) >= days // 30) for days in (30, 60, 90)},
        "episodes_30plus": sum(before == 0 < rank for before, rank in steps),
        "worsenings": sum(rank > before for before, rank in steps[1:]),
        "cures_30plus": sum(rank == 0 < before for before, rank in steps),
        "longest_run_current": _longest_run(past, period),
        "default_episodes": now["default_episode"],
        "months_in_state": month - past[run]["month"] + 1,
        "previous_state": past[run - 1]["state"] if run else None,
        "observed_since_months": month - past[0]["month"],
        "modified": int(now["modified"]),
        "numeric_inputs": own_of(past, "numeric_attributes"),
        "categorical_inputs": own_of(past, "categorical_attributes"),
        "remaining_term": now["remaining_term"] - (month - now["month"]),
    }


def own_of(past: Rows, name: str) -> dict[str, Any] | None:
    """Return the values last known of the tape's own attributes that are inputs; None without any."""
    known: dict[str, Any] = {}
    for row in past:
        roles = row["attribute_roles"]
        known |= {k: v for k, v in row[name].items() if v is not None and roles[k] == "input"}
    return known or None


def last_of(past: Rows, name: str) -> Any:
    """Return the last value that was reported of a column."""
    return next((row[name] for row in reversed(past) if row[name] is not None), None)


def _longest_run(past: Rows, period: int) -> int:
    longest, run, before = 0, 0, None
    for row in past:
        late = SEVERITY[row["state"]] > 0
        run = 0 if late else 1 if before is None or row["month"] > before + period else run + 1
        longest, before = max(longest, run), row["month"]
    return longest


def _windows(past: Rows, month: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for k in (3, 6, 12, 24):
        ranks = [SEVERITY[row["state"]] for row in past if row["month"] > month - k]
        result[f"months_observed_{k}m"] = len(ranks)
        for bucket, least in ((30, 1), (60, 2), (90, 3)):
            count = sum(rank >= least for rank in ranks) if ranks else None
            result[f"months_{bucket}plus_{k}m"] = count
        if k > 3:
            result[f"worst_state_{k}m"] = max(ranks, default=None)
    states = {row["month"]: row["state"] for row in past}
    months = range(month - 11, month + 1)
    result["state_last_12m"] = [CODES.index(states[m]) if m in states else 0 for m in months]
    return result


def _balances(reports: Reports, past: Rows, month: int, period: int) -> dict[str, Any]:
    now, due = past[-1], INSTALMENT * period
    then: dict[int, Any] = {k: None if k % period else last_report(reports, month - k) for k in range(13)}
    result = {"upb": now["upb"], "upb_to_original": float(now["upb"]) / 100_000.0}
    for k in (3, 12):
        before = then[k]
        result[f"upb_change_{k}m"] = (
            None if before is None else ratio(now["upb"] - before["upb"], before["upb"])
        )
    result["upb_last_12m"] = [
        None if then[k] is None else float(then[k]["upb"]) / 100_000.0 for k in range(11, -1, -1)
    ]
    used: dict[int, Any] = {k: _utilisation(then[k], reports, month - k) for k in range(13)}
    given = [used[k] for k in range(12) if used[k] is not None]
    old: Any
    limit, old = _limit(reports, month), None if then[12] is None else _limit(reports, month - 12)
    recent = [row for row in past if row["month"] > month - 3 and row["payment"] is not None]
    short = sum((min(max(due - row["payment"], Decimal(0)), due) for row in recent), Decimal(0))
    return result | {
        "utilisation": used[0],
        "utilisation_change_3m": None if None in (used[0], used[3]) else used[0] - used[3],
        "utilisation_peak_12m": max(given, default=None),
        "limit_change_12m": None if None in (limit, old) else ratio(limit - old, old),
        "shortfall_3m": ratio(short, due * len(recent)) if recent else None,
        "payment_to_statement": _paid(reports, month, period),
        "curtailment_12m": _curtailed(past, month, period),
    }


def ratio(top: Decimal, bottom: Decimal) -> float:
    """Return the quotient of two amounts, of their cents."""
    return int(top * 100) / int(bottom * 100)


def _limit(reports: Reports, month: int) -> Any:
    return last_of([reports[m] for m in sorted(reports) if m <= month], "credit_limit")


def _utilisation(known: dict[str, Any] | None, reports: Reports, month: int) -> float | None:
    limit = _limit(reports, month)
    return None if known is None or limit is None else ratio(known["upb"], limit)


def _paid(reports: Reports, month: int, period: int) -> float | None:
    now, before = reports.get(month, {}).get("payment"), reports.get(month - period, {}).get("statement")
    return None if now is None or before is None else ratio(now, before)


def _curtailed(past: Rows, month: int, period: int) -> float | None:
    due = INSTALMENT * period
    beyond = [
        max(before["upb"] - row["upb"] - max(due - _interest(before["upb"], period), 0), 0)
        for before, row in pairwise(past)
        if month - 12 < row["month"] == before["month"] + period
        and row["state"] == before["state"] == "current"
    ]
    return ratio(sum(beyond, Decimal(0)), Decimal(100_000)) if beyond else None


def _interest(upb: Decimal, period: int) -> Decimal:
    return (upb * Decimal("4.125") * period / 1200).quantize(Decimal("0.01"), ROUND_FLOOR)
