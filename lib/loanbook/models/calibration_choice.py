"""Which calibration a model gets: the one asked for, or the simplest whose gain is beyond chance.

| defaulting loans | closed test | more flexible, cross-validated | taken by ``auto`` |
|---|---|---|---|
| 12 | | | ``none``, insufficient |
| 138 | none is not rejected | | ``none`` |
| 138 | none is rejected, slope 1 is not | | ``intercept``, shrunk |
| 2,000 | both are rejected | isotonic saves 0.0004, 0.0001 to 0.0007 | ``isotonic`` |
| 2,000 | both are rejected | monotone saves 0.0002, -0.0001 to 0.0005 | ``platt``, shrunk |
"""

from typing import Literal

import numpy as np

from loanbook.models.calibration import Calibration, Floats, Grounds
from loanbook.models.calibration_rows import CalibrationRows
from loanbook.models.calibrators import LEAST_DEFAULTING_LOANS, fitted
from loanbook.models.closed_test import ClosedTest, closed_test, shrunk
from loanbook.models.clustered import Interval
from loanbook.models.log_loss import log_losses
from loanbook.models.logistic_fit import in_the_large
from loanbook.settings.train import CalibrationMethod, CalibrationSettings

FOLDS = 5
FOLD_SEED = 17  # loans are dealt to folds alike for every model, so that models of the same rows are compared
SAID = "{:.2g}".format


def choose_calibration(
    rows: CalibrationRows, settings: CalibrationSettings, min_defaults: int
) -> Calibration:
    """Return the calibration of a model, with the rows that it was judged on.

    Args:
        rows: that the model was not fitted on.
        settings: the method, which months count, and the mean PD wanted.
        min_defaults: defaulting loans below which nothing is judged.
    """
    used = rows.recent(settings.window_months, settings.half_life_months)
    chosen = _chosen(used, settings.method, min_defaults).model_copy(update=dict(used.counts()))
    before = chosen.apply(used.pd)
    return chosen.model_copy(update=mean_shift(before, used.weight, settings.central_tendency))


def _chosen(
    rows: CalibrationRows, asked: CalibrationMethod | Literal["auto"], min_defaults: int
) -> Calibration:
    defaulting = rows.defaulting_loans
    if defaulting < min_defaults:
        return _nothing(f"{defaulting:,} defaulting loans, of at least {min_defaults:,}", insufficient=True)
    test = closed_test(rows)
    if test is None:
        return _nothing("the label of every row is the same", insufficient=True)
    if asked == "auto":
        return _simplest(rows, test)
    return _asked(rows, asked, test)


def _nothing(reason: str, *, insufficient: bool = False) -> Calibration:
    return Calibration(method="none", insufficient=insufficient, reason=reason)


def _asked(rows: CalibrationRows, method: CalibrationMethod, test: ClosedTest) -> Calibration:
    """Return the method's fit, not shrunk: it is asked for by name."""
    least = LEAST_DEFAULTING_LOANS.get(method, 0)
    if rows.defaulting_loans < least:
        return _nothing(f"{method} needs {least:,} defaulting loans, and there are {rows.defaulting_loans:,}")
    found = fitted(method, rows, test.overdispersion)
    if found is None:
        return _nothing(f"{method} has no fit to these PDs and labels")
    return found.model_copy(update={"reason": "as asked for", "grounds": _grounds(test, {})})


def _simplest(rows: CalibrationRows, test: ClosedTest) -> Calibration:
    gains = _gains(rows, test)
    grounds = _grounds(test, gains)
    better = [name for name, gain in gains.items() if gain.low > 0]
    best = max(better, key=lambda name: gains[name].estimate, default=test.chosen)
    found = fitted(best, rows, test.overdispersion) if better else None
    if found is None:
        return shrunk(test, rows).model_copy(update={"reason": _said_of(test), "grounds": grounds})
    gain = gains[best]
    reason = (
        f"its cross-validated log loss is {gain.estimate:.5f} lower ({gain.low:.5f} to {gain.high:.5f}) "
        f"than that of {test.chosen}"
    )
    return found.model_copy(update={"reason": reason, "grounds": grounds})


def _gains(rows: CalibrationRows, test: ClosedTest) -> dict[CalibrationMethod, Interval]:
    """Return the log loss that each flexible method saves over the test's choice, on loans not fitted on.

    Intervals are paired on the same rows, and clustered.
    """
    offered = [name for name, least in LEAST_DEFAULTING_LOANS.items() if rows.defaulting_loans >= least]
    if not offered:
        return {}
    chosen = _held_out(rows, test.chosen, test.overdispersion)
    losses = {name: _held_out(rows, name, test.overdispersion) for name in offered}
    return {
        name: rows.clusters.mean(chosen - loss, rows.weight)
        for name, loss in losses.items()
        if chosen is not None and loss is not None
    }


def _held_out(rows: CalibrationRows, method: CalibrationMethod, overdispersion: float) -> Floats | None:
    """Return each row's log loss under the method fitted to the other folds; None where one has no fit."""
    _, position = np.unique(rows.together.borrower, return_inverse=True)
    dealt = np.random.default_rng(FOLD_SEED).permutation(position.max() + 1) % FOLDS
    fold = dealt[position]
    losses = np.empty(len(rows))
    for number in range(FOLDS):
        found = fitted(method, rows.where(fold != number), overdispersion)
        if found is None:
            return None
        held = fold == number
        losses[held] = log_losses(rows.label[held], found.apply(rows.pd[held]))
    return losses


def _grounds(test: ClosedTest, gains: dict[CalibrationMethod, Interval]) -> Grounds:
    return Grounds(
        level_statistic=test.level.statistic,
        level_overdispersion=test.level.overdispersion,
        slope_statistic=None if test.slope is None else test.slope.statistic,
        slope_overdispersion=None if test.slope is None else test.slope.overdispersion,
        p_none=test.p_none,
        p_intercept=test.p_intercept,
        gains={name: (gain.estimate, gain.low, gain.high) for name, gain in gains.items()},
    )


def _said_of(test: ClosedTest) -> str:
    if test.chosen == "none":
        return f"the raw PDs are not rejected at 5 % (p {SAID(test.p_none)})"
    rejected = f"the raw PDs are rejected (p {SAID(test.p_none)})"
    if test.p_intercept is None:
        return f"{rejected}, and no slope could be fitted"
    if test.chosen == "intercept":
        return f"{rejected}, slope 1 is not (p {SAID(test.p_intercept)})"
    return f"{rejected}, and slope 1 is (p {SAID(test.p_intercept)})"


def mean_shift(before: Floats, weight: Floats, rate: float | None) -> dict[str, float]:
    """Return the fields of a calibration that shift logits so that the weighted mean of PDs is ``rate``.

    None where no mean is wanted, or there are no rows, of which there is none.
    """
    if rate is None or not len(before):
        return {}
    shift = in_the_large(np.full(len(before), rate), before, weight)
    if shift is None:
        return {}
    mean = float(np.average(before, weights=weight))
    return {"shift": shift, "central_tendency": rate, "mean_pd_before": mean}
