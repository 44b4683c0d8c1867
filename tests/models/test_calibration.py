import numpy as np
import pytest

from loanbook.models.calibration import Calibration, fit_platt, logit, sigmoid, weighted_log_loss


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


def test_identity_passes_everything_unchanged() -> None:
    identity = Calibration(method="identity")
    assert identity.uncalibrated
    assert identity.apply([0.0, 0.3, 1.0]).tolist() == [0.0, 0.3, 1.0]
    assert identity.id != Calibration(method="identity", rows=1).id


def test_logit_and_sigmoid_are_inverse() -> None:
    pd = np.array([1e-6, 0.01, 0.5, 0.999])
    np.testing.assert_allclose(sigmoid(logit(pd)), pd, rtol=1e-9)
    assert weighted_log_loss([0.25, 0.5], [1, 0], [1, 3]) == pytest.approx((np.log(4) + 3 * np.log(2)) / 4)
