"""Delinquency of one loan and month, from the definitions."""

from typing import Any

from tests.features.books import Rows
from tests.features.oracle_loan import Loan, last_of

SEVERITY = {"current": 0, "inactive": 0, "dpd30": 1, "dpd60": 2, "dpd90": 3, "foreclosure": 4, "reo": 5}
CODES = ["missing", "current", "dpd30", "dpd60", "dpd90", "foreclosure", "reo", "inactive"]


def state_features(loan: Loan, month: int) -> dict[str, Any]:
    """Return the delinquency features, and the columns of ``features`` beside them."""
    past = loan.past(month)
    return _states(past, month, loan.period) | _windows(past, month)


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
    }


def own_of(past: Rows, name: str) -> dict[str, Any] | None:
    """Return the values last known of the tape's own attributes that are inputs; None without any."""
    known: dict[str, Any] = {}
    for row in past:
        roles = row["attribute_roles"]
        known |= {k: v for k, v in row[name].items() if v is not None and roles[k] == "input"}
    return known or None


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
