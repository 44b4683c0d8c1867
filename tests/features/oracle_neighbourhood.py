"""Default and prepayment rates around one loan and month, counted over the reports of all other loans."""

from dataclasses import dataclass
from typing import Any

from loanbook.book.months import month_number
from tests.features.books import Rows, repaid

KINDS = ("region", "zip3", "vintage")
EVENTS = ("default", "prepayment")


@dataclass(frozen=True)
class Event:
    """A report of a loan at risk: whether it defaulted or was repaid in that month."""

    loan_id: str
    cells: dict[str, Any]  # by kind
    happened: dict[str, bool]


def events_of(performance: Rows, terms: dict[str, dict[str, Any]]) -> dict[int, list[Event]]:
    """Return the reports of loans at risk, by month."""
    events: dict[int, list[Event]] = {}
    for row in performance:
        if row["default_status"] == "performing" or row["default_entry"] or repaid(row):
            cells = {kind: terms.get(row["loan_id"], {}).get(kind) for kind in KINDS}
            happened = {
                "default": row["default_entry"],
                "prepayment": repaid(row) and not row["default_entry"],
            }
            event = Event(row["loan_id"], cells, happened)
            events.setdefault(month_number(row["as_of_date"]), []).append(event)
    return events


def rates(
    events: dict[int, list[Event]],
    loan_id: str,
    terms: dict[str, Any],
    month: int,
    period: int,
    weight: float,
) -> dict[str, float | None]:
    """Return the yearly rates of the 12 months before a month, shrunk to those of all other loans.

    A cell's rate is mixed with the rate of the source as if that had been seen in ``weight`` reports.
    """
    window = (event for before in range(month - 12, month) for event in events.get(before, []))
    others = [event for event in window if event.loan_id != loan_id]
    result: dict[str, float | None] = {}
    for kind in KINDS:
        inside = [event for event in others if event.cells[kind] == terms.get(kind)]
        for name in EVENTS:
            rate = None
            if others and terms.get(kind) is not None:
                source = sum(event.happened[name] for event in others) / len(others)
                own = sum(event.happened[name] for event in inside)
                rate = 12 / period * (own + weight * source) / (len(inside) + weight)
            result[f"{kind}_{name}_rate_12m"] = rate
    return result
