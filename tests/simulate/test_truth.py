from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from loanbook.settings.simulate import SIZES
from loanbook.simulate import chain as ch
from loanbook.simulate import truth
from loanbook.simulate.ahead import to_term, within_12m
from loanbook.simulate.draws import Array
from loanbook.simulate.hazards import traits
from loanbook.simulate.panel import Panel
from loanbook.simulate.paths import Outlook
from loanbook.simulate.truth_files import wanted_rows
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


def within(panel: Panel, months: int) -> tuple[Array, Array, Array]:
    """Whether each row's loan enters default so many months ahead; else prepays; else is removed."""
    n = len(panel)
    entry = np.zeros(n, dtype=bool)
    entry[1:] = (panel.state[1:] == ch.DEFAULTED) & (panel.state[:-1] < ch.DEFAULTED)
    default, prepaid, removed = np.zeros((3, n), dtype=bool)
    for k in range(1, months + 1):
        same = panel.loan[k:] == panel.loan[:-k]
        default[:-k] |= same & entry[k:]
        prepaid[:-k] |= same & (panel.state[k:] == ch.PREPAID)
        removed[:-k] |= same & (panel.state[k:] == ch.REMOVED)
    return default, prepaid & ~default, removed & ~default


def test_realised_chances_agree_with_what_happened(large: LargeBook, book: truth.Book) -> None:
    panel = large.panel
    cohorts = np.isin(panel.month, [11, 35, 59, 83, 107])
    outlook = Outlook(large.settings, large.macro, 7, ("realised",))
    chances = within_12m(book, panel, cohorts, outlook)[0]
    default, prepaid, removed = within(panel, 12)
    for chance, event in zip(chances, (default, prepaid), strict=True):
        for state in ([0, ch.DPD30], [1, ch.DPD30], [ch.DPD30, ch.DPD60], [ch.DPD60, ch.DEFAULTED]):
            some = np.isfinite(chance) & ~removed & (panel.state >= state[0]) & (panel.state < state[1])
            for half in (chance < np.median(chance[some]), chance >= np.median(chance[some])):
                p, y = chance[some & half], event[some & half]
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
    for column in (f"{what}_12m_{kind}" for what in ("pd", "prepayment") for kind in ("realised", "frozen")):
        assert rows.loc[performing, column].between(0, 1).all()
    given = [column for column in map(str, rows) if column.startswith(("pd_", "prepayment_"))]
    assert len(given) == 9
    assert rows.loc[~performing, given].isna().all(axis=None)
    month = pd.DatetimeIndex(rows["as_of_date"]).to_period("M")
    last = month.max()
    test = (month >= last - 24) & (month <= last - 12)
    assert rows.loc[performing & test, "pd_12m_expected"].notna().all()
    assert rows.loc[month == pd.Period("2013-02"), "pd_12m_expected"].isna().all()
    assert rows.loc[performing & (month == pd.Period("2013-03")), "pd_12m_expected"].notna().any()


@pytest.mark.parametrize("kind", ["expected", "frozen"])
def test_what_is_not_realised_does_not_look_ahead(large: LargeBook, book: truth.Book, kind: str) -> None:
    month, changed = 60, large.macro.unemployment.copy()
    changed[large.macro.lead + month + 1 :] += 5
    other = replace(book, macro=replace(large.macro, unemployment=changed))
    panel = large.panel.take(large.panel.month == month).take(slice(None, 300))
    every, few = np.ones(len(panel), dtype=bool), np.arange(len(panel)) < 5
    outlooks = [Outlook(b.settings, b.macro, 5, (kind,)) for b in (book, other)]
    given, moved = (within_12m(b, panel, every, o) for b, o in zip((book, other), outlooks, strict=True))
    assert np.array_equal(given, moved, equal_nan=True)
    curves = [dict_of(to_term(b, panel, few, o)) for b, o in zip((book, other), outlooks, strict=True)]
    assert curves[0].keys() == curves[1].keys()
    assert all(np.array_equal(curve, curves[1][row]) for row, curve in curves[0].items())


def dict_of(parts: Iterator[tuple[Array, Array]]) -> dict[int, Array]:
    return {int(row): events[..., i] for rows, events in parts for i, row in enumerate(rows)}


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
    size = SIZES["demo"].model_copy(update={"full_truth": False, "curve_every": 6})
    every, none = np.ones(len(large.loans), dtype=bool), np.zeros(len(large.loans), dtype=bool)
    wanted = wanted_rows(panel, large.settings, size, every, every)
    assert set((panel.month[wanted.expected] % 12).tolist()) == {2, 5, 8, 11}
    assert set((panel.month[wanted.curves] % 12).tolist()) == {5, 11}
    wanted = wanted_rows(panel, large.settings, size, none, none)
    assert not wanted.expected.any()
    assert not wanted.curves.any()
