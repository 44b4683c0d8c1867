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


def test_no_probability_is_beyond_1_and_small_ones_are_as_precise_as_large_ones(pds: Floats) -> None:
    assert pds.max() == 1
    np.testing.assert_allclose(pds, 1 / (1 + np.exp(-EXACT)), rtol=3e-7)
    assert (np.diff(pds[EXACT < 0]) > 0).all()


def test_a_default_that_was_unlikely_costs_what_its_score_says(pds: Floats) -> None:
    assert off(pds, 1).max() < 1e-6


def test_a_default_that_was_likely_and_did_not_come_is_off_by_as_much_as_is_said(pds: Floats) -> None:
    unlikely = off(pds, 0)[EXACT > 0]
    assert (unlikely * RARE[EXACT > 0])[RARE[EXACT > 0] > 1e-6].max() < 9e-8
    assert 2 < unlikely.max() < 5


def test_a_mean_of_right_pds_is_off_by_less_than_tells_models_apart(pds: Floats) -> None:
    right = 1 / (1 + np.exp(-EXACT))
    assert (right * off(pds, 1) + (1 - right) * off(pds, 0)).max() < 4e-7 < ROUNDING
