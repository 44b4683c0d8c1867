"""Which truths are computed, and their Parquet files; truth_readme.py says what their columns mean."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from loanbook.settings.simulate import SimulationSettings, SizeSettings
from loanbook.simulate import chain as ch
from loanbook.simulate.ahead import HORIZON, not_removed, to_term, within_12m
from loanbook.simulate.all_cores import Each
from loanbook.simulate.draws import Array, generator
from loanbook.simulate.panel import Panel
from loanbook.simulate.paths import EXPECTED, FROZEN, REALISED, Outlook
from loanbook.simulate.recursion import EVENTS
from loanbook.simulate.truth import NEXT_STATES, Book, next_state

TEST_MONTHS = 12  # months of as-of dates in an out-of-time test of a 12-month label
CURVE_KINDS = (EXPECTED, FROZEN, REALISED)
CURVE_KEY = ("loan_id", "as_of_date", "month")
STATE_NAMES = ("current", "dpd30", "dpd60", "dpd90", "reo", "prepaid", "matured", "liquidated", "removed")
STATE_OF = np.repeat(np.arange(len(STATE_NAMES)), [ch.DPD30, 4, 2, 1, 1, 1, 1, 1, 1]).astype(np.int8)


def sampled(loans: int, size: int, seed: int) -> Array:
    """Return which loans belong to the fixed random sample, one flag a loan.

    >>> in_sample = sampled(10, size=4, seed=7)
    >>> in_sample.sum(), bool((in_sample == sampled(10, size=4, seed=7)).all())
    (4, True)
    """
    out = np.zeros(loans, dtype=bool)
    out[generator(seed, "truth sample").permutation(loans)[:size]] = True
    return out


@dataclass(frozen=True)
class Wanted:
    """Which rows of a panel get the costly truths, one flag a row."""

    expected: Array
    curves: Array


def wanted_rows(
    panel: Panel, settings: SimulationSettings, size: SizeSettings, in_sample: Array, in_curves: Array
) -> Wanted:
    """Return the rows that get the costly truths.

    The expected truth within 12 months is of the quarter ends of the sample's loans and, where the truth is
    for every loan, of all rows of the months that a test out of time may have. Curves are of the cohorts of
    fewer loans.

    Args:
        panel: the rows.
        settings: of the simulation.
        size: of the book.
        in_sample: one flag a loan.
        in_curves: one flag a loan, of some of the sample.
    """
    first = np.datetime64(settings.first_month, "M").astype(int) % 12
    following = first + panel.month.astype(int) + 1  # 0 is January: multiples of 3 follow a quarter's end
    last = size.months - 1
    test = (panel.month >= last - HORIZON - TEST_MONTHS) & (panel.month <= last - HORIZON)
    return Wanted(
        expected=in_sample[panel.loan] & (following % 3 == 0) | (test & size.full_truth),
        curves=in_curves[panel.loan] & (following % size.curve_every == 0),
    )


@dataclass(frozen=True)
class TruthBlock:
    """What the truth files of a block of loans are made of.

    ``reported`` says whether the tape shows a row, ``ids`` are the loans', ``seed`` is of every draw.
    """

    book: Book
    panel: Panel
    reported: Array
    ids: pa.Array
    wanted: Wanted
    seed: int

    def outlook(self, *kinds: str) -> Outlook:
        """Return what is assumed of the months ahead."""
        return Outlook(self.book.settings, self.book.macro, self.seed, kinds)

    def keys(self, rows: Array) -> dict[str, pa.Array]:
        """Return the loan and date of some rows."""
        month = self.panel.month[rows]
        return {
            "loan_id": self.ids.take(pa.array(self.panel.loan[rows])),
            "as_of_date": pa.array(_month_end(self.book.settings.first_month, month)),
        }


def write_truth(folder: Path, name: str, block: TruthBlock, each: Each) -> None:
    """Compute the truth of a block's rows and write it as Parquet, the curves first.

    Args:
        folder: of the files, each of which takes its name when it is complete.
        name: of the block.
        block: see there.
        each: what maps loans to their probabilities, see ``all_cores.py``.
    """
    lifetime = _write_curves(folder / f"curve-{name}.parquet", block, each)
    panel, rows = block.panel, np.arange(len(block.panel))
    following = next_state(block.book, panel)
    table = {
        **block.keys(rows),
        "state": pa.DictionaryArray.from_arrays(pa.array(STATE_OF[panel.state]), list(STATE_NAMES)),
        "reported": pa.array(block.reported),
        **{f"p_{state}": _nullable(following[:, i]) for i, state in enumerate(NEXT_STATES)},
        **_twelve_months(block, each),
        **{f"pd_lifetime_{kind}": _nullable(lifetime[i]) for i, kind in enumerate(CURVE_KINDS)},
    }
    _write(folder / f"part-{name}.parquet", pa.table(table))


def _twelve_months(block: TruthBlock, each: Each) -> dict[str, pa.Array]:
    every = np.ones(len(block.panel), dtype=bool)
    columns: dict[str, pa.Array] = {}
    for kinds, rows in (((REALISED, FROZEN), every), ((EXPECTED,), block.wanted.expected)):
        chances = within_12m(block.book, block.panel, rows, block.outlook(*kinds), each)
        for kind, (default, prepayment) in zip(kinds, chances, strict=True):
            columns[f"pd_12m_{kind}"] = _nullable(default)
            columns[f"prepayment_12m_{kind}"] = _nullable(prepayment)
    return {name: columns[name] for name in sorted(columns)}


def _write_curves(path: Path, block: TruthBlock, each: Each) -> Array:
    """Write the marginal curves, and return the lifetime PDs of all rows, (kinds, rows)."""
    lifetime = np.full((len(CURVE_KINDS), len(block.panel)), np.nan, dtype=np.float32)
    tables = [_curve_table(block, np.zeros(0, dtype=int), np.zeros((len(CURVE_KINDS), len(EVENTS), 0, 0)))]
    outlook = block.outlook(*CURVE_KINDS)
    for rows, events in to_term(block.book, block.panel, block.wanted.curves, outlook, each):
        lifetime[:, rows] = not_removed(events)[:, 0]
        tables.append(_curve_table(block, rows, events))
    _write(path, pa.concat_tables(tables).sort_by([(name, "ascending") for name in CURVE_KEY]))
    return lifetime


def _curve_table(block: TruthBlock, rows: Array, events: Array) -> pa.Table:
    """Return one line a row and month ahead, up to the term left or the longest curve in the files."""
    months = min(events.shape[2], block.book.settings.truth.curve_months)
    at, month = np.nonzero(np.arange(months) < block.panel.remaining[rows][:, None])
    columns = {
        f"{event}_{kind}": pa.array(events[k, e, month, at].astype(np.float32))
        for k, kind in enumerate(CURVE_KINDS)
        if kind != REALISED
        for e, event in enumerate(EVENTS)
    }
    keys = block.keys(rows[at])
    return pa.table({**keys, "month": pa.array((month + 1).astype(np.int16)), **columns})


def _write(path: Path, table: pa.Table) -> None:
    temporary = path.with_name(path.name + ".tmp")
    loan_id = table["loan_id"].combine_chunks().dictionary_encode()
    pq.write_table(table.set_column(0, "loan_id", loan_id), temporary)
    temporary.replace(path)


def _nullable(values: Array) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _month_end(first_month: str, month: Array) -> Array:
    following = np.datetime64(first_month, "M") + month.astype(int) + 1
    out: Array = following.astype("datetime64[D]") - np.timedelta64(1, "D")
    return out
