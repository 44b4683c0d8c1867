import numpy as np
import pytest

from loanbook.models.artefact.predictor import Predictor
from loanbook.models.baselines.logistic import Coefficients, as_onnx, design_matrix, fit_logistic
from loanbook.models.calibration import Calibration, sigmoid
from loanbook.models.heads import head
from loanbook.models.inputs.rows import Rows
from tests.models.specs import SPEC, some_inputs

pytestmark = pytest.mark.train


def test_fit_recovers_the_coefficients_and_chooses_the_penalty_on_tune() -> None:
    rng = np.random.default_rng(1)
    design = rng.normal(size=(40_000, 4)).astype(np.float32)
    truth = np.array([1.0, -0.5, 0.0, 0.25])
    label = (rng.random(len(design)) < sigmoid(design @ truth - 2)).astype(np.float32)
    weight = np.ones(len(design), np.float32)
    train, tune = slice(0, 30_000), slice(30_000, None)
    fit = fit_logistic(
        (design[train], label[train], weight[train]), (design[tune], label[tune], weight[tune]), (1e-6, 10.0)
    )
    assert fit.strength == 10.0
    np.testing.assert_allclose(fit.weights, truth, atol=0.06)
    assert fit.bias == pytest.approx(-2, abs=0.06)


def test_it_is_the_linear_score_of_the_prepared_inputs() -> None:
    numeric, codes = some_inputs()
    zeros = np.zeros(len(numeric), np.float32)
    design = design_matrix(SPEC, Rows(numeric, codes, zeros[:, None], zeros, zeros))
    weights = np.random.default_rng(4).normal(size=design.shape[1])
    network = as_onnx(SPEC, head("default_12m"), Coefficients(weights, -2.0, 1.0))
    found, _ = Predictor(network, SPEC, Calibration(method="none"), head("default_12m")).predict(
        numeric, codes
    )
    expected = sigmoid(design.astype(np.float64) @ weights - 2.0)
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-5)
