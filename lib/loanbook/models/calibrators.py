"""How each method of calibration is fitted, and what it needs."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from loanbook.models.calibration import EPSILON, Calibration, Floats, logit, sigmoid
from loanbook.models.calibration_rows import CalibrationRows
from loanbook.models.logistic_fit import fit_on_logit, in_the_large, logistic_fit
from loanbook.settings.train import CalibrationMethod

# Below these a shape is noise, which isotonic regression follows most (Niculescu-Mizil, Caruana 2005).
LEAST_DEFAULTING_LOANS: Mapping[CalibrationMethod, int] = {"beta": 300, "monotone": 300, "isotonic": 1000}

KNOT_SHARES = (0.05, 0.35, 0.65, 0.95)  # of all rows, and of the defaulting ones, lie below a knot
NEAREST_KNOTS = 0.05  # logits; of two that are nearer one is left out
SLOPE_SPREAD = 0.5  # standard deviation of the slopes around 1 that the monotone method expects


def fit_platt(
    pd_raw: npt.ArrayLike, label: npt.ArrayLike, weight: npt.ArrayLike
) -> tuple[float, float] | None:
    """Return (intercept, slope) of ``fit_on_logit`` where it ranks loans as the PDs do.

    Platt (1999), without his smoothing of targets: the slice holds enough defaults. None where there is no
    fit, or its slope is not positive.
    """
    fitted = fit_on_logit(pd_raw, label, weight)
    return fitted if fitted is not None and fitted[1] > 0 else None


def fitted(
    method: CalibrationMethod, rows: CalibrationRows, overdispersion: float = 1.0
) -> Calibration | None:
    """Return the method's fit; None where there is none, such as of PDs that do not vary.

    Args:
        method: which.
        rows: their labels are not all alike.
        overdispersion: how many times the rows' likelihood overstates what they tell.
    """
    return FITS[method](rows, overdispersion)


def _none(rows: CalibrationRows, _: float) -> Calibration:
    return Calibration(method="none")


def _intercept(rows: CalibrationRows, _: float) -> Calibration | None:
    found = in_the_large(rows.label, rows.pd, rows.weight)
    return None if found is None else Calibration(method="intercept", intercept=found)


def _platt(rows: CalibrationRows, _: float) -> Calibration | None:
    found = fit_platt(rows.pd, rows.label, rows.weight)
    return None if found is None else Calibration(method="platt", intercept=found[0], slope=found[1])


def _beta(rows: CalibrationRows, _: float) -> Calibration | None:
    """Return the logistic regression on log p and -log(1 - p), neither coefficient below 0.

    Kull, Silva Filho, Flach (2017) drop one that is negative and fit again, which gives the same.
    """
    start = fit_platt(rows.pd, rows.label, rows.weight)
    if start is None:
        return None
    p = np.clip(rows.pd, EPSILON, 1 - EPSILON)
    design = np.column_stack([np.ones_like(p), np.log(p), -np.log1p(-p)])
    first = np.array([start[0], start[1], start[1]])
    least = np.array([-np.inf, 0.0, 0.0])
    found = logistic_fit(design, np.zeros_like(p), rows.label, rows.weight, first, least=least)
    if found is None or not found[1:].any():
        return None
    return Calibration(method="beta", intercept=float(found[0]), a=float(found[1]), b=float(found[2]))


def _isotonic(rows: CalibrationRows, _: float) -> Calibration | None:
    """Return the pool-adjacent-violators fit; the ends stay half a default away from 0 and 1."""
    from sklearn.isotonic import IsotonicRegression

    if np.ptp(rows.pd) == 0:
        return None
    least = 0.5 / float(np.sum(rows.weight))
    line = IsotonicRegression(y_min=least, y_max=1 - least).fit(rows.pd, rows.label, rows.weight)
    x, y = (tuple(knots.tolist()) for knots in (line.X_thresholds_, line.y_thresholds_))
    return Calibration(method="isotonic", x=x, y=y)


def _monotone(rows: CalibrationRows, overdispersion: float) -> Calibration | None:
    """Return a line of up to seven segments in logits, whose slopes are at least 0.

    A piecewise linear generalised additive model of the logit, which calibrates credit scores best in Bequé,
    Coussement, Gayler, Lessmann (2017). Each slope has a normal prior around 1, so that one that few rows
    speak of stays there; the rows count as much as they tell (``overdispersion``).
    """
    score = logit(rows.pd)
    x = knots_of(score, rows.label, rows.weight)
    if len(x) < 2:
        return None
    within = np.column_stack([np.ones_like(score), *_segments(score, x)])
    count = len(x) - 1
    best = logistic_fit(
        within,
        np.full_like(score, x[0]),
        rows.label,
        rows.weight / overdispersion,
        np.r_[0.0, np.ones(count)],
        least=np.r_[-np.inf, np.zeros(count)],
        pull=np.r_[0.0, np.full(count, SLOPE_SPREAD**-2)],
        towards=np.r_[0.0, np.ones(count)],
    )
    if best is None or not best[1:].any():
        return None
    y = x[0] + best[0] + np.r_[0.0, np.cumsum(best[1:] * np.diff(x))]
    return Calibration(method="monotone", x=tuple(sigmoid(x).tolist()), y=tuple(sigmoid(y).tolist()))


def knots_of(score: Floats, label: Floats, weight: Floats) -> Floats:
    """Return up to eight knots: where ``KNOT_SHARES`` of all rows, and of the defaulting ones, lie below."""
    both = (np.ones(len(score), bool), label > 0)
    knots = np.sort(np.concatenate([_quantiles(score[rows], weight[rows]) for rows in both]))
    kept = [knots[0]]
    for knot in knots[1:]:
        if knot - kept[-1] >= NEAREST_KNOTS:
            kept.append(knot)
    return np.array(kept)


def _quantiles(score: Floats, weight: Floats) -> Floats:
    order = np.argsort(score)
    below = np.cumsum(weight[order]) - 0.5 * weight[order]
    return np.interp(KNOT_SHARES, below / weight.sum(), score[order])


def _segments(score: Floats, x: Floats) -> list[Floats]:
    """Return how far each score goes through each segment; the first and the last have no outer end."""
    low, high = np.r_[-np.inf, x[1:-1]], np.r_[x[1:-1], np.inf]
    return [np.clip(score, start, end) - from_ for start, end, from_ in zip(low, high, x[:-1], strict=True)]


FITS: Mapping[CalibrationMethod, Callable[[CalibrationRows, float], Calibration | None]] = {
    "none": _none,
    "intercept": _intercept,
    "platt": _platt,
    "beta": _beta,
    "isotonic": _isotonic,
    "monotone": _monotone,
}
