"""The truth of each loan-month a month ahead, and the book that it is computed from."""

from dataclasses import dataclass

import numpy as np

from loanbook.settings.simulate import SimulationSettings
from loanbook.simulate import after_default as ending
from loanbook.simulate import chain as ch
from loanbook.simulate.book import Loans, index_value
from loanbook.simulate.draws import Array
from loanbook.simulate.hazards import Traits, odds
from loanbook.simulate.macro import Macro
from loanbook.simulate.panel import Panel, mtm_ltv, realised_drivers

NEXT_STATES = (
    "current", "dpd30", "dpd60", "dpd90", "foreclosure", "reo", "prepaid", "matured", "liquidated", "removed",
)  # fmt: skip


@dataclass(frozen=True)
class Book:
    """What the truth is computed from, beside the panel."""

    settings: SimulationSettings
    macro: Macro
    loans: Loans
    traits: Traits
    chain: ch.Chain


def next_state(book: Book, panel: Panel) -> Array:
    """Return the probabilities of ``NEXT_STATES`` a month later, shape (rows, 10); NaN where a loan exits."""
    out = np.full((len(panel), len(NEXT_STATES)), np.nan, dtype=np.float32)
    for month in np.unique(panel.month):
        rows = np.flatnonzero((panel.month == month) & (panel.exit == 0))
        performing = panel.state[rows] < ch.DEFAULTED
        out[rows[performing]] = _performing_next(book, panel.take(rows[performing]), int(month))
        out[rows[~performing]] = _defaulted_next(book, panel.take(rows[~performing]))
    return out


def _performing_next(book: Book, rows: Panel, month: int) -> Array:
    points = (rows.balance + rows.deferred) / index_value(book.loans, book.macro)[rows.loan]
    age = rows.age.astype(int)[:, None]
    drivers = realised_drivers(book.macro, book.loans.region[rows.loan], month, age, points, rows.rate)
    indices = odds(book.settings.hazards, book.traits.take(rows.loan), drivers)
    chances = ch.probabilities(book.chain, rows.state, indices)
    out = np.zeros((len(rows), len(NEXT_STATES)))
    out[:, [0, 1, 2, 3, 6, 9]] = chances
    last = rows.remaining <= 1
    out[last, 7], out[last, 0] = out[last, 0], 0
    return out


def _defaulted_next(book: Book, rows: Panel) -> Array:
    reo = rows.state == ch.REO
    under = mtm_ltv(book.macro, book.loans, rows).astype(np.float32) > 1
    chances = ending.ending_probabilities(book.settings.defaults, rows.months_delinquent, under, reo)
    out = np.zeros((len(rows), len(NEXT_STATES)))
    out[:, 0] = chances[:, [ending.REINSTATED, ending.MODIFIED]].sum(axis=1)
    out[:, 3] = np.where(reo, 0, chances[:, ending.STAYS])
    out[:, 5] = np.where(reo, chances[:, ending.STAYS], chances[:, ending.TO_REO])
    out[:, 6] = chances[:, ending.PREPAID_END]
    sales = [ending.SHORT_SALE, ending.THIRD_PARTY, ending.NOTE_SALE, ending.DISPOSED]
    out[:, 8] = chances[:, sales].sum(axis=1)
    out[:, 9] = chances[:, ending.REMOVED_END]
    return out
