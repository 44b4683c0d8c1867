import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from loanbook.evaluation.calibration import calibration_fit, deciles, rates_by, slope_interval
from loanbook.models.calibration import logit, sigmoid
from loanbook.models.logistic_fit import in_the_large
from loanbook.models.together import Together


@pytest.fixture
def rows():
    random = np.random.default_rng(11)
    pd = random.beta(1, 15, 20_000)
    label = (random.random(20_000) < sigmoid(0.3 + 0.8 * logit(pd))).astype(float)
    return label, pd, random.integers(1, 4, 20_000).astype(float)


def test_slope_and_intercept_are_those_of_a_logistic_regression(rows):
    label, pd, weight = rows
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(pd)[:, None], label, sample_weight=weight)
    found = calibration_fit(label, pd, weight)
    assert found.slope == pytest.approx(fitted.coef_[0, 0], abs=1e-5)
    assert found.intercept == pytest.approx(fitted.intercept_[0], abs=1e-5)


def test_in_the_large_shifts_the_mean_to_the_observed_rate(rows):
    label, pd, weight = rows
    shift = in_the_large(label, pd, weight)
    assert shift is not None
    shifted = sigmoid(logit(pd) + shift)
    assert np.average(shifted, weights=weight) == pytest.approx(np.average(label, weights=weight))
    assert shift > 0.3  # more defaulted than expected


def test_a_perfect_model_has_slope_1_and_intercepts_0():
    random = np.random.default_rng(12)
    pd = random.beta(1, 15, 200_000)
    label = (random.random(200_000) < pd).astype(float)
    found = calibration_fit(label, pd, np.ones(200_000))
    assert found.slope == pytest.approx(1, abs=0.04)
    assert found.intercept_in_the_large == pytest.approx(0, abs=0.03)


def slope_of(label, pd, borrower):
    one = np.ones(len(label))
    together = Together(borrower, np.zeros(len(label), np.int64))
    return slope_interval(calibration_fit(label, pd, one), label, pd, one, together)


def test_the_interval_of_the_slope_holds_the_true_one_in_95_of_100_books():
    random = np.random.default_rng(14)
    held = 0
    for _ in range(300):
        pd = np.repeat(random.beta(1, 8, 700), 2)
        label = np.repeat((random.random(700) < sigmoid(0.7 * logit(pd[::2]) - 0.5)).astype(float), 2)
        found = slope_of(label, pd, np.arange(1400) // 2)  # two rows of a borrower, with one outcome
        held += found.low < 0.7 < found.high
    assert 275 <= held <= 295


def test_rows_of_one_borrower_tell_as_much_of_the_slope_as_one_of_them(rows):
    label, pd, _ = (part[:3000] for part in rows)
    once = slope_of(label, pd, np.arange(3000))
    twice = slope_of(np.tile(label, 2), np.tile(pd, 2), np.tile(np.arange(3000), 2))
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))
    assert slope_of(np.zeros(5), np.linspace(0.1, 0.5, 5), np.arange(5)) is None


def test_without_a_default_there_is_no_calibration():
    found = calibration_fit(np.zeros(5), np.linspace(0.1, 0.5, 5), np.ones(5))
    assert (found.slope, found.intercept, found.intercept_in_the_large) == (None, None, None)


def test_deciles_have_equal_size_and_equal_pds_share_one():
    random = np.random.default_rng(13)
    groups = deciles(random.random(1000), 10)
    assert np.bincount(groups)[1:].tolist() == [100] * 10
    constant = deciles(np.full(50, 0.02), 10)
    assert len(set(constant.tolist())) == 1
    assert deciles(np.zeros(0), 10).tolist() == []


def test_rates_by_hand():
    groups, loan = np.array(["b", "a", "a", "b"]), np.array([0, 1, 1, 2])
    label, pd, weight = np.array([0.0, 1, 0, 0]), np.array([0.1, 0.4, 0.2, 0.3]), np.array([1.0, 1, 3, 1])
    a, b = rates_by(groups, label, pd, weight, loan, Together(loan, np.zeros(4, np.int64)))
    assert (a.group, a.rows, a.loans, a.defaulting_loans) == ("a", 2, 1, 1)
    assert [a.expected, a.observed.estimate] == pytest.approx([0.25, 0.25])
    assert (b.group, b.rows, b.loans, b.defaulting_loans) == ("b", 2, 2, 0)
    assert (b.observed.estimate, b.observed.low) == (0, 0)
    assert b.observed.high == pytest.approx(1.959964**2 / (2 + 1.959964**2))  # Wilson: 0 of 2 loans


def test_pds_that_rank_the_wrong_way_round_have_a_slope_below_0():
    found = calibration_fit(np.array([1.0, 0, 1, 0]), np.array([0.1, 0.2, 0.3, 0.4]), np.ones(4))
    assert found.slope is not None
    assert found.slope < 0


def test_in_the_large_is_found_where_pds_lie_far_apart():
    label, pd = np.array([0.0, 1, 0, 0]), np.array([1e-8, 1e-8, 1 - 1e-8, 0.5])
    shift = in_the_large(label, pd, np.ones(4))
    assert shift is not None
    assert np.mean(sigmoid(logit(pd) + shift)) == pytest.approx(0.25)
