"""Weighted logistic regressions with few coefficients, by Newton's method: what calibrations are made of."""

import numpy as np
import numpy.typing as npt

from loanbook.models.calibration import EPSILON, Floats, logit, sigmoid

NEWTON_STEPS = 100
CONVERGED = 1e-7  # relative length of a step, after which one more changes nothing that a float can show
ROUNDING = 1e-15  # of a loss, relative
SINGULAR = 1e14  # condition number of a matrix that has no inverse


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


def in_the_large(label: Floats, pd: Floats, weight: Floats) -> float | None:
    """Return a such that sigmoid(a + logit(pd)) has the labels' mean; None where all labels are equal.

    The maximum likelihood intercept with slope 1.
    """
    observed = float(np.average(label, weights=weight))
    if observed in (0.0, 1.0):
        return None
    fitted = logistic_fit(np.ones((len(pd), 1)), logit(pd), label, weight, np.zeros(1))
    return None if fitted is None else float(fitted[0])


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
