import numpy as np
import pytest

from loanbook.models.baselines.logistic import constant_logit, fit_logit
from loanbook.models.calibration import sigmoid

pytestmark = pytest.mark.train


def test_fit_recovers_the_coefficients_and_chooses_the_penalty_on_tune() -> None:
    rng = np.random.default_rng(1)
    design = rng.normal(size=(40_000, 4)).astype(np.float32)
    truth = np.array([1.0, -0.5, 0.0, 0.25])
    label = (rng.random(len(design)) < sigmoid(design @ truth - 2)).astype(np.float32)
    weight = np.ones(len(design), np.float32)
    train, tune = slice(0, 30_000), slice(30_000, None)
    fit = fit_logit(
        (design[train], label[train], weight[train]), (design[tune], label[tune], weight[tune]), (1e-6, 10.0)
    )
    assert fit.strength == 10.0
    np.testing.assert_allclose(fit.weights, truth, atol=0.06)
    assert fit.bias == pytest.approx(-2, abs=0.06)


def test_constant() -> None:
    fit = constant_logit(3, 0.02)
    assert sigmoid(fit.bias) == pytest.approx(0.02)
    assert not fit.weights.any()
