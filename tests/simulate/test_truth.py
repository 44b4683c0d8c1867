from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from loanbook.simulate import chain as ch
from loanbook.simulate import truth
from loanbook.simulate.draws import Array
from loanbook.simulate.hazards import traits
from loanbook.simulate.truth_files import expected_rows
from tests.simulate.conftest import LargeBook

CHANCES = [f"p_{name}" for name in truth.NEXT_STATES]
EXITS = ["prepaid", "matured", "liquidated", "removed"]


@pytest.fixture(scope="module")
def rows(tiny: Path) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(file) for file in sorted((tiny / "truth").glob("part-*.parquet"))])


@pytest.fixture(scope="module")
def book(large: LargeBook) -> truth.Book:
    p = large.settings.hazards
    return truth.Book(large.settings, large.macro, large.loans, traits(p, large.loans, 0.0), ch.make_chain(p))


def labels(large: LargeBook) -> tuple[Array, Array]:
    """Whether each row's loan enters default within 12 months, and whether it is removed before."""
    panel = large.panel
    n = len(panel)
    entry = np.zeros(n, dtype=bool)
    entry[1:] = (panel.state[1:] == ch.DEFAULTED) & (panel.state[:-1] < ch.DEFAULTED)
    ahead = np.zeros(n, dtype=bool)
    removed = np.zeros(n, dtype=bool)
    for k in range(1, 13):
        same = panel.loan[k:] == panel.loan[:-k]
        ahead[:-k] |= same & entry[k:]
        removed[:-k] |= same & (panel.state[k:] == ch.REMOVED)
    return ahead, removed & ~ahead


def test_realised_pd_agrees_with_what_happened(large: LargeBook, book: truth.Book) -> None:
    panel = large.panel
    cohorts = np.isin(panel.month, [11, 35, 59, 83, 107])
    pd_12m = truth.pd_12m(book, panel, cohorts, lambda t: truth.realised_paths(large.macro, t), 16_384)
    default, removed = labels(large)
    for state in ([0, ch.DPD30], [1, ch.DPD30], [ch.DPD30, ch.DPD60], [ch.DPD60, ch.DEFAULTED]):
        some = np.isfinite(pd_12m) & ~removed & (panel.state >= state[0]) & (panel.state < state[1])
        for half in (pd_12m < np.median(pd_12m[some]), pd_12m >= np.median(pd_12m[some])):
            p, y = pd_12m[some & half], default[some & half]
            assert abs(y.mean() - p.mean()) < 4 * np.sqrt((p * (1 - p)).sum()) / len(p)


def test_next_state_agrees_with_what_happened(large: LargeBook, book: truth.Book) -> None:
    panel = large.panel.take(slice(None, 400_000))
    chances = truth.next_state(book, panel)
    followed = np.flatnonzero((panel.loan[1:] == panel.loan[:-1]) & (panel.exit[:-1] == 0))
    code = np.repeat([0, 1, 2, 3, 5, 6, 7, 8, 9], [ch.DPD30, 4, 2, 1, 1, 1, 1, 1, 1])[
        panel.state[followed + 1]
    ]
    performing = panel.state[followed] < ch.DEFAULTED
    for group in (performing, ~performing):
        for k in range(len(truth.NEXT_STATES)):
            p, y = chances[followed[group], k].astype(float), code[group] == k
            assert abs(y.sum() - p.sum()) <= 4.5 * np.sqrt((p * (1 - p)).sum()) + 1


def test_probabilities_add_up(rows: pd.DataFrame) -> None:
    gone = rows["state"].isin(EXITS)
    assert rows.loc[gone, CHANCES].isna().all(axis=None)
    assert np.allclose(rows.loc[~gone, CHANCES].sum(axis=1), 1, atol=1e-5)
    assert (rows.loc[~gone, "p_foreclosure"] == 0).all()


def test_where_the_truth_is_given(rows: pd.DataFrame) -> None:
    performing = rows["state"].isin(["current", "dpd30", "dpd60"])
    assert rows.loc[performing, "pd_12m_realised"].between(0, 1).all()
    assert rows.loc[~performing, ["pd_12m_realised", "pd_12m_expected"]].isna().all(axis=None)
    month = pd.DatetimeIndex(rows["as_of_date"]).to_period("M")
    last = month.max()
    test = (month >= last - 24) & (month <= last - 12)
    assert rows.loc[performing & test, "pd_12m_expected"].notna().all()
    assert rows.loc[month == pd.Period("2013-02"), "pd_12m_expected"].isna().all()
    assert rows.loc[performing & (month == pd.Period("2013-03")), "pd_12m_expected"].notna().any()


def test_expected_pd_does_not_look_ahead(large: LargeBook, book: truth.Book) -> None:
    month, changed = 60, large.macro.unemployment.copy()
    changed[large.macro.lead + month + 1 :] += 5
    other = replace(book, macro=replace(large.macro, unemployment=changed))
    panel = large.panel.take(large.panel.month == month).take(slice(None, 300))
    every = np.ones(len(panel), dtype=bool)
    given, moved = (
        truth.pd_12m(b, panel, every, partial(truth.expected_paths, b.settings, b.macro, seed=5), 64)
        for b in (book, other)
    )
    assert np.array_equal(given, moved, equal_nan=True)


def test_enough_defaults_to_train_and_test(rows: pd.DataFrame) -> None:
    ordered = rows.sort_values(["loan_id", "as_of_date"])
    before = ordered.groupby("loan_id", observed=True)["state"].shift()
    entry = ordered[(ordered["state"] == "dpd90") & before.isin(["current", "dpd30", "dpd60"])]
    month = pd.DatetimeIndex(entry["as_of_date"]).to_period("M")
    last = pd.DatetimeIndex(rows["as_of_date"]).to_period("M").max()
    assert entry.loc[month <= last - 24, "loan_id"].nunique() >= 60
    assert entry.loc[month > last - 24, "loan_id"].nunique() >= 30


def test_the_sample_gets_quarter_ends_only(large: LargeBook) -> None:
    panel = large.panel.take(slice(None, 5000))
    sample = np.ones(len(large.loans), dtype=bool)
    chosen = expected_rows(panel, "2012-01", 120, sample, full=False)
    assert set((panel.month[chosen] % 12).tolist()) == {2, 5, 8, 11}
    assert not expected_rows(panel, "2012-01", 120, ~sample, full=False).any()
