"""What is done to a model's probabilities before they are published; NumPy only, as scoring applies it."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, model_validator

from loanbook.settings.train import CalibrationMethod

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.str_]

EPSILON = 1e-9


class Grounds(BaseModel):
    """Why a method was chosen, in figures; see ``closed_test.py`` and ``calibration_choice.py``.

    A statistic is a likelihood ratio's, divided by its overdispersion. ``gains`` are cross-validated log
    losses that a method saves over the closed test's choice, each with its 95 percent interval.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    level_statistic: float
    level_overdispersion: float
    slope_statistic: float | None = None
    slope_overdispersion: float | None = None
    p_none: float
    p_intercept: float | None = None
    gains: dict[str, tuple[float, float, float]] = {}


class Calibration(BaseModel):
    """A monotone map of raw PDs z = logit(pd_raw) to calibrated ones, with the slice that it was fitted on.

    | ``method`` | logit(pd) less ``shift`` |
    |---|---|
    | ``none`` | z |
    | ``intercept`` | intercept + z |
    | ``platt`` | intercept + slope z (Platt 1999) |
    | ``beta`` | intercept + a log(pd_raw) - b log(1 - pd_raw) (Kull, Silva Filho, Flach 2017) |
    | ``isotonic`` | that of ``y``, interpolated over ``x`` and constant beyond (Zadrozny, Elkan 2002) |
    | ``monotone`` | that of ``y``, with logits interpolated over those of ``x``, the ends drawn out |

    Args:
        insufficient: nothing could be judged, as the rows held too few defaulting loans.
        reason: why this method, in words.
        x: raw PDs of the knots.
        y: PDs there.
        shift: what was added to the logit for the mean PD of the rows to be ``central_tendency``, last.
        mean_pd_before: their mean PD without the shift.
        by_state: calibrations of loans in some states, where a head asks for them.
        loans: borrowers, where settings tell which loans are one's; so are ``defaulting_loans``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: CalibrationMethod
    insufficient: bool = False
    reason: str = ""
    intercept: float = 0.0
    slope: float = 1.0
    a: float = 1.0
    b: float = 1.0
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    shift: float = 0.0
    central_tendency: float | None = None
    mean_pd_before: float | None = None
    by_state: dict[str, "Calibration"] = {}
    grounds: Grounds | None = None
    rows: int = 0
    loans: int = 0
    defaults: int = 0
    defaulting_loans: int = 0
    default_rate: float | None = None
    first_month: str | None = None
    last_month: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_an_earlier_version(cls, content: Any) -> Any:
        """Return what was called identity, where too few loans had defaulted, by its name of today."""
        if isinstance(content, Mapping) and content.get("method") == "identity":
            return {**content, "method": "none", "insufficient": True}
        return content

    @property
    def uncalibrated(self) -> bool:
        """Return whether nothing could be judged: PDs are then the model's own, right or wrong."""
        return self.insufficient

    @property
    def id(self) -> str:
        """Return 12 hex digits over the content, stored beside every PD that it made."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    def in_words(self) -> str:
        """Return what it does and why, as a report says it.

        >>> Calibration(method="platt", intercept=0.1, slope=0.9, reason="as asked for").in_words()
        'Platt, slope 0.900, intercept +0.100: as asked for'
        """
        own = "".join(f"; {state}: {one.in_words()}" for state, one in self.by_state.items())
        return self._in_words() + own

    def _in_words(self) -> str:
        level = f"intercept {self.intercept:+.3f}"
        done = {
            "none": "none, insufficient" if self.insufficient else "none",
            "intercept": level,
            "platt": f"Platt, slope {self.slope:.3f}, {level}",
            "beta": f"beta, a {self.a:.3f}, b {self.b:.3f}, {level}",
            "isotonic": f"isotonic, {len(self.x)} knots",
            "monotone": f"monotone, {len(self.x)} knots",
        }[self.method]
        why = f": {self.reason}" if self.reason else ""
        if self.central_tendency is None:
            return done + why
        return f"{done}{why}; then {self.shift:+.3f} for a mean PD of {self.central_tendency:.3%}"

    def apply(self, pd_raw: npt.ArrayLike) -> Floats:
        """Return calibrated PDs, float64 of the same shape; what changes nothing returns its input.

        Raises:
            ValueError: several outputs a row: each calibrated by itself, they would not add up.

        >>> Calibration(method="intercept", intercept=1.0).apply([0.5, 0.9]).round(3).tolist()
        [0.731, 0.961]
        """
        raw = np.asarray(pd_raw, np.float64)
        if self.method == "none" and self.shift == 0:
            return raw
        if raw.ndim > 1 and raw.shape[1] != 1:
            raise ValueError(f"a calibration is of one output a row, not of {raw.shape[1]}")
        return sigmoid(np.clip(self._score(raw) + self.shift, logit(0.0), logit(1.0)))

    def apply_by_state(self, pd_raw: Floats, state: Words) -> Floats:
        """Return calibrated PDs, (rows,), each by the calibration of its row's state where there is one."""
        found = self.apply(pd_raw)
        for name, one in self.by_state.items():
            found = np.where(state == name, one.apply(pd_raw), found)
        return found

    def _score(self, raw: Floats) -> Floats:
        if self.method == "isotonic":
            return logit(np.interp(raw, self.x, self.y))
        if self.method == "beta":
            p = np.clip(raw, EPSILON, 1 - EPSILON)
            return np.asarray(self.intercept + self.a * np.log(p) - self.b * np.log1p(-p))
        score = logit(raw)
        if self.method == "monotone":
            return drawn_out(score, logit(self.x), logit(self.y))
        return np.asarray(self.intercept + self.slope * score)


def drawn_out(at: Floats, x: Floats, y: Floats) -> Floats:
    """Return the line through the knots at ``at``; beyond them its first and last segment go on.

    >>> drawn_out(np.array([-1.0, 0.5, 3.0]), np.array([0.0, 1.0, 2.0]), np.array([0.0, 2.0, 3.0])).tolist()
    [-2.0, 1.0, 4.0]
    """
    slopes = np.diff(y) / np.diff(x)
    beyond = np.minimum(at - x[0], 0) * slopes[0] + np.maximum(at - x[-1], 0) * slopes[-1]
    return np.asarray(np.interp(at, x, y) + beyond)


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
