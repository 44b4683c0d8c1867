"""The truth of each loan-month: next-month probabilities and the 12-month PD, realised and expected."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from loanbook.settings.simulate import SimulationSettings
from loanbook.simulate import after_default as ending
from loanbook.simulate import chain as ch
from loanbook.simulate.book import Loans, index_value
from loanbook.simulate.draws import Array, generator
from loanbook.simulate.hazards import Traits, odds
from loanbook.simulate.macro import HPI_LAG, UNEMPLOYMENT_LAG, Macro, onward
from loanbook.simulate.panel import Panel, mtm_ltv, realised_drivers
from loanbook.simulate.recursion import Cohort, Paths, default_probability

HORIZON = 12  # months
NEXT_STATES = (
    "current", "dpd30", "dpd60", "dpd90", "foreclosure", "reo", "prepaid", "matured", "liquidated", "removed",
)  # fmt: skip
CHUNK = 64  # loans a task on all paths: its arrays stay in the processor's cache
CHUNK_REALISED = 16_384


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


def pd_12m(book: Book, panel: Panel, wanted: Array, paths_of: Callable[[int], Paths], chunk: int) -> Array:
    """Return the 12-month PD of the wanted performing rows, NaN of the others, shape (rows,).

    Args:
        book: what the truth is computed from.
        panel: the rows.
        wanted: which of them, shape (rows,).
        paths_of: the macro paths from a tape month on.
        chunk: loans that one thread takes at a time.
    """
    out = np.full(len(panel), np.nan, dtype=np.float32)
    at_risk = np.flatnonzero(wanted & (panel.state < ch.DEFAULTED))
    by_month = at_risk[np.lexsort((panel.state[at_risk], panel.month[at_risk]))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for month in np.unique(panel.month[by_month]).tolist():
            rows, paths = by_month[panel.month[by_month] == month], paths_of(month)
            parts = [rows[i : i + chunk] for i in range(0, len(rows), chunk)]
            cohorts = [_cohort(book, panel.take(part)) for part in parts]
            p, chain = book.settings.hazards, book.chain
            jobs = [pool.submit(default_probability, p, chain, cohort, paths) for cohort in cohorts]
            for part, job in zip(parts, jobs, strict=True):
                out[part] = job.result()
    return out


def _cohort(book: Book, rows: Panel) -> Cohort:
    value = index_value(book.loans, book.macro)[rows.loan]
    return Cohort(
        traits=book.traits.take(rows.loan),
        state=rows.state,
        region=book.loans.region[rows.loan],
        age=rows.age.astype(int),
        remaining=rows.remaining.astype(int),
        rate=rows.rate,
        points=rows.balance / value,
        deferred_points=rows.deferred / value,
    )


def realised_paths(macro: Macro, month: int) -> Paths:
    """Return the one realised path as it was published in the twelve months from a tape month.

    Args:
        macro: the realised path.
        month: the tape month.
    """
    m = np.arange(month, month + HORIZON) + macro.lead
    return Paths(
        unemployment=macro.unemployment[m - UNEMPLOYMENT_LAG][:, :, None].astype(np.float32),
        hpi=macro.hpi[m - HPI_LAG][:, :, None].astype(np.float32),
        rate=macro.rate[m][:, None].astype(np.float32),
    )


def expected_paths(settings: SimulationSettings, macro: Macro, month: int, seed: int) -> Paths:
    """Return paths simulated from a tape month on, shared by all loans, as they would be published.

    What is published in the first months is of months before, and so the same on every path: unemployment is
    a month late, house prices two.

    Args:
        settings: of the simulation.
        macro: the realised path up to the month.
        month: the tape month.
        seed: of every draw.
    """
    m, n = month + macro.lead, settings.truth.paths
    ahead = onward(settings.macro, macro.states[m], n, HORIZON - 1, generator(seed, "paths", month))
    past_u = [np.repeat(macro.unemployment[m + k][None], n, axis=0) for k in range(-UNEMPLOYMENT_LAG, 1)]
    past_h = [np.repeat(macro.hpi[m + k][None], n, axis=0) for k in range(-HPI_LAG, 1)]
    unemployment = [*past_u, *(state.regional_unemployment() for state in ahead)]
    hpi = [*past_h, *(state.regional_hpi() for state in ahead)]
    rate = [np.full(n, macro.rate[m]), *(state.rate for state in ahead)]
    return Paths(
        unemployment=np.stack(unemployment[:HORIZON]).transpose(0, 2, 1).astype(np.float32).copy(),
        hpi=np.stack(hpi[:HORIZON]).transpose(0, 2, 1).astype(np.float32).copy(),
        rate=np.stack(rate).astype(np.float32),
    )
