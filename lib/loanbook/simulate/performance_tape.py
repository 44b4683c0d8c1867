"""Performance files: Freddie Mac's 32 published fields, pipe separated, in their order.

Most rows hold nothing in fields 7-10, 12-25 and 27-31: those stretches are one constant text, written in
full only for loans that left, were modified or received assistance.
"""

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loanbook.settings.simulate import TapeSettings
from loanbook.simulate import chain as ch
from loanbook.simulate import text
from loanbook.simulate.book import Loans
from loanbook.simulate.draws import Array
from loanbook.simulate.origination_tape import calendar
from loanbook.simulate.panel import DEFECT, DISPOSED, EXITS, NOTE_SALE, SHORT_SALE, THIRD_PARTY, Panel

LOSSES = (THIRD_PARTY, SHORT_SALE, DISPOSED, NOTE_SALE)
ROUNDED_AGES = 6  # first months whose balance is published to 1,000 dollars only
LONGEST = 400  # months


@dataclass(frozen=True)
class Observed:
    """What the tape shows of a panel's rows.

    Attributes:
        reported: whether the row is on the tape at all.
        blank: whether its delinquency status is.
        assisted: whether it tells of an assistance plan.
        noise: a uniform draw, for amounts that nothing depends on.
        mtm_ltv: share, as the servicer estimates it from the published index.
    """

    reported: Array
    blank: Array
    assisted: Array
    noise: Array
    mtm_ltv: Array

    def take(self, rows: "Array | slice") -> "Observed":
        """Return some of the rows."""
        return Observed(*(getattr(self, field.name)[rows] for field in fields(self)))


def observe(
    p: TapeSettings, panel: Panel, mtm_ltv: Array, rng: np.random.Generator, delinquent_gap: float = 0.0
) -> Observed:
    """Draw what the tape does not show: gaps of 1 to 3 months, blank statuses, and assistance plans.

    No loan's first or last row is in a gap.

    Args:
        p: the shares of each.
        panel: all rows, by loan, then month.
        mtm_ltv: of each row.
        rng: draws four numbers a row.
        delinquent_gap: more chance that a gap starts where a loan is past due.
    """
    n = len(panel)
    draws = rng.random((4, n))
    chance = p.gap_start + delinquent_gap * (panel.months_delinquent > 0)
    start, length = draws[0] < chance, 1 + (draws[1] * 3).astype(int)
    hidden = start.copy()
    for k in (1, 2):
        hidden[k:] |= start[:-k] & (length[:-k] > k)
    edge = np.ones(n, dtype=bool)
    edge[1:-1] = (panel.loan[1:-1] != panel.loan[:-2]) | (panel.loan[1:-1] != panel.loan[2:])
    troubled = (panel.months_delinquent >= 2) & (panel.exit == 0) & (panel.state != ch.REO)
    return Observed(
        reported=edge | ~hidden,
        blank=(draws[2] < p.blank_status) & (panel.exit == 0),
        assisted=troubled & (draws[3] < 0.12),
        noise=draws[1],
        mtm_ltv=mtm_ltv,
    )


def performance_columns(
    first_month: str, loans: Loans, ids: pa.Array, panel: Panel, seen: Observed, months: int
) -> list[pa.Array]:
    """Return the 32 fields of the reported rows as text, some of them already joined to one column.

    Args:
        first_month: of the tape, ``YYYY-MM``.
        loans: that the panel's rows are of.
        ids: theirs.
        panel: all rows.
        seen: what the tape shows of them.
        months: length of the tape.
    """
    rows = np.flatnonzero(seen.reported)
    panel, kept = panel.take(rows), seen.take(rows)
    periods = calendar(first_month, np.arange(months)).astype(str).tolist()
    gone = panel.exit > 0
    early = (panel.age < ROUNDED_AGES) & ~gone
    upb = np.where(gone, 0.0, np.where(early, np.round(panel.upb, -3), np.round(panel.upb, 2)))
    return [
        ids.take(pa.array(panel.loan)),
        text.lookup(periods, panel.month),
        text.money(upb),
        _status(panel, kept),
        text.lookup([f"{i:03d}" for i in range(LONGEST)], panel.age),
        text.whole(panel.remaining),
        _flags(panel, periods),
        text.percent(panel.rate),
        _amounts(first_month, loans, panel, kept),
        text.known(np.where(kept.noise < 0.01, np.nan, np.round(np.minimum(kept.mtm_ltv, 9) * 100)), "999"),
        _removal(panel, kept),
        text.money(np.where(gone, 0.0, upb - panel.deferred)),
    ]


