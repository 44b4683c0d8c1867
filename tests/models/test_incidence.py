from typing import Any

import numpy as np
import pytest
from scipy.interpolate import BSpline

from loanbook.models.incidence import (
    constant_hazard,
    hazards,
    incidences,
    spline_basis,
    with_default_of,
)


def curves(rows: int = 6, periods: int = 60, seed: int = 3) -> tuple[Any, Any]:
    """Hazards that differ between rows and periods."""
    random = np.random.default_rng(seed)
    level = np.array([1e-4, 0.001, 0.01, 0.1, 0.3, 0.6])[:rows, None]
    return level * random.uniform(0.2, 1, (rows, periods)), random.uniform(0.001, 0.1, (rows, periods))


def by_month(default: Any, prepayment: Any) -> tuple[Any, Any]:
    """The incidences of one row's hazards, month by month."""
    at_risk, found = 1.0, []
    for first, second in zip(default, prepayment, strict=True):
        found.append((at_risk * first, at_risk * second))
        at_risk *= 1 - first - second
    both = np.array(found)
    return both[:, 0], both[:, 1]


def test_incidences_are_those_of_a_loop_over_the_months_and_give_the_hazards_back() -> None:
    default, prepayment = curves()
    found = incidences(default, prepayment, 1 - default - prepayment)
    for row in range(len(default)):
        for one, expected in zip(found, by_month(default[row], prepayment[row]), strict=True):
            np.testing.assert_allclose(one[row], expected, rtol=1e-12)
    again = hazards(*found)
    np.testing.assert_allclose(again[0][:4], default[:4], rtol=1e-8)  # of the others nothing is left at last
    np.testing.assert_allclose(again[1][:4], prepayment[:4], rtol=1e-8)


@pytest.mark.parametrize("periods", [2, 4, 5, 20, 60, 120])
def test_splines_are_those_of_scipy_and_add_up_to_one(periods: int) -> None:
    count, degree = min(6, periods), min(3, periods - 1)
    basis, at = spline_basis(periods, 6), np.log1p(np.arange(periods) / 12)
    np.testing.assert_allclose(basis.sum(axis=0), 1)
    inner = np.linspace(at[0], at[-1], count - degree + 1)
    knots = np.concatenate([[at[0]] * degree, inner, [at[-1]] * degree])
    np.testing.assert_allclose(basis, BSpline.design_matrix(at, knots, degree).toarray().T, atol=1e-12)


@pytest.mark.parametrize(("rate", "prepayment"), [(1e-6, 0.01), (0.02, 0.0), (0.1, 0.05), (0.7, 0.02)])
def test_a_constant_hazard_makes_the_rate(rate: float, prepayment: float) -> None:
    hazard = constant_hazard(rate, prepayment, 12)
    default, _ = by_month(np.full(12, hazard), np.full(12, prepayment))
    assert default.sum() == pytest.approx(rate, rel=1e-9)


@pytest.mark.parametrize(("year", "period_months"), [(12, 1), (4, 3)])
def test_a_calibration_moves_the_log_odds_of_default_and_falls_off_beyond_the_year(
    year: int, period_months: int
) -> None:
    hazard, other = curves(periods=5 * year)
    raw = incidences(hazard, other, 1 - hazard - other)
    wanted = np.array([1e-6, 0.02, 0.05, 0.2, 0.999, 0.5])
    default, prepayment = with_default_of(*raw, wanted, year, period_months)
    np.testing.assert_allclose(default[:, :year].sum(axis=1), wanted, rtol=1e-8)
    assert (default >= 0).all()
    assert (prepayment >= 0).all()
    assert (default.sum(axis=1) + prepayment.sum(axis=1) <= 1 + 1e-12).all()
    first, second, stay = hazards(default, prepayment)
    before = hazards(*raw)
    shift = np.log(first / (1 - first)) - np.log(before[0] / (1 - before[0]))
    expected = np.exp(-np.maximum(0, np.arange(1, 5 * year + 1) - year) * period_months / 24)
    for row in range(4):  # the others are as good as gone by the end
        np.testing.assert_allclose(shift[row] / shift[row, 0], expected, rtol=1e-5)
    # Prepaying and staying keep their proportion.
    np.testing.assert_allclose((second / stay)[:4], (before[1] / before[2])[:4], rtol=1e-8)


def test_a_curve_that_has_the_wanted_default_already_stays() -> None:
    hazard, other = curves(4)
    raw = incidences(hazard, other, 1 - hazard - other)
    found = with_default_of(*raw, raw[0][:, :12].sum(axis=1), 12, 1)
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(raw), rtol=1e-8)


def test_a_loan_that_cannot_default_stays_so() -> None:
    none: Any = np.zeros((1, 24))
    other: Any = np.full((1, 24), 0.05)
    raw = incidences(none, other, 1.0 - other)
    default, prepayment = with_default_of(*raw, np.array([0.1]), 12, 1)
    assert default.sum() == 0
    np.testing.assert_allclose(prepayment, raw[1])
