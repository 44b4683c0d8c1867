"""The logistic regression beside every network, on the same prepared inputs."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loanbook.models.calibration import logit, sigmoid
from loanbook.models.log_loss import log_loss

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LogitFit:
    """Weights of the prepared inputs, the bias, and the penalty chosen on the tune rows."""

    weights: npt.NDArray[np.float64]
    bias: float
    strength: float | None
    tune_log_loss: float | None


def fit_logit(
    train: tuple[Matrix, Matrix, Matrix], tune: tuple[Matrix, Matrix, Matrix], strengths: tuple[float, ...]
) -> LogitFit:
    """Return the fit with the least tune log loss over the inverse L2 penalties ``strengths``.

    Each slice is (prepared inputs, label, weight). Newton's method with a Cholesky factor: with many more
    rows than columns it needs a few passes where lbfgs needs a hundred, to the same optimum. Each penalty
    starts from the optimum of the stronger one before it.
    """
    from sklearn.linear_model import LogisticRegression  # two seconds that only one worker need spend

    design, label, weight = (array.astype(np.float64) for array in train)
    fits: dict[float, LogitFit] = {}
    model = LogisticRegression(solver="newton-cholesky", tol=1e-6, max_iter=100, warm_start=True)
    for strength in sorted(strengths):
        model.set_params(C=strength).fit(design, label.astype(np.int32), sample_weight=weight)
        weights, bias = model.coef_[0].copy(), float(model.intercept_[0])
        loss = log_loss(tune[1], sigmoid(tune[0].astype(np.float64) @ weights + bias), tune[2])
        fits[loss] = LogitFit(weights, bias, strength, loss)
    return fits[min(fits)]


def constant_logit(width: int, rate: float) -> LogitFit:
    """Return the fit that gives ``rate`` whatever the inputs, for a book that supports no training."""
    return LogitFit(np.zeros(width), float(logit(rate)), strength=None, tune_log_loss=None)
