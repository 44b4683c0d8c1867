"""Weighted logistic regressions with few coefficients, by Newton's method: what calibrations are made of."""

import numpy as np
import numpy.typing as npt

from loanbook.models.calibration import Floats, logit, sigmoid

NEWTON_STEPS = 100
SHORTEST = 1e-9  # a step that is halved below this is given up
SAME = 1e-9  # logits that differ by less do not vary
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
    if not len(defaulted) or not len(others) or np.ptp(x[w > 0]) < SAME:
        return None
    if not (defaulted.min() < others.max() and others.min() < defaulted.max()):
        return None
    mean = float(np.average(y, weights=w))
    start = np.array([logit(mean), 0.0])
    fitted = logistic_fit(np.column_stack([np.ones_like(x), x]), np.zeros_like(x), y, w, start)
    return None if fitted is None else (float(fitted[0]), float(fitted[1]))


def in_the_large(label: Floats, pd: Floats, weight: Floats) -> float | None:
    """Return a such that sigmoid(a + logit(pd)) has the labels' mean; None where all labels are equal.

    The maximum likelihood intercept with slope 1. Labels may be rates: only their mean counts.

    >>> round(in_the_large(np.array([0.0, 1.0]), np.array([0.2, 0.2]), np.ones(2)), 4)
    1.3863
    """
    return intercept_beside(logit(pd), label, weight)


def intercept_beside(score: Floats, label: Floats, weight: Floats) -> float | None:
    """Return a such that sigmoid(a + score) has the labels' mean; None where all labels are equal.

    Args:
        score: log odds of each row, however far from 0.
        label: 1 default, 0 not, or rates.
        weight: of each row.

    >>> round(intercept_beside(np.array([-60.0, -60.0]), np.array([0.0, 1.0]), np.ones(2)), 4)
    60.0
    """
    observed = float(np.average(label, weights=weight))
    if observed in (0.0, 1.0):
        return None
    start = np.array([float(logit(observed)) - float(np.average(score, weights=weight))])
    fitted = logistic_fit(np.ones((len(score), 1)), score, label, weight, start)
    return None if fitted is None else float(fitted[0])


def logistic_fit(
    design: Floats,
    offset: Floats,
    label: Floats,
    weight: Floats,
    start: Floats,
    *,
    least: Floats | None = None,
    pull: Floats | None = None,
    towards: Floats | None = None,
) -> Floats | None:
    """Return the coefficients with the least weighted log loss, by Newton's method with halved steps.

    A full step may lead from a flat place to a worse one, and on to infinity: each is halved until the loss
    falls. None where it does not converge, as no finite coefficients are best. Bounds are kept by projecting
    each step, while coefficients that would leave by their bound stay there (Bertsekas 1982).

    Args:
        design: shape (rows, coefficients).
        offset: added to each row's score.
        label: 1 default, 0 not.
        weight: of each row.
        start: coefficients to begin with, within their bounds.
        least: of each coefficient; none by default.
        pull: half of it times the squared distance from ``towards`` is added to the sum of the rows' weighted
            log losses: the inverse variance of a normal prior.
        towards: where each coefficient is pulled; 0 by default.
    """
    total = weight.sum()
    share = weight / total
    lowest = np.full(len(start), -np.inf) if least is None else least
    strength = np.zeros(len(start)) if pull is None else pull / total
    centre = np.zeros(len(start)) if towards is None else towards

    def loss(at: Floats) -> float:
        score = offset + design @ at
        penalty = 0.5 * float(strength @ (at - centre) ** 2)
        return float(share @ (np.logaddexp(0.0, score) - label * score)) + penalty

    found, smallest = start, loss(start)
    for _ in range(NEWTON_STEPS):
        p = sigmoid(offset + design @ found)
        gradient = design.T @ (share * (label - p)) - strength * (found - centre)
        hessian = (design * (share * p * (1 - p))[:, None]).T @ design + np.diag(strength)
        free = (found > lowest) | (gradient > 0)
        step = _newton_step(gradient, hessian, free)
        if step is None:
            return None
        if np.max(np.abs(step)) < CONVERGED * (1 + np.max(np.abs(found))):
            return np.asarray(np.maximum(found + step, lowest))
        tried = np.maximum(found + step, lowest)
        while (reached := loss(tried)) > smallest * (1 + ROUNDING) and np.max(np.abs(step)) > SHORTEST:
            step = step / 2
            tried = np.maximum(found + step, lowest)
        found, before, smallest = tried, smallest, reached
        if before - smallest <= ROUNDING * smallest:
            return np.asarray(found)
    return None


def _newton_step(gradient: Floats, hessian: Floats, free: npt.NDArray[np.bool_]) -> Floats | None:
    """Return the step of the free coefficients, 0 of the others; None where they have no inverse."""
    step = np.zeros(len(gradient))
    if not free.any():
        return step
    part = hessian[np.ix_(free, free)]
    scale = np.sqrt(np.diag(part))
    if not np.all(scale > 0) or np.linalg.cond(scaled := part / np.outer(scale, scale)) > SINGULAR:
        return None
    step[free] = np.linalg.solve(scaled, gradient[free] / scale) / scale
    return step
