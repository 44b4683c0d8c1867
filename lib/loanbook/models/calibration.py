"""Platt scaling of a model's probabilities; NumPy only, because scoring applies it."""

import hashlib
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

Floats = npt.NDArray[np.float64]

EPSILON = 1e-9
NEWTON_STEPS = 100
CONVERGED = 1e-7  # relative length of a step, after which one more changes nothing that a float can show
ROUNDING = 1e-15  # of a loss, relative
SINGULAR = 1e14  # condition number of a matrix that has no inverse


class Calibration(BaseModel):
    """pd = sigmoid(intercept + slope * logit(pd_raw)), with the slice that it was fitted on.

    ``method`` is ``identity`` (slope 1, intercept 0) where the slice held too few defaulting loans.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["platt", "identity"]
    intercept: float = 0.0
    slope: float = 1.0
    rows: int = 0
    loans: int = 0
    defaults: int = 0
    defaulting_loans: int = 0
    default_rate: float | None = None
    first_month: str | None = None
    last_month: str | None = None

    @property
    def uncalibrated(self) -> bool:
        """Return whether PDs pass unchanged because nothing could be fitted."""
        return self.method == "identity"

    @property
    def id(self) -> str:
        """Return 12 hex digits over the content, stored beside every PD that it made."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    def apply(self, pd_raw: npt.ArrayLike) -> Floats:
        """Return calibrated PDs, float64 of the same shape; the identity returns its input.

        Raises:
            ValueError: Platt's method for several outputs a row: each by itself, they would not add up.
        """
        raw = np.asarray(pd_raw, np.float64)
        if self.uncalibrated:
            return raw
        if raw.ndim > 1 and raw.shape[1] != 1:
            raise ValueError(f"Platt's calibration is of one output a row, not of {raw.shape[1]}")
        return sigmoid(self.intercept + self.slope * logit(raw))


def logit(pd: npt.ArrayLike) -> Floats:
    """Return log(p / (1 - p)) of probabilities kept 1e-9 away from 0 and 1."""
    p = np.clip(np.asarray(pd, np.float64), EPSILON, 1 - EPSILON)
    return np.asarray(np.log(p) - np.log1p(-p))


def sigmoid(score: npt.ArrayLike) -> Floats:
    """Return 1 / (1 + exp(-score)) without overflow.

    >>> float(sigmoid(0.0))
    0.5
    """
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(score, np.float64))))


def fit_platt(
    pd_raw: npt.ArrayLike, label: npt.ArrayLike, weight: npt.ArrayLike
) -> tuple[float, float] | None:
    """Return (intercept, slope) of ``fit_on_logit`` where it ranks loans as the PDs do.

    Platt (1999), without his smoothing of targets: the slice holds enough defaults. None where there is no
    fit, or its slope is not positive.
    """
    fitted = fit_on_logit(pd_raw, label, weight)
    return fitted if fitted is not None and fitted[1] > 0 else None


def fit_on_logit(
    pd: npt.ArrayLike, label: npt.ArrayLike, weight: npt.ArrayLike
) -> tuple[float, float] | None:
    """Return (intercept, slope) of the weighted logistic regression of ``label`` on logit(pd).

    None where no finite one is best: the PDs or the labels do not vary, or a threshold parts the labels.
    """
    x, y, w = logit(pd), np.asarray(label, np.float64), np.asarray(weight, np.float64)
    defaulted, others = x[(y > 0) & (w > 0)], x[(y <= 0) & (w > 0)]
    if not len(defaulted) or not len(others) or np.ptp(x[w > 0]) < EPSILON:
        return None
    if not (defaulted.min() < others.max() and others.min() < defaulted.max()):
        return None
    mean = float(np.average(y, weights=w))
    start = np.array([logit(mean), 0.0])
    fitted = logistic_fit(np.column_stack([np.ones_like(x), x]), np.zeros_like(x), y, w, start)
    return None if fitted is None else (float(fitted[0]), float(fitted[1]))


def logistic_fit(
    design: Floats, offset: Floats, label: Floats, weight: Floats, start: Floats
) -> Floats | None:
    """Return the coefficients with the least weighted log loss, by Newton's method with halved steps.

    A full step may lead from a flat place to a worse one, and on to infinity: each is halved until the loss
    falls. None where it does not converge, as no finite coefficients are best.

    Args:
        design: shape (rows, coefficients).
        offset: added to each row's score.
        label: 1 default, 0 not.
        weight: of each row.
        start: coefficients to begin with.
    """
    share = weight / weight.sum()

    def loss(at: Floats) -> float:
        score = offset + design @ at
        return float(share @ (np.logaddexp(0.0, score) - label * score))

    found, least = start, loss(start)
    for _ in range(NEWTON_STEPS):
        p = sigmoid(offset + design @ found)
        gradient = design.T @ (share * (label - p))
        hessian = (design * (share * p * (1 - p))[:, None]).T @ design
        scale = np.sqrt(np.diag(hessian))
        if not np.all(scale > 0) or np.linalg.cond(scaled := hessian / np.outer(scale, scale)) > SINGULAR:
            return None
        step = np.linalg.solve(scaled, gradient / scale) / scale
        if np.max(np.abs(step)) < CONVERGED * (1 + np.max(np.abs(found))):
            return np.asarray(found + step)
        while (tried := loss(found + step)) > least * (1 + ROUNDING) and np.max(np.abs(step)) > EPSILON:
            step = step / 2
        found, before, least = found + step, least, tried
        if before - least <= ROUNDING * least:
            return np.asarray(found)
    return None
