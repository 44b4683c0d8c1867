"""The running state of loans: all that the features of a month need of the months before it.

``History.advance`` takes in one month of a partition's loans. A rebuild calls it for each month in turn; an
increment calls it once, on the state that the month before left. So both give the same bits. Amounts are
cents and interest rates 1/100,000 of a percent, as integers: no sum depends on an order.

Of a loan reported current, then not at all, then 30 days late, the state after each month holds

    month  report  last  run  seen  dpd30
    1      current  1    1    001   000
    2      -        1    1    010   000
    3      dpd30    3    0    101   001

``last`` is the month of the last report and ``run`` the reports in a row without delinquency. ``seen`` and
``dpd30`` have a bit for each of the last 24 months, the latest lowest: whether there was a report, and
whether it was 30 or more days past due.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from loanbook.features.engine.values import NO_AMOUNT, NONE, Numbers, Values
from loanbook.tables.columns import DEFAULT_STATUSES, STATES

BITS = 24  # months of the yes-or-no histories, the latest in the lowest bit
MASK = np.uint32(2**BITS - 1)

SEVERE = ("dpd30", "dpd60", "dpd90", "foreclosure", "reo")
SEVERITY = np.array([SEVERE.index(state) + 1 if state in SEVERE else 0 for state in STATES], np.int8)
CURRENT = STATES.index("current")
PERFORMING = DEFAULT_STATUSES.index("performing")
YEARLY = 12 * 100 * 100_000  # the divisor of a yearly rate in 1/100,000 of a percent, for a month

# A number a loan, and what it is before the first report.
NUMBERS: dict[str, tuple[type[np.signedinteger[Any]], int]] = {
    "first": (np.int32, NONE),  # month of the first report
    "last": (np.int32, NONE),  # month of the last report
    "touched": (np.int32, NONE),  # last month in the book
    "since": (np.int32, NONE),  # month of the report that began the present state
    "late": (np.int32, NONE),  # last month reported 30 or more days past due
    "default_episodes": (np.int32, 0),
    "months_delinquent": (np.int32, NONE),
    "rate": (np.int32, NONE),
    "maturity": (np.int32, NONE),  # month of the contractual maturity
    "run": (np.int32, 0),  # reports in the present unbroken series without delinquency
    "longest": (np.int32, 0),
    "episodes": (np.int32, 0),  # of 30 or more days past due
    "worsenings": (np.int32, 0),
    "cures": (np.int32, 0),
    "money_months": (np.int32, 0),  # months in the money
    "state": (np.int8, -1),
    "prior": (np.int8, -1),  # the state before the present one
    "worst": (np.int8, -1),
    "status": (np.int8, -1),
    "modified": (np.int8, -1),
    "has_upb": (np.int8, 0),  # whether the last report has a balance
    "upb": (np.int64, NO_AMOUNT),
    "limit": (np.int64, NO_AMOUNT),
}
# What held or not in a month. Each of the first six implies those before it: dpd60 implies dpd30 and seen.
HISTORIES = ("seen", *SEVERE, "in_book", "at_risk", "entered")
# Values of the latest months: their type and how many. Those of months outside the book mean nothing.
RINGS: dict[str, tuple[type[np.signedinteger[Any]], int]] = {
    "state": (np.int8, 12),
    "incentive": (np.int32, 12),
    "upb": (np.int64, 13),
    "curtailed": (np.int64, 12),
    "limit": (np.int64, 13),
    "statement": (np.int64, 4),  # a quarterly tape's statement before is three months old
    "paid": (np.int64, 1),
    "due": (np.int64, 3),
    "short": (np.int64, 3),
}
MISSING = {np.int8: -1, np.int32: NONE, np.int64: NO_AMOUNT}
_FLAGS = "flags"


@dataclass(frozen=True)
class Reports:
    """One month's reports of a partition, one entry a loan, live ones only.

    Args:
        columns: ``state``, ``status`` (positions in their lists), ``default_episodes``, ``upb``,
            ``limit``, ``payment``, ``statement`` (cents), ``rate`` (1/100,000 percent), ``maturity`` (month),
            ``months_delinquent``, ``modified``, ``flags``; missing ones are the sentinel of their type.
        instalment: level payment due in the period, cents; the sentinel where none is.
        period_months: months between two reports.
    """

    columns: dict[str, Numbers]
    instalment: Numbers
    period_months: int


class History:
    """The running state of the loans of a partition, each array with one entry (or column) a loan."""

    def __init__(self, loans: int) -> None:
        self.numbers = {name: np.full(loans, none, kind) for name, (kind, none) in NUMBERS.items()}
        self.numbers[_FLAGS] = np.full(loans, -1, np.int32)
        self.months = np.zeros((len(HISTORIES), loans), np.uint32)
        self.rings = {
            name: np.full((months, loans), MISSING[kind], kind) for name, (kind, months) in RINGS.items()
        }

    def advance(self, month: int, at: Numbers, reported: Numbers, reports: Reports) -> None:
        """Take in a month: every call is later than the last, and months in between have no report.

        Args:
            month: its number.
            at: positions of the loans in the book, in order, shape (n,).
            reported: whether each of them has a report, shape (n,).
            reports: these, in the order of their loans.
        """
        seen = at[reported]
        before = {name: self.numbers[name][seen] for name in ("upb", "state")}
        before["upb"][self.numbers["has_upb"][seen] == 0] = NO_AMOUNT  # it is of an earlier report
        unbroken = month - self.numbers["last"][seen].astype(np.int64) == reports.period_months
        self._shift(month, at)
        for name, (kind, _) in RINGS.items():
            self._note(name, month, at, MISSING[kind])
        self._observe(month, seen, reports.columns, unbroken)
        self._pay(month, seen, reports, before, unbroken)
        for name in ("upb", "limit"):
            self._note(name, month, at, self.numbers[name][at])

    def note_incentive(self, month: int, at: Numbers, incentive: Values) -> None:
        """Keep a month's rate incentive of the loans in the book.

        Called after ``advance``, as the incentive is made of the rate that the month reports.

        Args:
            month: its number.
            at: positions of n loans.
            incentive: percentage points, n values.
        """
        whole = np.rint(incentive.filled(0) * 100_000).astype(np.int32)
        self._note("incentive", month, at, np.where(incentive.mask, whole, NONE))
        self.numbers["money_months"][at] += incentive.mask & (whole > 0)

    def leave(self, at: Numbers) -> None:
        """Forget the loans that a terminal row took out of the book."""
        self.numbers["last"][at] = NONE

    def _note(self, name: str, month: int, at: Numbers, values: Numbers | int) -> None:
        ring = self.rings[name]
        ring[month % len(ring), at] = values

    def ago(self, name: str, month: int, at: Numbers) -> Numbers:
        """Return what a ring holds of a month, one of its latest: ``RINGS`` says how many it keeps.

        Of a month in which the loan was not in the book the value means nothing: ``Known.ago`` masks it.
        """
        ring = self.rings[name]
        values: Numbers = ring[month % len(ring)][at]
        return values

    def _mark(self, name: str, at: Numbers, holds: Numbers) -> None:
        self.months[HISTORIES.index(name), at] |= holds.astype(np.uint32)

    def _shift(self, month: int, at: Numbers) -> None:
        touched = self.numbers["touched"]
        months = np.minimum(month - touched[at].astype(np.int64), BITS).astype(np.uint32)
        self.months[:, at] = (self.months[:, at] << months) & MASK
        self._mark("in_book", at, np.ones(len(at), bool))
        touched[at] = month

    def _observe(self, month: int, at: Numbers, report: dict[str, Numbers], unbroken: Numbers) -> None:
        n = self.numbers
        state, severity = report["state"], SEVERITY[report["state"]]
        was, new = n["state"][at], n["first"][at] == NONE
        was_severity = np.where(new, 0, SEVERITY[was])
        late, changed = severity >= 1, new | (state != was)
        levels = np.arange(len(SEVERE) + 1, dtype=np.int8)[:, None]
        self.months[: len(SEVERE) + 1, at] |= severity >= levels
        entered = report["default_episodes"] > n["default_episodes"][at]
        self._mark("entered", at, entered)
        self._mark("at_risk", at, entered | (report["status"] == PERFORMING))
        self._note("state", month, at, state)

        n["run"][at] = np.where(late, 0, np.where(unbroken, n["run"][at], 0) + 1)
        n["longest"][at] = np.maximum(n["longest"][at], n["run"][at])
        n["episodes"][at] += late & (was_severity == 0)
        n["worsenings"][at] += ~new & (severity > was_severity)
        n["cures"][at] += ~late & (was_severity > 0)
        n["worst"][at] = np.maximum(n["worst"][at], severity)
        n["late"][at] = np.where(late, month, n["late"][at])
        n["prior"][at] = np.where(changed, was, n["prior"][at])
        n["since"][at] = np.where(changed, month, n["since"][at])
        n["first"][at] = np.where(new, month, n["first"][at])
        n["last"][at] = month
        n["has_upb"][at] = report["upb"] != NO_AMOUNT
        for name in ("state", "status", "default_episodes", _FLAGS):
            n[name][at] = report[name]
        for name in ("upb", "limit", "rate", "maturity", "months_delinquent", "modified"):
            given = report[name] != MISSING[n[name].dtype.type]
            n[name][at] = np.where(given, report[name], n[name][at])

    def _pay(
        self,
        month: int,
        at: Numbers,
        reports: Reports,
        before: dict[str, Numbers],
        unbroken: Numbers,
    ) -> None:
        """Note what was due and paid, and what the balance fell by beyond the schedule."""
        report = reports.columns
        due, paid = reports.instalment, report["payment"]
        counted = (due != NO_AMOUNT) & (paid != NO_AMOUNT)
        self._note("due", month, at, np.where(counted, due, NO_AMOUNT))
        self._note("short", month, at, np.where(counted, np.clip(due - paid, 0, due), NO_AMOUNT))
        self._note("paid", month, at, paid)
        self._note("statement", month, at, report["statement"])
        rate, balance = self.numbers["rate"][at].astype(np.int64), before["upb"]
        in_order = unbroken & (before["state"] == CURRENT) & (report["state"] == CURRENT)
        known = (due != NO_AMOUNT) & (rate != NONE) & (balance != NO_AMOUNT) & (report["upb"] != NO_AMOUNT)
        held = np.where(in_order & known, balance, 0)
        whole, rest = np.divmod(held, YEARLY)  # multiplied apart, so that no product exceeds 64 bits
        periodic = np.where(known, rate, 0) * reports.period_months
        interest = whole * periodic + rest * periodic // YEARLY
        scheduled = np.maximum(np.where(known, due, 0) - interest, 0)
        beyond = np.maximum(held - np.where(known, report["upb"], 0) - scheduled, 0)
        self._note("curtailed", month, at, np.where(in_order & known, beyond, NO_AMOUNT))
