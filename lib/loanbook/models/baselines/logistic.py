"""The logistic regression, on the same prepared inputs as every network."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from loanbook.models.baselines import Fitted
from loanbook.models.binary_head import BinaryHead
from loanbook.models.calibration import sigmoid
from loanbook.models.head import Head
from loanbook.models.inputs.rows import Evidence, Rows
from loanbook.models.inputs.spec import InputSpec
from loanbook.models.log_loss import log_loss
from loanbook.settings.section import Section

Matrix = npt.NDArray[np.float32]

MAX_CELLS = 250_000_000  # of its design matrix: 2 GB, and as much again while it is fitted
BATCH_ROWS = 65_536


class Settings(Section):
    """Of a logistic regression."""

    rows: int = Field(1_000_000, ge=1000, description="most training rows; fewer of wide inputs")
    strengths: tuple[float, ...] = Field(
        (10.0, 0.1, 0.001), min_length=1, description="inverse L2 penalties tried, chosen on tune"
    )


def supports(target: Head) -> bool:
    """Return whether the head is of an event that comes about or does not."""
    return isinstance(target, BinaryHead)


def fit(evidence: Evidence, target: Head, settings: Settings) -> Fitted:
    """Return the fit with the least tune log loss over the penalties."""
    width = design_matrix(evidence.spec, evidence.rows("train", 0)).shape[1]
    train = evidence.rows("train", min(settings.rows, MAX_CELLS // width))
    tune = evidence.rows("tune")
    found = fit_logistic(
        (design_matrix(evidence.spec, train), train.label, train.weight),
        (design_matrix(evidence.spec, tune), tune.label, tune.weight),
        settings.strengths,
    )
    return Fitted(as_onnx(evidence.spec, target, found), {"strength": found.strength})


@dataclass(frozen=True)
class Coefficients:
    """Weights of the prepared inputs, the bias, and the inverse penalty that they were fitted with."""

    weights: npt.NDArray[np.float64]
    bias: float
    strength: float


def fit_logistic(
    train: tuple[Matrix, Matrix, Matrix], tune: tuple[Matrix, Matrix, Matrix], strengths: tuple[float, ...]
) -> Coefficients:
    """Return the fit with the least tune log loss over the inverse L2 penalties ``strengths``.

    Each part is (prepared inputs, label, weight). Newton's method with a Cholesky factor: with many more
    rows than columns it needs a few passes where lbfgs needs a hundred, to the same optimum. Each penalty
    starts from the optimum of the stronger one before it.
    """
    from sklearn.linear_model import LogisticRegression  # two seconds that only one worker need spend

    design, label, weight = (array.astype(np.float64) for array in train)
    fits: dict[float, Coefficients] = {}
    model = LogisticRegression(solver="newton-cholesky", tol=1e-6, max_iter=100, warm_start=True)
    for strength in sorted(strengths):
        model.set_params(C=strength).fit(design, label.astype(np.int32), sample_weight=weight)
        weights, bias = model.coef_[0].copy(), float(model.intercept_[0])
        loss = log_loss(tune[1], sigmoid(tune[0].astype(np.float64) @ weights + bias), tune[2])
        fits[loss] = Coefficients(weights, bias, strength)
    return fits[min(fits)]


def design_matrix(spec: InputSpec, rows: Rows) -> Matrix:
    """Return the output of the first layers, all categories one-hot, of shape (rows, units)."""
    import tensorflow as tf

    from loanbook.models.inputs.dense import dense
    from loanbook.models.inputs.groups import input_groups

    groups = input_groups(spec)
    units = dense(groups)
    layers: Any = tf.function(tf.keras.Model(groups.tensors, units))
    parts = [
        layers([array[start : start + BATCH_ROWS] for array in rows.inputs][: len(groups.tensors)]).numpy()
        for start in range(0, len(rows), BATCH_ROWS)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, units.shape[1]), np.float32)


def as_onnx(spec: InputSpec, target: Head, fitted: Coefficients) -> bytes:
    """Return the bytes of an ONNX file of the regression, with the first layers in it."""
    from loanbook.models.artefact.export import onnx_bytes
    from loanbook.models.inputs.dense import dense
    from loanbook.models.inputs.groups import input_groups
    from loanbook.models.network import with_output

    groups = input_groups(spec)
    network = with_output(groups, dense(groups), target, rate=0.5)
    kernel, bias = fitted.weights[:, None].astype(np.float32), np.array([fitted.bias], np.float32)
    network.scores.get_layer("score").set_weights([kernel, bias])
    return onnx_bytes(network.probabilities)
