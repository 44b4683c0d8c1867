"""The book shows the hazard shapes of published mortgage data."""

import numpy as np
import pytest

from loanbook.simulate import chain as ch
from loanbook.simulate.draws import Array
from tests.simulate.conftest import LargeBook


@pytest.fixture(scope="module")
def moves(large: LargeBook) -> dict[str, Array]:
    panel = large.panel
    rows = np.flatnonzero(panel.loan[1:] == panel.loan[:-1])
    rows = rows[panel.state[rows] < ch.DPD30]
    following = panel.state[rows + 1]
    return {
        "age": panel.age[rows],
        "score": large.loans.score[panel.loan[rows]],
        "incentive": panel.rate[rows] - large.macro.rate[panel.month[rows] + large.macro.lead],
        "prepaid": following == ch.PREPAID,
        "dpd30": (following >= ch.DPD30) & (following < ch.DPD60),
    }


@pytest.mark.parametrize(("age", "rate"), [(0, 0.003), (17, 0.016), (52, 0.011)])
def test_prepayment_by_age(moves: dict[str, Array], age: int, rate: float) -> None:
    near = np.abs(moves["age"] - age) <= (0 if age == 0 else 2)
    assert moves["prepaid"][near].mean() == pytest.approx(rate, rel=0.35)


@pytest.mark.parametrize(("low", "high", "rate"), [(-3.0, 0.0, 0.005), (1.3, 1.7, 0.027)])
def test_prepayment_by_incentive(moves: dict[str, Array], low: float, high: float, rate: float) -> None:
    inside = (moves["incentive"] >= low) & (moves["incentive"] < high)
    assert moves["prepaid"][inside].mean() == pytest.approx(rate, rel=0.35)


@pytest.mark.parametrize(("score", "rate"), [(623, 0.031), (815, 0.0013)])
def test_delinquency_by_score(moves: dict[str, Array], score: int, rate: float) -> None:
    near = np.abs(moves["score"] - score) <= 7
    assert moves["dpd30"][near].mean() == pytest.approx(rate, rel=0.4)


def test_the_vintage_before_the_downturn(large: LargeBook) -> None:
    panel, origination = large.panel, large.loans.origination
    entered = (panel.state == ch.DEFAULTED) & (panel.age <= 36)
    defaulted = np.zeros(len(origination), dtype=bool)
    defaulted[panel.loan[entered]] = True
    before = defaulted[(origination >= 12) & (origination < 24)].mean()
    normal = defaulted[(origination >= 45) & (origination < 65)].mean()
    assert before / normal == pytest.approx(3.6, rel=0.35)


def test_the_book_is_never_empty(large: LargeBook) -> None:
    on_book = np.bincount(large.panel.month[large.panel.exit == 0], minlength=120)
    assert on_book.min() > 0.1 * len(large.loans)


def test_every_kind_of_exit_occurs(large: LargeBook) -> None:
    assert set(np.unique(large.panel.exit).tolist()) == set(range(9))
    assert {ch.PREPAID, ch.MATURED, ch.LIQUIDATED, ch.REMOVED} <= set(np.unique(large.panel.state).tolist())
