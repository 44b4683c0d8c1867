import numpy as np
import numpy.typing as npt
import pytest

from loanbook.models.calibration import Calibration, Floats, logit, sigmoid
from loanbook.models.calibration_rows import CalibrationRows
from loanbook.models.calibrators import fitted, knots_of
from loanbook.models.together import Together
from loanbook.settings.train import CalibrationMethod
from tests.models.books import book

LINE = Calibration(method="monotone", x=(0.001, 0.02, 0.3), y=(0.008, 0.02, 0.2))
TRUTHS = [
    (Calibration(method="intercept", intercept=0.4), "intercept"),
    (Calibration(method="platt", intercept=-0.9, slope=0.6), "platt"),
    (Calibration(method="beta", intercept=0.3, a=1.3, b=4.0), "beta"),
    (LINE, "isotonic"),
    (LINE, "monotone"),
]


def one_row_each(pd: Floats, label: npt.NDArray[np.bool_]) -> CalibrationRows:
    position = np.arange(len(pd))
    return CalibrationRows(
        pd, label.astype(float), np.ones(len(pd)), Together(position, np.zeros_like(position))
    )


@pytest.mark.parametrize(("truth", "method"), TRUTHS, ids=[method for _, method in TRUTHS])
def test_each_method_recovers_a_distortion(truth: Calibration, method: CalibrationMethod) -> None:
    random = np.random.default_rng(5)
    raw = sigmoid(random.normal(-3, 1.2, 200_000))
    pd = truth.apply(raw)
    found = fitted(method, one_row_each(raw, random.random(raw.size) < pd))
    assert found is not None
    assert found.method == method
    assert np.mean(np.abs(found.apply(raw) - pd)) < 0.15 * np.mean(np.abs(raw - pd))
    assert found.apply(raw).mean() == pytest.approx(pd.mean(), rel=0.03)
    terms = [(fit.intercept, fit.slope, fit.a) for fit in (found, truth)]
    assert terms[0] == pytest.approx(terms[1], abs=0.15)


def test_a_ranking_that_is_upside_down_has_no_fit_and_a_line_without_rows_stays_at_slope_1() -> None:
    raw = np.linspace(0.1, 0.9, 400)
    rows = one_row_each(raw, np.arange(400) < 200)
    assert [fitted(method, rows) for method in ("platt", "beta")] == [None, None]
    few = one_row_each(np.array([0.01, 0.02, 0.1, 0.3]), np.array([0, 1, 0, 0], bool))
    found = fitted("monotone", few, overdispersion=1e6)
    assert found is not None
    assert np.ptp(logit(found.y) - logit(found.x)) < 0.01


@pytest.mark.parametrize("method", ["platt", "beta", "isotonic", "monotone"])
def test_pds_that_do_not_vary_have_a_level_alone(method: CalibrationMethod) -> None:
    rows = one_row_each(np.full(100, 0.1), np.arange(100) < 30)
    assert fitted(method, rows) is None
    level = fitted("intercept", rows)
    assert level is not None
    assert level.apply([0.1]) == pytest.approx(0.3)


def test_isotonic_ends_stay_away_from_0_and_1() -> None:
    rows = one_row_each(np.linspace(0.1, 0.9, 100), np.arange(100) >= 50)
    found = fitted("isotonic", rows)
    assert found is not None
    assert found.apply([0.0, 1.0]) == pytest.approx([0.005, 0.995])


def test_knots_are_at_most_eight_and_apart() -> None:
    rows = book(1, 5_000, months=1)
    score = logit(rows.pd)
    knots = knots_of(score, rows.label, rows.weight)
    assert 2 <= len(knots) <= 8
    assert np.diff(knots).min() >= 0.05
    assert knots[0] == pytest.approx(np.quantile(score, 0.05), abs=0.02)
