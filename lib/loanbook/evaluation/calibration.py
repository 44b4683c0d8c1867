"""How far PDs and default rates agree: slope, intercept, and rates by group."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loanbook.evaluation.metrics import clustered_rate
from loanbook.models.calibration import logit, sigmoid
from loanbook.models.clustered import NORMAL_95, Floats, Interval
from loanbook.models.logistic_fit import fit_on_logit, in_the_large
from loanbook.models.together import Together


@dataclass(frozen=True)
class CalibrationFit:
    """Cox's (1958) recalibration of PDs; a perfect one has slope 1 and both intercepts 0.

    ``intercept_in_the_large`` is fitted with the slope fixed at 1: above 0, more loans defaulted than
    expected. A slope below 0 means that the PDs rank the wrong way round. None where no finite one is best.
    """

    slope: float | None
    intercept: float | None
    intercept_in_the_large: float | None


def calibration_fit(label: Floats, pd: Floats, weight: Floats) -> CalibrationFit:
    """Return the weighted logistic regressions of the label on logit(pd)."""
    fitted = fit_on_logit(pd, label, weight)
    intercept, slope = fitted if fitted is not None else (None, None)
    return CalibrationFit(slope, intercept, in_the_large(label, pd, weight))


def slope_interval(
    fit: CalibrationFit, label: Floats, pd: Floats, weight: Floats, together: Together
) -> Interval | None:
    """Return a fit's slope with its interval, robust to rows that come about together; None without a fit.

    The variance is that of the sandwich: each row's score, through the inverse information (White 1982).
    """
    if fit.slope is None or fit.intercept is None:
        return None
    score = logit(pd)
    expected = sigmoid(fit.intercept + fit.slope * score)
    information = weight * expected * (1 - expected)
    centred = score - np.average(score, weights=information)
    influence = weight * (label - expected) * centred / np.sum(information * centred**2)
    half = NORMAL_95 * float(np.sqrt(together.variance(influence)))
    return Interval(fit.slope, fit.slope - half, fit.slope + half)


@dataclass(frozen=True)
class GroupRates:
    """Expected and observed default rate of a group of rows, and what the interval is clustered by."""

    group: str
    rows: int
    loans: int
    defaulting_loans: int
    defaulting_borrowers: int
    expected: float
    observed: Interval
    clustered: str


def deciles(pd: Floats, bins: int) -> npt.NDArray[np.int64]:
    """Return each row's group from 1 (lowest PDs) to ``bins``, of equal size; equal PDs share a group.

    >>> deciles(np.array([0.1, 0.4, 0.2, 0.3]), 2).tolist()
    [1, 2, 1, 2]
    """
    ordered = np.sort(pd)
    rank = np.searchsorted(ordered, pd, side="left") + np.searchsorted(ordered, pd, side="right") - 1
    return np.asarray(np.minimum(rank * bins // (2 * max(1, len(pd))), bins - 1) + 1, np.int64)


def rates_by(
    groups: npt.NDArray[np.str_],
    label: Floats,
    pd: Floats,
    weight: Floats,
    loan: npt.NDArray[np.int64],
    together: Together,
) -> list[GroupRates]:
    """Return the rates of each group, in the order of their names.

    Args:
        groups: name of each row's group.
        label: 1 default, 0 not.
        pd: probability.
        weight: of each row.
        loan: code of each row's loan, from 0.
        together: which rows intervals are clustered by.
    """
    names, codes = np.unique(groups, return_inverse=True)
    by_code = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    return [
        _rates(str(name), label[rows], pd[rows], weight[rows], loan[rows], together.where(rows))
        for name, rows in zip(names, by_code, strict=True)
    ]


def _rates(
    group: str,
    label: Floats,
    pd: Floats,
    weight: Floats,
    loan: npt.NDArray[np.int64],
    together: Together,
) -> GroupRates:
    return GroupRates(
        group=group,
        rows=len(label),
        loans=len(np.unique(loan)),
        defaulting_loans=len(np.unique(loan[label > 0])),
        defaulting_borrowers=len(np.unique(together.borrower[label > 0])),
        expected=float(np.average(pd, weights=weight)),
        observed=clustered_rate(label, weight, together),
        clustered=together.said,
    )
