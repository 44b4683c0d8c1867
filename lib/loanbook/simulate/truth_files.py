"""Which truths are computed, and their Parquet files."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from loanbook.settings.simulate import SimulationSettings, SizeSettings
from loanbook.simulate import chain as ch
from loanbook.simulate import truth
from loanbook.simulate.draws import Array, generator
from loanbook.simulate.panel import Panel

TEST_MONTHS = 12  # months of as-of dates in an out-of-time test of a 12-month label
STATE_NAMES = ("current", "dpd30", "dpd60", "dpd90", "reo", "prepaid", "matured", "liquidated", "removed")
STATE_OF = np.repeat(np.arange(len(STATE_NAMES)), [ch.DPD30, 4, 2, 1, 1, 1, 1, 1, 1]).astype(np.int8)

_README = """Truth of the simulated book: never an input of the pipeline.

part-*.parquet holds one row for each loan and month on the book, reported on the tape or not{scope}.

loan_id          as on the tapes
as_of_date       month end
state            true state: current, dpd30, dpd60, dpd90 (from three months on, until the exit or the
                 cure), reo, and the exits prepaid, matured, liquidated, removed
reported         whether the tape shows this month
p_<state>        probability of each state a month later, from the loan's state and terms and the macro
                 published by then (rate of the month, unemployment of the month before, house prices of
                 two months before); null on an exit. The tapes show no foreclosure: p_foreclosure is 0
pd_12m_realised  probability of default (dpd90 entered) within 12 months on the macro path that came about
pd_12m_expected  the same, mean over {paths} macro paths simulated from that month on by the same process
                 and shared by all loans of the month; it knows the process's state in the month, the
                 recession included. For {expected}; null elsewhere

Both PDs are those of any loan below 90 days past due, in probation after a cure or not; null in default.
Default absorbs. A loan removed without default has a null label, so both are given that the loan is not:
D / (1 - R), D the probability of default and R that of removal before any default, within 12 months.
"""


def readme(settings: SimulationSettings, size: SizeSettings) -> str:
    """Return the text that explains the columns."""
    sample = f"a fixed random sample of {settings.truth.sample_loans} loans"
    test = (
        f" and, for every loan,\n{' ' * 17}"
        f"the {TEST_MONTHS + 1} months that end {truth.HORIZON} months before the last"
    )
    return _README.format(
        scope="" if size.full_truth else f",\nfor {sample}",
        paths=settings.truth.paths,
        expected=f"the quarter ends of\n{' ' * 17}{sample}" + (test if size.full_truth else ""),
    )


def sampled(loans: int, size: int, seed: int) -> Array:
    """Return which loans belong to the fixed random sample, one flag a loan.

    >>> in_sample = sampled(10, size=4, seed=7)
    >>> in_sample.sum(), bool((in_sample == sampled(10, size=4, seed=7)).all())
    (4, True)
    """
    out = np.zeros(loans, dtype=bool)
    out[generator(seed, "truth sample").permutation(loans)[:size]] = True
    return out


def expected_rows(panel: Panel, first_month: str, months: int, in_sample: Array, full: bool) -> Array:
    """Return which rows get the expected truth, which is costly: one flag a row.

    They are the quarter ends of the sample's loans and, if ``full``, all rows of the months that a test out
    of time may have.

    Args:
        panel: the rows.
        first_month: of the tape, ``YYYY-MM``.
        months: length of the tape.
        in_sample: one flag a loan.
        full: whether the truth is for every loan.
    """
    calendar_month = (np.datetime64(first_month, "M").astype(int) + panel.month.astype(int)) % 12
    quarterly = in_sample[panel.loan] & (calendar_month % 3 == 2)
    last = months - 1
    test = (panel.month >= last - truth.HORIZON - TEST_MONTHS) & (panel.month <= last - truth.HORIZON)
    out: Array = quarterly | (test & full)
    return out


def write_truth(
    path: Path, book: truth.Book, panel: Panel, reported: Array, ids: pa.Array, expected: Array, seed: int
) -> None:
    """Compute the truth of the panel's rows and write it as Parquet.

    Args:
        path: of the file, which takes its name when it is complete.
        book: what the truth is computed from.
        panel: the rows.
        reported: whether the tape shows each of them.
        ids: of the loans.
        expected: which rows get the expected truth.
        seed: of every draw.
    """
    settings, macro = book.settings, book.macro
    following = truth.next_state(book, panel)
    everything = np.ones(len(panel), dtype=bool)
    realised = truth.pd_12m(
        book, panel, everything, lambda month: truth.realised_paths(macro, month), truth.CHUNK_REALISED
    )
    on_paths = truth.pd_12m(
        book, panel, expected, lambda month: truth.expected_paths(settings, macro, month, seed), truth.CHUNK
    )
    table = {
        "loan_id": ids.take(pa.array(panel.loan)).dictionary_encode(),
        "as_of_date": pa.array(_month_end(settings.first_month, panel.month)),
        "state": pa.DictionaryArray.from_arrays(pa.array(STATE_OF[panel.state]), list(STATE_NAMES)),
        "reported": pa.array(reported),
        **{f"p_{name}": _nullable(following[:, i]) for i, name in enumerate(truth.NEXT_STATES)},
        "pd_12m_realised": _nullable(realised),
        "pd_12m_expected": _nullable(on_paths),
    }
    temporary = path.with_name(path.name + ".tmp")
    pq.write_table(pa.table(table), temporary)
    temporary.replace(path)


def _nullable(values: Array) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _month_end(first_month: str, month: Array) -> Array:
    following = np.datetime64(first_month, "M") + month.astype(int) + 1
    out: Array = following.astype("datetime64[D]") - np.timedelta64(1, "D")
    return out
