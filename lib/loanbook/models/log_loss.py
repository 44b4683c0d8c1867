"""The log loss of probabilities: what baselines are chosen, models reported and evaluations judged by."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

EPSILON = 1e-9


def log_losses(label: npt.ArrayLike, pd: npt.ArrayLike) -> Floats:
    """Return each row's log loss; PDs are kept 1e-9 away from 0 and 1.

    PDs come as float32. Near 0 they are precise to their seventh digit (``sigmoid_nodes.py``), and so is the
    loss. Near 1 their distance q from 1 is known to 9e-8: the loss of a loan that did not default is then off
    by up to 9e-8 / q, and by up to 5 where the PD became 1. Where PDs are right such rows are as rare as q,
    so that a mean is off by less than 4e-7 in expectation. A loss beyond 20.7 counts as 20.7.
    """
    y, p = np.asarray(label, np.float64), np.clip(np.asarray(pd, np.float64), EPSILON, 1 - EPSILON)
    return np.asarray(-(y * np.log(p) + (1 - y) * np.log1p(-p)))


def log_loss(label: npt.ArrayLike, pd: npt.ArrayLike, weight: npt.ArrayLike) -> float:
    """Return the weighted mean of -(y log p + (1 - y) log(1 - p)), natural logarithm (Good 1952).

    >>> round(log_loss([1, 0], [0.25, 0.5], [1, 3]), 4)
    0.8664
    """
    return float(np.average(log_losses(label, pd), weights=np.asarray(weight, np.float64)))
