"""The truth of many months ahead: within twelve of them, and month by month to the end of a loan's term."""

import os
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from loanbook.settings.simulate import HazardProcess
from loanbook.simulate import chain as ch
from loanbook.simulate.all_cores import Each
from loanbook.simulate.book import index_value
from loanbook.simulate.draws import Array
from loanbook.simulate.panel import Panel
from loanbook.simulate.paths import EXPECTED, Outlook, Paths
from loanbook.simulate.recursion import DEFAULT, PREPAYMENT, REMOVED, Cohort, marginals
from loanbook.simulate.truth import Book

HORIZON = 12  # months
CHUNK = 64  # loans a task on many paths: its arrays stay in the processor's cache
CHUNK_FEW_PATHS = 16_384


def within_12m(book: Book, panel: Panel, wanted: Array, outlook: Outlook, each: Each = map) -> Array:
    """Return the 12-month probabilities of default and of prepayment, shape (kinds, 2, rows).

    NaN of a row that is not wanted or not performing. Both are given that the loan is not removed first.

    Args:
        book: what the truth is computed from.
        panel: the rows.
        wanted: which of them, shape (rows,).
        outlook: the kinds of paths.
        each: what maps loans to their probabilities, see ``all_cores.py``.
    """
    rows = np.flatnonzero(wanted & (panel.state < ch.DEFAULTED))
    out = np.full((len(outlook.kinds), 2, len(panel)), np.nan, dtype=np.float32)
    for some, events in _ahead(book, panel, rows, outlook, HORIZON, each):
        out[:, :, some] = not_removed(events)
    return out


def to_term(
    book: Book, panel: Panel, wanted: Array, outlook: Outlook, each: Each = map
) -> Iterator[tuple[Array, Array]]:
    """Yield rows and their marginal probabilities of each event up to the end of their terms.

    The wanted rows that perform and have a month of their term left come in parts, each with probabilities
    in shape (kinds, events, H, rows of the part), where H is the longest term left in it; after a loan's own
    term they are 0.

    Args:
        book: what the truth is computed from.
        panel: the rows.
        wanted: which of them, shape (rows,).
        outlook: the kinds of paths.
        each: what maps loans to their probabilities, see ``all_cores.py``.
    """
    rows = np.flatnonzero(wanted & (panel.state < ch.DEFAULTED) & (panel.remaining > 0))
    for some, events in _ahead(book, panel, rows, outlook, None, each):
        month = np.arange(events.shape[2])[:, None]
        yield some, events * (month < panel.remaining[some])


def not_removed(events: Array) -> Array:
    """Return the cumulative probabilities of default and prepayment given no removal, (kinds, 2, n).

    D / (1 - R) and P / (1 - R): a loan that is removed first has no label.

    Args:
        events: marginal probabilities, (kinds, events, months, n).

    >>> not_removed(np.array([0.1, 0.3, 0.2, 0.0]).reshape(1, 4, 1, 1)).ravel().round(3).tolist()
    [0.125, 0.375]
    """
    total = events.sum(axis=2)
    out: Array = total[:, [DEFAULT, PREPAYMENT]] / (1 - total[:, [REMOVED]])
    return out


def _ahead(
    book: Book, panel: Panel, rows: Array, outlook: Outlook, horizon: int | None, each: Each
) -> Iterator[tuple[Array, Array]]:
    """Yield parts of the rows with their marginals; without a horizon, up to the longest term left."""
    for month in np.unique(panel.month[rows]).tolist():
        some = rows[panel.month[rows] == month]
        # Rows alike in state or term left need fewer arrays, or fewer months.
        alike = panel.state[some] if horizon else panel.remaining[some]
        some = some[np.argsort(alike, kind="stable")]
        yield from _month_ahead(book, panel, some, outlook, horizon, each)


def _month_ahead(
    book: Book, panel: Panel, rows: Array, outlook: Outlook, horizon: int | None, each: Each
) -> Iterator[tuple[Array, Array]]:
    chunk = CHUNK if EXPECTED in outlook.kinds else CHUNK_FEW_PATHS
    parts = [rows[i : i + chunk] for i in range(0, len(rows), chunk)]
    months = [horizon or int(panel.remaining[part].max()) for part in parts]
    paths = outlook.paths(int(panel.month[rows[0]]), max(months))
    ahead = [(_cohort(book, panel.take(part)), left) for part, left in zip(parts, months, strict=True)]
    shares = min(os.cpu_count() or 1, len(parts))
    made = (each if shares > 1 else map)(
        partial(_marginals, book.settings.hazards, book.chain, paths),
        [ahead[share::shares] for share in range(shares)],
    )
    for share, results in enumerate(made):
        yield from zip(parts[share::shares], results, strict=True)


def _marginals(
    p: HazardProcess, chain: ch.Chain, paths: Paths, ahead: Sequence[tuple[Cohort, int]]
) -> list[Array]:
    return [marginals(p, chain, cohort, paths.first(months)) for cohort, months in ahead]


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
