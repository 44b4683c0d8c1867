"""Books whose true PDs are known, with the raw PDs of a model that distorts them."""

from collections.abc import Callable

import numpy as np

from loanbook.models.calibration import sigmoid
from loanbook.models.calibration_rows import CalibrationRows, Floats
from loanbook.models.together import Together

FIRST_MONTH = 12 * 2020


def as_it_is(score: Floats) -> Floats:
    """Return the true logit: the model is calibrated."""
    return score


def book(
    seed: int,
    loans: int,
    months: int = 12,
    raw: Callable[[Floats], Floats] = as_it_is,
    mean: float = -2.5,
    spread: float = 1.0,
) -> CalibrationRows:
    """Return loans of ``months`` rows each, all with the loan's one outcome.

    Args:
        seed: of the draws.
        loans: how many.
        months: how many each.
        raw: from the true logit to the model's.
        mean: of the true logits.
        spread: their standard deviation.
    """
    random = np.random.default_rng(seed)
    score = random.normal(mean, spread, loans)
    came = random.random(loans) < sigmoid(score)
    loan, month = np.repeat(np.arange(loans), months), np.tile(np.arange(months), loans)
    together = Together(loan, FIRST_MONTH + month, 12)
    pd, label = np.repeat(sigmoid(raw(score)), months), np.repeat(came, months).astype(float)
    return CalibrationRows(pd, label, np.ones(len(loan)), together)
