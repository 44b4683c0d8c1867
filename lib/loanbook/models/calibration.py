"""Platt scaling of a model's probabilities; NumPy only, because scoring applies it."""

import hashlib
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

Floats = npt.NDArray[np.float64]

EPSILON = 1e-9


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
