from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from loanbook.models.calibration import Calibration, logit, sigmoid
from loanbook.models.calibrators import fit_platt
from loanbook.models.logistic_fit import fit_on_logit, logistic_fit
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


def test_none_passes_everything_unchanged() -> None:
    none = Calibration(method="none")
    assert not none.uncalibrated
    assert none.apply([0.0, 0.3, 1.0]).tolist() == [0.0, 0.3, 1.0]
    assert none.apply(np.full((2, 3), 0.2)).shape == (2, 3)
    assert none.id != Calibration(method="none", rows=1).id


def test_what_an_earlier_version_called_identity_is_none_and_insufficient() -> None:
    earlier = {"method": "identity", "intercept": 0.0, "slope": 1.0, "rows": 9, "first_month": "2020-01-31"}
    found = Calibration.model_validate(earlier)
    assert (found.method, found.uncalibrated, found.rows) == ("none", True, 9)
    platt = Calibration.model_validate({**earlier, "method": "platt", "slope": 0.5})
    assert (platt.method, platt.uncalibrated, platt.shift) == ("platt", False, 0.0)
    assert platt.apply([0.2]) == pytest.approx(sigmoid(0.5 * logit([0.2])))


FITTED = {
    "none": Calibration(method="none", shift=0.3, central_tendency=0.02),
    "intercept": Calibration(method="intercept", intercept=-0.7),
    "platt": Calibration(method="platt", intercept=0.2, slope=5.0),
    "beta": Calibration(method="beta", intercept=0.1, a=0.7, b=3.1),
    "isotonic": Calibration(method="isotonic", x=(0.01, 0.1, 0.3), y=(0.002, 0.002, 0.7), shift=-0.1),
    "monotone": Calibration(method="monotone", x=(0.01, 0.1, 0.3), y=(0.003, 0.003, 0.7)),
}


@pytest.mark.parametrize("calibration", FITTED.values(), ids=FITTED)
def test_every_method_is_monotone_keeps_within_0_and_1_and_survives_json(calibration: Calibration) -> None:
    raw = np.r_[0.0, np.geomspace(1e-12, 0.5, 5_000), 1 - np.geomspace(0.5, 1e-12, 5_000), 1.0]
    pd = calibration.apply(raw)
    assert np.all(np.diff(pd) >= -1e-15)
    assert 0 < pd.min() < pd.max() < 1
    again = Calibration.model_validate_json(calibration.model_dump_json())
    assert again == calibration
    assert again.apply(raw).tolist() == pd.tolist()
    assert calibration.apply(raw[:, None]).tolist() == pd[:, None].tolist()
    with pytest.raises(ValueError, match="of one output a row, not of 3"):
        calibration.apply(np.full((2, 3), 0.2))


def test_each_method_is_said_in_words() -> None:
    assert [calibration.in_words() for calibration in FITTED.values()] == [
        "none; then +0.300 for a mean PD of 2.000%",
        "intercept -0.700",
        "Platt, slope 5.000, intercept +0.200",
        "beta, a 0.700, b 3.100, intercept +0.100",
        "isotonic, 3 knots",
        "monotone, 3 knots",
    ]
    few = Calibration(method="none", insufficient=True, reason="12 defaulting loans, of at least 30")
    assert few.in_words() == "none, insufficient: 12 defaulting loans, of at least 30"


@examples(30)
@given(
    st.lists(
        st.tuples(st.floats(-6, 6), st.booleans(), st.sampled_from([0.5, 1.0, 4.0])), min_size=4, max_size=25
    ),
    st.floats(0.1, 5),
)
def test_a_fit_within_bounds_is_scipys(rows: list[tuple[float, bool, float]], pull: float) -> None:
    x, y, w = (np.array(column, float) for column in zip(*rows, strict=True))
    design, start = np.column_stack([x, x**2, np.ones_like(x)]), np.array([1.0, 0.5, 0.0])
    towards, least = np.array([1.0, 0.5, 0.0]), np.array([0.0, 0.0, -np.inf])

    def loss(at: Any) -> Any:
        score = design @ at
        return np.sum(w * (np.logaddexp(0, score) - y * score)) + pull / 2 * np.sum((at - towards) ** 2)

    found = logistic_fit(
        design, np.zeros_like(x), y, w, start, least=least, pull=np.full(3, pull), towards=towards
    )
    best = minimize(loss, start, method="L-BFGS-B", bounds=[(0, None), (0, None), (None, None)])
    assert found is not None
    assert found[:2].min() >= 0
    assert loss(found) <= best.fun + 1e-6


def test_logit_and_sigmoid_are_inverse() -> None:
    pd = np.array([1e-6, 0.01, 0.5, 0.999])
    np.testing.assert_allclose(sigmoid(logit(pd)), pd, rtol=1e-9)
