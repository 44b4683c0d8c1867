"""Platt scaling of a model's probabilities; NumPy only, because scoring applies it."""

import hashlib
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

Floats = npt.NDArray[np.float64]

EPSILON = 1e-9
NEWTON_STEPS = 50


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
        """Return calibrated PDs, float64; the identity returns its input."""
        raw = np.asarray(pd_raw, np.float64)
        return raw if self.uncalibrated else sigmoid(self.intercept + self.slope * logit(raw))


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


def weighted_log_loss(pd: npt.ArrayLike, label: npt.ArrayLike, weight: npt.ArrayLike) -> float:
    """Return the weighted mean of the binary cross-entropy."""
    p = np.clip(np.asarray(pd, np.float64), EPSILON, 1 - EPSILON)
    y, w = np.asarray(label, np.float64), np.asarray(weight, np.float64)
    return float(-np.sum(w * (y * np.log(p) + (1 - y) * np.log1p(-p))) / np.sum(w))


def fit_platt(
    pd_raw: npt.ArrayLike, label: npt.ArrayLike, weight: npt.ArrayLike
) -> tuple[float, float] | None:
    """Return (intercept, slope) of the weighted logistic regression of ``label`` on logit(pd_raw).

    Newton's method (Platt 1999, without his smoothing of targets: the slice holds enough defaults).
    None where the scores do not vary, the fit does not converge, or the slope is not positive.
    """
    x, y, w = logit(pd_raw), np.asarray(label, np.float64), np.asarray(weight, np.float64)
    if np.ptp(x) < EPSILON:
        return None
    design = np.column_stack([np.ones_like(x), x])
    beta = np.array([0.0, 1.0])
    for _ in range(NEWTON_STEPS):
        p = sigmoid(design @ beta)
        gradient = design.T @ (w * (y - p))
        hessian = (design * (w * p * (1 - p))[:, None]).T @ design
        if np.linalg.cond(hessian) > 1e14:
            return None
        step = np.linalg.solve(hessian, gradient)
        beta = beta + step
        if np.max(np.abs(step)) < 1e-10:
            return (float(beta[0]), float(beta[1])) if beta[1] > 0 else None
    return None
