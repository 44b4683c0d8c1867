"""What float32 probabilities cost the log loss."""

import numpy as np
import pytest

from loanbook.models.artefact.predictor import Predictor
from loanbook.models.calibration import Calibration
from loanbook.models.clustered import Floats
from loanbook.models.heads import head
from loanbook.models.log_loss import log_losses
from loanbook.models.shortfalls import ROUNDING
from tests.tiny_book import SPEC, network

SCORES = np.linspace(-20, 20, 100_001).astype(np.float32)
EXACT = SCORES.astype(np.float64)
RARE = 1 / (1 + np.exp(np.abs(EXACT)))  # probability of what is the less likely


@pytest.fixture(scope="module")
def pds() -> Floats:
    """What a network of one weight says of each score."""
    predictor = Predictor(network((1, 0, 0), 0.0), SPEC, Calibration(method="none"), head("default_12m"))
    numbers = np.stack([SCORES, np.zeros_like(SCORES)], axis=1)
    return predictor.predict(numbers, np.zeros((len(SCORES), 1), np.int32))[0][:, 0]


def off(pds: Floats, label: int) -> Floats:
    """Return how far the losses of PDs are from those of their scores."""
    return np.asarray(np.abs(log_losses(label, pds) - np.logaddexp(0, -EXACT if label else EXACT)))


def test_no_probability_is_beyond_1(pds: Floats) -> None:
    assert pds.min() >= 0
    assert pds.max() == 1


def test_what_was_unlikely_and_came_about_is_off_by_as_much_as_is_said(pds: Floats) -> None:
    unlikely = np.where(EXACT < 0, off(pds, 1), off(pds, 0))
    assert unlikely[RARE > 3e-5].max() < 5e-3
    assert (unlikely * RARE)[RARE > 1e-6].max() < 1.5e-7
    assert 4 < unlikely.max() < 5


def test_a_mean_of_right_pds_is_off_by_less_than_tells_models_apart(pds: Floats) -> None:
    right = 1 / (1 + np.exp(-EXACT))
    assert (right * off(pds, 1) + (1 - right) * off(pds, 0)).max() < ROUNDING
