"""Marginal curves and the lifetime PD: they add up, and are what happens."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from loanbook.simulate import chain as ch
from loanbook.simulate.ahead import not_removed, to_term, within_12m
from loanbook.simulate.draws import Array
from loanbook.simulate.hazards import traits
from loanbook.simulate.macro import HPI_LAG, UNEMPLOYMENT_LAG, Macro, run_on
from loanbook.simulate.panel import Panel, simulate_panel
from loanbook.simulate.paths import Outlook
from loanbook.simulate.recursion import EVENTS
from loanbook.simulate.truth import Book
from tests.simulate.conftest import LargeBook

KEY = ["loan_id", "as_of_date"]
KINDS = ("expected", "frozen")
COPIES = 5000  # of a loan, each with a fate of its own
MONTHS = 96


@pytest.fixture(scope="module")
def truth(tiny: Path) -> pd.DataFrame:
    frame = pd.read_parquet(tiny / "truth" / "part-00000.parquet").astype({"loan_id": str})
    return frame[frame["pd_lifetime_expected"].notna()].set_index(KEY).sort_index()


@pytest.fixture(scope="module")
def curves(tiny: Path) -> pd.DataFrame:
    return pd.read_parquet(tiny / "truth" / "curve-00000.parquet").astype({"loan_id": str})


def cumulative(curves: pd.DataFrame, months: int) -> pd.DataFrame:
    return curves[curves["month"] <= months].drop(columns="month").groupby(KEY).sum()


def test_curves_are_of_the_rows_with_a_lifetime_pd(truth: pd.DataFrame, curves: pd.DataFrame) -> None:
    lengths = curves.groupby(KEY)["month"].agg(["min", "max", "size"])
    assert lengths.index.equals(truth.index)
    assert (lengths["min"] == 1).all()
    assert (lengths["max"] == lengths["size"]).all()
    assert lengths["max"].max() == 120
    assert set(pd.DatetimeIndex(truth.index.get_level_values("as_of_date")).month) == {12}
    assert 10 < truth.index.get_level_values("loan_id").nunique() <= 40
    assert set(truth["state"]) <= {"current", "dpd30", "dpd60"}


@pytest.mark.parametrize("kind", KINDS)
def test_ways_out_share_the_whole(curves: pd.DataFrame, kind: str) -> None:
    columns = [f"{event}_{kind}" for event in EVENTS]
    assert (curves[columns] >= 0).all(axis=None)
    whole = curves.astype(dict.fromkeys(columns, float)).groupby(KEY)[columns].sum().sum(axis=1)
    assert (whole <= 1 + 1e-5).all()
    matured = curves[curves[f"matured_{kind}"] > 0].groupby(KEY)[f"matured_{kind}"].sum().index
    assert len(matured)
    assert (whole[matured] > 0.97).all()  # some are delinquent when their contract ends


@pytest.mark.parametrize("kind", KINDS)
def test_curves_sum_to_the_truth_within_12_months(
    truth: pd.DataFrame, curves: pd.DataFrame, kind: str
) -> None:
    sums = cumulative(curves, 12)
    for event, column in (("default", "pd_12m"), ("prepayment", "prepayment_12m")):
        given = sums[f"{event}_{kind}"] / (1 - sums[f"removed_{kind}"])
        assert np.allclose(given, truth[f"{column}_{kind}"], atol=2e-6)


@pytest.mark.parametrize("kind", [*KINDS, "realised"])
def test_a_lifetime_holds_its_first_12_months(truth: pd.DataFrame, kind: str) -> None:
    lifetime, first = truth[f"pd_lifetime_{kind}"], truth[f"pd_12m_{kind}"]
    assert lifetime.between(0, 1).all()
    assert (lifetime >= first - 1e-6).all()
    assert lifetime.mean() > first.mean() + 0.02


def test_a_whole_curve_sums_to_the_lifetime_pd(truth: pd.DataFrame, curves: pd.DataFrame) -> None:
    short = curves.groupby(KEY).filter(lambda curve: len(curve) < 120)
    sums = cumulative(short, 120)
    for kind in KINDS:
        given = sums[f"default_{kind}"] / (1 - sums[f"removed_{kind}"])
        assert np.allclose(given, truth.loc[sums.index, f"pd_lifetime_{kind}"], atol=2e-6)


def frozen_at(macro: Macro, month: int) -> Macro:
    """Return the macro with what is published in a month published ever after."""
    m = macro.lead + month
    unemployment, hpi, rate = macro.unemployment.copy(), macro.hpi.copy(), macro.rate.copy()
    unemployment[m - UNEMPLOYMENT_LAG :] = unemployment[m - UNEMPLOYMENT_LAG]
    hpi[m - HPI_LAG :] = hpi[m - HPI_LAG]
    rate[m:] = rate[m]
    return replace(macro, unemployment=unemployment, hpi=hpi, rate=rate)


def happened(panel: Panel, copies: int) -> Array:
    """Return the share of each loan's copies with each event in each month, (events, months, loans)."""
    loans = int(panel.loan.max() + 1) // copies
    out = np.zeros((len(EVENTS), MONTHS, loans))
    gone: set[int] = set()
    for event, state in enumerate((ch.DEFAULTED, ch.PREPAID, ch.REMOVED, ch.MATURED)):
        rows = panel.state == state
        first = dict(zip(panel.loan[rows][::-1].tolist(), panel.month[rows][::-1].tolist(), strict=True))
        for loan in first.keys() - gone:
            out[event, first[loan] - 1, loan // copies] += 1
        gone |= first.keys() if state == ch.DEFAULTED else set()
    return out / copies


@pytest.mark.parametrize("kind", ["realised", "frozen"])
def test_curves_are_what_becomes_of_many_copies_of_a_loan(large: LargeBook, kind: str) -> None:
    settings, loans = large.settings, large.loans
    old = np.flatnonzero(loans.origination <= -HPI_LAG)
    risky = old[(loans.score[old] < 640) & (loans.term[old] == 360)][:2]
    ending = old[(loans.term[old] == 120) & (loans.origination[old] < -30)][:1]
    chosen = loans.take(np.concatenate([risky, ending]))
    p = settings.hazards
    book = Book(settings, large.macro, chosen, traits(p, chosen, 0.0), ch.make_chain(p))
    start = simulate_panel(settings, large.macro, chosen, 30, 0.0, 7, 0)
    start = start.take(np.flatnonzero(start.month == 0))
    outlook = Outlook(settings, run_on(settings.macro, large.macro, 7), 7, (kind,))
    expected = np.zeros((len(EVENTS), MONTHS, len(start)))
    for rows, events in to_term(book, start, np.ones(len(start), dtype=bool), outlook):
        months = min(events.shape[2], MONTHS - 1)
        expected[:, :months, rows] = events[0, :, :months]
    macro = large.macro if kind == "realised" else frozen_at(large.macro, 0)
    copies = chosen.take(np.repeat(np.arange(len(chosen)), COPIES))
    shares = happened(simulate_panel(settings, macro, copies, MONTHS, 0.0, 11, 0), COPIES)
    for months in (6, 12, 36, MONTHS - 1):
        chance, share = expected[:, :months].sum(axis=1), shares[:, :months].sum(axis=1)
        spread = np.sqrt(chance * (1 - chance) / COPIES)
        assert (np.abs(share - chance) <= 4.5 * spread + 1e-3).all()
    assert expected[3].sum(axis=0)[2] > 0.1
    assert expected[0].sum(axis=0)[0] > 0.05


def test_kinds_of_paths_do_not_mix(large: LargeBook) -> None:
    settings, p = large.settings, large.settings.hazards
    book = Book(settings, large.macro, large.loans, traits(p, large.loans, 0.0), ch.make_chain(p))
    panel = large.panel.take(large.panel.month == 60).take(slice(None, 100))
    every = np.ones(len(panel), dtype=bool)
    kinds = ("expected", "frozen", "realised")
    whole = within_12m(book, panel, every, Outlook(settings, large.macro, 7, kinds))
    for k, kind in enumerate(kinds):
        alone = within_12m(book, panel, every, Outlook(settings, large.macro, 7, (kind,)))
        assert np.allclose(whole[k], alone[0], atol=1e-6, equal_nan=True)
    assert not np.allclose(whole[0], whole[1], atol=1e-3, equal_nan=True)


def test_nothing_is_given_beyond_a_term(large: LargeBook) -> None:
    settings, p = large.settings, large.settings.hazards
    book = Book(settings, large.macro, large.loans, traits(p, large.loans, 0.0), ch.make_chain(p))
    panel = large.panel.take(large.panel.month == 100)
    few = (panel.remaining < 12) & (panel.state < ch.DEFAULTED)
    assert few.sum() > 3
    for rows, events in to_term(book, panel, few, Outlook(settings, large.macro, 7, ("frozen",))):
        left = panel.remaining[rows]
        assert (left > 0).all()
        assert events.shape[2] == left.max()
        beyond = np.arange(events.shape[2])[:, None] >= left
        assert (events[:, :, beyond] == 0).all()
        assert (not_removed(events) <= 1).all()


def test_the_realised_path_runs_on_from_the_macro_file(large: LargeBook) -> None:
    longer = run_on(large.settings.macro, large.macro, 7)
    known = len(large.macro.states)
    assert len(longer.rate) == len(longer.frailty.realised) == known + 480
    assert np.array_equal(longer.hpi[:known], large.macro.hpi)
    assert any(state.recession[0] for state in longer.states[known:])
