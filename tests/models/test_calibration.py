from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from loanbook.models.calibration import Calibration, logit, sigmoid
from loanbook.models.calibrators import fit_platt
from loanbook.models.logistic_fit import fit_on_logit
from tests.property_tests import examples


def test_platt_recovers_the_distortion() -> None:
    rng = np.random.default_rng(1)
    score = rng.normal(-3, 1, 200_000)
    label = rng.random(score.size) < sigmoid(score)
    raw = sigmoid((score - 0.5) / 1.4)
    fit = fit_platt(raw, label, np.ones(score.size))
    assert fit is not None
    assert fit == pytest.approx((0.5, 1.4), abs=0.06)
    pd = Calibration(method="platt", intercept=fit[0], slope=fit[1]).apply(raw)
    assert pd.mean() == pytest.approx(label.mean(), abs=1e-9)


def test_weights_count_like_repeated_rows() -> None:
    raw = np.array([0.1, 0.2, 0.3, 0.4, 0.2])
    label = np.array([0, 1, 0, 1, 0])
    repeated = fit_platt(np.repeat(raw, 3), np.repeat(label, 3), np.ones(15))
    assert fit_platt(raw, label, np.full(5, 3.0)) == pytest.approx(repeated)


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        ([0.1, 0.1, 0.1], [0, 1, 0]),
        ([0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0]),
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]),
    ],
    ids=["constant", "reversed", "separated"],
)
def test_no_fit_where_none_is_sound(raw: list[float], label: list[int]) -> None:
    assert fit_platt(raw, label, np.ones(len(raw))) is None


def test_a_full_step_that_would_overshoot_is_halved() -> None:
    raw = np.repeat([0.001, 0.2], 10)
    label = np.r_[np.ones(2), np.zeros(8), np.ones(3), np.zeros(7)]
    assert fit_platt(raw, label, np.ones(20)) == pytest.approx((-0.71195, 0.09764), abs=1e-5)


def test_a_fit_that_turns_the_ranking_round_is_measured_but_calibrates_nothing() -> None:
    raw, label = np.array([0.1, 0.2, 0.3, 0.4]), np.array([1, 0, 1, 0])
    fitted = fit_on_logit(raw, label, np.ones(4))
    assert fitted is not None
    assert fitted[1] < 0
    assert fit_platt(raw, label, np.ones(4)) is None


@examples(100)
@given(
    st.lists(
        st.tuples(st.floats(-18, 18), st.booleans(), st.sampled_from([0.0, 0.1, 1.0, 5.0])),
        min_size=1, max_size=25,
    )
)  # fmt: skip
def test_the_fit_is_scipys_wherever_one_is_finite(rows: list[tuple[float, bool, float]]) -> None:
    x, y, w = (np.array(column, float) for column in zip(*rows, strict=True))
    fitted = fit_on_logit(sigmoid(x), y, w)
    x = logit(sigmoid(x))
    defaulted, others = x[(y == 1) & (w > 0)], x[(y == 0) & (w > 0)]
    mixed = (
        len(defaulted) and len(others) and defaulted.min() < others.max() and others.min() < defaulted.max()
    )
    if not mixed or np.ptp(x[w > 0]) < 1e-9:
        assert fitted is None
        return

    def loss(at: Any) -> Any:
        score = at[0] + at[1] * x
        return np.sum(w * (np.logaddexp(0, score) - y * score)) / np.sum(w)

    assert fitted is not None
    best = minimize(loss, [0.0, 0.0], method="BFGS", options={"gtol": 1e-9})
    assert loss(np.array(fitted)) <= best.fun + 1e-9


def test_identity_passes_everything_unchanged() -> None:
    identity = Calibration(method="identity")
    assert identity.uncalibrated
    assert identity.apply([0.0, 0.3, 1.0]).tolist() == [0.0, 0.3, 1.0]
    assert identity.id != Calibration(method="identity", rows=1).id


def test_logit_and_sigmoid_are_inverse() -> None:
    pd = np.array([1e-6, 0.01, 0.5, 0.999])
    np.testing.assert_allclose(sigmoid(logit(pd)), pd, rtol=1e-9)