def _status(panel: Panel, seen: Observed) -> pa.Array:
    codes = [str(i) for i in range(LONGEST)] + ["RA", ""]
    acquired = (panel.state == ch.REO) | (panel.exit == DISPOSED)
    return text.lookup(
        codes, np.select([seen.blank, acquired], [LONGEST + 1, LONGEST], panel.months_delinquent)
    )


def _flags(panel: Panel, periods: list[str]) -> pa.Array:
    """Return fields 7 to 10: defect settlement date, modification flag, zero balance code and date."""
    rows = np.flatnonzero((panel.exit > 0) | (panel.modified > 0))
    some = panel.take(rows)
    last = len(periods)
    columns = [
        text.lookup([*periods, ""], np.where(some.exit == DEFECT, some.month, last)),
        text.lookup(["", "Y", "P"], some.modified),
        text.lookup(list(EXITS), some.exit),
        text.lookup([*periods, ""], np.where(some.exit > 0, some.month, last)),
    ]
    return text.sparse(len(panel), "|||", rows, text.joined(columns))


def _amounts(first_month: str, loans: Loans, panel: Panel, seen: Observed) -> pa.Array:
    """Return fields 12 to 25: deferred balance, last instalment, recoveries, expenses, loss, step flag."""
    rows = np.flatnonzero(np.isin(panel.exit, LOSSES) | (panel.modified > 0))
    some, noise, ltv = panel.take(rows), seen.noise[rows], seen.mtm_ltv[rows]
    lost = np.isin(some.exit, LOSSES)
    paid_to = calendar(first_month, some.month - some.months_delinquent)
    proceeds = some.upb * np.minimum((0.68 + 0.12 * noise) / np.maximum(ltv, 0.2), 1.04)
    insured = np.where(loans.insurance[some.loan] == 999, 0, loans.insurance[some.loan])
    recovered = np.minimum(some.upb * insured / 100, np.maximum(some.upb - proceeds, 0))
    costs = [-some.upb * share * (0.5 + noise) for share in (0.012, 0.010, 0.022, 0.004)]
    other = some.upb * 0.002 * noise
    loss = (
        proceeds
        + recovered
        + other
        + np.sum([np.round(c, 2) for c in costs], axis=0)
        - some.upb
        - accrued(some)
    )
    changed = some.modified > 0
    sold = pc.if_else(pa.array(noise < 0.03), pa.scalar("U", pa.large_string()), text.money(proceeds))
    blank = text.lookup([""], np.zeros(len(rows), np.int8))
    columns = [
        text.money(some.deferred),
        _where(lost, text.whole(paid_to)),
        _where(lost, text.money(recovered)),
        _where(lost, sold),
        _where(lost, text.money(other)),
        _where(lost, text.money(np.sum([np.round(c, 2) for c in costs], axis=0))),
        *(_where(lost, text.money(cost)) for cost in costs),
        _where(lost, text.money(loss)),
        blank,
        _where(changed, text.lookup(["N", "Y"], (loans.extra[some.loan, 0] < 0.2).astype(np.int8))),
        blank,
    ]
    return text.sparse(len(panel), "0.00" + "|" * 13, rows, text.joined(columns))


def _removal(panel: Panel, seen: Observed) -> pa.Array:
    """Return fields 27 to 31: balance removed, accrued interest, disaster, assistance, modification."""
    rows = np.flatnonzero((panel.exit > 0) | (panel.modified > 0) | seen.assisted)
    some = panel.take(rows)
    live_modified = (some.modified > 0) & (some.exit == 0)
    columns = [
        _where(some.exit > 0, text.money(some.upb)),
        _where(np.isin(some.exit, LOSSES), text.money(accrued(some))),
        text.lookup(["", "Y"], (seen.assisted[rows] & (seen.noise[rows] < 0.05)).astype(np.int8)),
        text.lookup(
            ["", "F", "R", "T"], np.where(seen.assisted[rows], 1 + (seen.noise[rows] * 3).astype(int), 0)
        ),
        _where(live_modified, text.money(np.where(live_modified, 0.0004 * some.upb, 0))),
    ]
    return text.sparse(len(panel), "||||", rows, text.joined(columns))


def accrued(panel: Panel) -> Array:
    """Return the interest unpaid since the last instalment, dollars.

    Balance x monthly rate x months delinquent, without compounding.
    """
    out: Array = panel.upb * panel.rate / 1200 * panel.months_delinquent
    return out


def _where(mask: Array, column: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(mask), column, pa.scalar("", pa.large_string()))
