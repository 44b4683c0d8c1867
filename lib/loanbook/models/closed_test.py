"""Which of no calibration, an intercept, and an intercept with a slope is the simplest that is not rejected.

The closed test of Vergouwe et al. (2017, *A closed testing procedure to select an appropriate method for
updating prediction models*), which Davis et al. (2020) hold against yearly refits: each is tested against the
most general one, the simplest first.

| none against Platt, 2 degrees | intercept against Platt, 1 degree | taken |
|---|---|---|
| not rejected | | ``none`` |
| rejected | not rejected | ``intercept`` |
| rejected | rejected | ``platt`` |

Labels of one loan's months are nearly one label, and a recession meets all loans of a month, so that a plain
likelihood ratio rejects far too often. That of each added parameter is divided by its overdispersion: the
cluster-robust variance of its score over the variance that independent rows would have (Rao, Scott 1984).
What moves a month lasts, and windows of labels overlap, so that clusters are borrowers and blocks of months;
that variance is the one whose normal quantiles are Student's t, so that few blocks reject no more often.
"""

import math
from dataclasses import dataclass

import numpy as np

from loanbook.models.calibration import Calibration, Floats, logit, sigmoid
from loanbook.models.calibration_rows import CalibrationRows
from loanbook.models.calibrators import fit_platt
from loanbook.models.logistic_fit import in_the_large, intercept_beside
from loanbook.settings.train import CalibrationMethod

REJECTED_BELOW = 0.05


@dataclass(frozen=True)
class Step:
    """An added parameter.

    Args:
        statistic: its likelihood ratio's, 2 (l - l without it), over the overdispersion.
        overdispersion: at least 1.
    """

    statistic: float
    overdispersion: float

    @property
    def kept(self) -> float:
        """Return the share of the parameter that is kept, max(0, 1 - 1 / statistic).

        The heuristic shrinkage of van Houwelingen and le Cessie (1990), (chi2 - df) / chi2, of one parameter.
        """
        return max(0.0, 1 - 1 / self.statistic) if self.statistic > 0 else 0.0


@dataclass(frozen=True)
class ClosedTest:
    """What the test found.

    Args:
        intercept: with slope 1.
        platt: intercept and slope; None where there is no such fit.
        level: what the intercept adds to none.
        slope: what the slope adds to the intercept.
    """

    intercept: float
    platt: tuple[float, float] | None
    level: Step
    slope: Step | None

    @property
    def p_none(self) -> float:
        """Return the p-value of no calibration against the most general one."""
        if self.slope is None:
            return chi2_tail(self.level.statistic, 1)
        return chi2_tail(self.level.statistic + self.slope.statistic, 2)

    @property
    def p_intercept(self) -> float | None:
        """Return the p-value of slope 1; None where no other was fitted."""
        return None if self.slope is None else chi2_tail(self.slope.statistic, 1)

    @property
    def chosen(self) -> CalibrationMethod:
        """Return the simplest that is not rejected."""
        if self.p_none >= REJECTED_BELOW:
            return "none"
        return "intercept" if self.p_intercept is None or self.p_intercept >= REJECTED_BELOW else "platt"

    @property
    def overdispersion(self) -> float:
        """Return the larger of both steps'."""
        return max(step.overdispersion for step in (self.level, self.slope) if step is not None)


def closed_test(rows: CalibrationRows) -> ClosedTest | None:
    """Return the test on rows that the model was not fitted on; None where their labels are all alike."""
    score, label, weight = logit(rows.pd), rows.label, rows.weight
    intercept = in_the_large(label, rows.pd, weight)
    if intercept is None:
        return None
    shifted = score + intercept
    level = _step(rows, score, shifted, np.ones_like(score))
    platt = fit_platt(rows.pd, label, weight)
    slope = None if platt is None else _step(rows, shifted, platt[0] + platt[1] * score, score)
    return ClosedTest(intercept, platt, level, slope)


def _step(rows: CalibrationRows, before: Floats, after: Floats, column: Floats) -> Step:
    """Return what a parameter adds.

    Args:
        rows: with their labels.
        before: scores without it.
        after: scores with it.
        column: by what it enters the scores. What an intercept explains of it is taken out, so that steps add
            up; the column of the intercept itself does not vary and stays.
    """
    ratio = 2 * (_likelihood(rows, after) - _likelihood(rows, before))
    p = sigmoid(after)
    information = rows.weight * p * (1 - p)
    if np.ptp(column) > 0:
        column = column - np.average(column, weights=information)
    robust = rows.clusters.variance(rows.weight * (rows.label - p) * column)
    overdispersion = max(1.0, robust / float(np.sum(information * column**2)))
    return Step(max(0.0, ratio) / overdispersion, overdispersion)


def _likelihood(rows: CalibrationRows, score: Floats) -> float:
    return float(rows.weight @ (rows.label * score - np.logaddexp(0.0, score)))


def chi2_tail(statistic: float, degrees: int) -> float:
    """Return the chance of at least ``statistic`` under chi-squared with 1 or 2 degrees of freedom.

    >>> round(chi2_tail(3.841, 1), 3), round(chi2_tail(5.991, 2), 3)
    (0.05, 0.05)
    """
    return math.erfc(math.sqrt(statistic / 2)) if degrees == 1 else math.exp(-statistic / 2)


def shrunk(test: ClosedTest, rows: CalibrationRows) -> Calibration:
    """Return what the test chose, drawn towards no calibration by as much as its statistics are noise.

    The slope goes towards 1, and the mean PD towards that of the raw PDs: an intercept by itself says little
    of the level once the slope is not 1.
    """
    if test.chosen == "none":
        return Calibration(method="none")
    if test.chosen == "intercept" or test.platt is None or test.slope is None:
        return Calibration(method="intercept", intercept=test.level.kept * test.intercept)
    slope = 1 + test.slope.kept * (test.platt[1] - 1)
    sloped = slope * logit(rows.pd)
    as_raw, as_observed = (intercept_beside(sloped, mean, rows.weight) for mean in (rows.pd, rows.label))
    if as_raw is None or as_observed is None:
        return Calibration(method="platt", intercept=test.platt[0], slope=test.platt[1])
    intercept = as_raw + test.level.kept * (as_observed - as_raw)
    return Calibration(method="platt", intercept=intercept, slope=slope)
