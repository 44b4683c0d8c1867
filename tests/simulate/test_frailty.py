"""The second book: what is hidden moves it, and the truth knows."""

from pathlib import Path

import numpy as np
import pytest

from loanbook.settings.simulate import SIZES, SimulationSettings
from loanbook.simulate import chain as ch
from loanbook.simulate.ahead import within_12m
from loanbook.simulate.book import make_book
from loanbook.simulate.draws import generator
from loanbook.simulate.frailty import NOTHING_HIDDEN, Frailty, realised_frailty
from loanbook.simulate.hazards import traits
from loanbook.simulate.macro import realised_macro
from loanbook.simulate.panel import simulate_panel
from loanbook.simulate.paths import Outlook
from loanbook.simulate.performance_tape import observe
from loanbook.simulate.truth import Book
from tests.simulate.conftest import LargeBook, simulated
from tests.simulate.test_truth import within

HIDDEN = SIZES["frailty"].hidden
MONTHS = 48


@pytest.fixture(scope="module")
def hidden() -> LargeBook:
    settings = SimulationSettings()
    macro = realised_macro(settings, MONTHS, 7, HIDDEN)
    loans = make_book(settings, macro, 12_000, MONTHS, 7, HIDDEN)
    return LargeBook(settings, macro, loans, simulate_panel(settings, macro, loans, MONTHS, 0.0, 7, 0))


def test_nothing_is_hidden_in_the_other_books() -> None:
    assert {name for name, size in SIZES.items() if size.hidden != NOTHING_HIDDEN} == {"frailty"}


def test_the_same_loans_are_drawn_whatever_is_hidden(hidden: LargeBook) -> None:
    settings = hidden.settings
    macro = realised_macro(settings, MONTHS, 7)
    loans = make_book(settings, macro, 12_000, MONTHS, 7)
    assert not macro.frailty.realised.any()
    assert not loans.frailty.any()
    assert np.array_equal(macro.unemployment, hidden.macro.unemployment)
    assert np.array_equal(loans.upb, hidden.loans.upb)
    assert np.array_equal(np.isnan(loans.score), np.isnan(hidden.loans.score))


def test_the_shared_factor_keeps_its_spread_and_reverts() -> None:
    path = realised_frailty(HIDDEN, 100_000, seed=3).realised
    assert path.std() == pytest.approx(HIDDEN.frailty / np.sqrt(1 - HIDDEN.persistence**2), rel=0.1)
    ahead = Frailty(0.9, 0.1, np.array([0.0, 2.0])).onward(1, 5000, 10, generator(7, "test"))
    assert (ahead[0] == 2).all()
    assert ahead[10].mean() == pytest.approx(2 * 0.9**10, abs=0.02)


def test_an_unrecorded_dti_tells_of_hidden_risk(hidden: LargeBook) -> None:
    missing, own = np.isnan(hidden.loans.dti), hidden.loans.frailty
    assert own[missing].mean() > own[~missing].mean() + 0.3
    assert own.std() == pytest.approx(HIDDEN.loan_frailty, rel=0.05)
    entered = hidden.panel.loan[hidden.panel.state == ch.DEFAULTED]
    assert own[np.unique(entered)].mean() > 0.1  # the riskiest by score default whatever they keep


def test_gaps_start_where_loans_are_past_due(hidden: LargeBook) -> None:
    panel, none = hidden.panel, np.zeros(len(hidden.panel))
    gaps = {
        gap: ~observe(hidden.settings.tapes, panel, none, generator(7, "test"), gap).reported
        for gap in (0.0, HIDDEN.delinquent_gap)
    }
    late = panel.months_delinquent > 0
    plain, informative = (rows[late].mean() / rows[~late].mean() for rows in gaps.values())
    assert plain < 1.5
    assert informative > 4
    assert (gaps[HIDDEN.delinquent_gap] >= gaps[0.0]).all()


def test_the_realised_truth_knows_both_factors(hidden: LargeBook) -> None:
    panel, p = hidden.panel, hidden.settings.hazards
    book = Book(hidden.settings, hidden.macro, hidden.loans, traits(p, hidden.loans, 0.0), ch.make_chain(p))
    cohorts = np.isin(panel.month, [11, 23, 35])
    outlook = Outlook(hidden.settings, hidden.macro, 7, ("realised",))
    pd_12m = within_12m(book, panel, cohorts, outlook)[0, 0]
    default, _, removed = within(panel, 12)
    own = hidden.loans.frailty[panel.loan]
    for month in (11, 23, 35):
        for some in (own < -0.5, own > 0.5):
            rows = np.isfinite(pd_12m) & ~removed & some & (panel.month == month)
            expected, happened = pd_12m[rows], default[rows]
            spread = np.sqrt((expected * (1 - expected)).sum())
            assert abs(happened.sum() - expected.sum()) < 4 * spread


def test_the_expected_truth_has_paths_of_the_shared_factor(hidden: LargeBook) -> None:
    paths = Outlook(hidden.settings, hidden.macro, 7, ("expected", "frozen")).paths(30, 12)
    now = hidden.macro.frailty.realised[hidden.macro.lead + 30]
    assert paths.frailty[0] == pytest.approx(now)
    assert paths.frailty[:, 200] == pytest.approx(now)
    assert paths.frailty[11, :200].std() > 0.2


def test_its_files_say_what_the_truth_knows(tmp_path: Path) -> None:
    simulated(tmp_path, size="frailty", loans=60, months=36)
    said = (tmp_path / "truth" / "README.txt").read_text("utf-8")
    assert "No model can see any of it" in said
    assert {file.name for file in (tmp_path / "truth").iterdir()} == {
        "README.txt", "manifest.json", "part-00000.parquet", "curve-00000.parquet",
    }  # fmt: skip
