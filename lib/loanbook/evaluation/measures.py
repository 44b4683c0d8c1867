"""What is measured of a predictor on a sample, with the method of each figure."""

import dataclasses
from collections.abc import Iterable

import numpy as np

from loanbook.evaluation.calibration import calibration_fit, slope_interval
from loanbook.evaluation.metrics import at_threshold, auc, clustered_rate, ks
from loanbook.evaluation.sample import Sample
from loanbook.models.artefact.artefact import MODEL
from loanbook.models.clustered import Floats, Interval
from loanbook.models.inputs.support import OUT_OF_SUPPORT
from loanbook.models.log_loss import log_losses
from loanbook.models.shortfalls import log_loss_difference
from loanbook.settings.evaluate import EvaluateSettings

INSUFFICIENT = "insufficient"
PAIRED = "paired rows, interval"
WILSON = "weighted mean, Wilson interval"
SHORT = ("log_loss", "brier", "auc", "gini", "ks", "expected_default_rate", "observed_default_rate")
CURRENT = "current"  # the state of loans that no model can tell by their arrears

Measured = dict[str, tuple[float | Interval | None, str]]


def measures(part: Sample, predictor: str, settings: EvaluateSettings) -> Measured:
    """Return every metric of a predictor over a sample; of one with few defaulting borrowers none."""
    if part.defaulting_borrowers < settings.min_defaults:
        return nothing(names_of(part, predictor))
    label, weight, pd = part.label, part.weight, part.calibrated[predictor]
    fit = calibration_fit(label, pd, weight)
    fixed = f"at PD >= {settings.threshold:g}"
    regression = "logistic regression on logit(pd)"
    measured: Measured = {
        **short_measures(part, predictor, settings),
        "auc_current": _auc_current(part, predictor, settings),
        "calibration_slope": (
            slope_interval(fit, label, pd, weight, part.together),
            f"{regression}, interval {part.together.said}",
        ),
        "calibration_intercept": (fit.intercept, regression),
        "calibration_in_the_large": (fit.intercept_in_the_large, f"{regression}, slope 1"),
        **{
            name: (value, fixed)
            for name, value in at_threshold(label, pd, weight, settings.threshold).items()
        },
    }
    for name in _of_support(part, predictor):
        beyond = part.frame[name].to_numpy(np.float64)
        measured[name] = (float(np.average(beyond, weights=weight)), "weighted mean")
    if predictor == MODEL:
        measured |= {
            minus(name): (_against(part, name), f"{PAIRED} {part.together.said}") for name in part.baselines
        }
    return measured


def short_measures(part: Sample, predictor: str, settings: EvaluateSettings) -> Measured:
    """Return the metrics that are given of parts too: loss, ranking and rates."""
    if part.defaulting_borrowers < settings.min_defaults:
        return nothing(SHORT)
    label, weight, pd = part.label, part.weight, part.calibrated[predictor]
    averaged = f"weighted mean, interval {part.together.said}"
    return {
        "log_loss": (part.together.mean(log_losses(label, pd), weight), averaged),
        "brier": (part.together.mean((pd - label) ** 2, weight), averaged),  # Brier 1950
        **_rank_measures(part, pd),
        "expected_default_rate": (float(np.average(pd, weights=weight)), "weighted mean"),
        "observed_default_rate": (
            clustered_rate(label, weight, part.together),
            f"{WILSON} {part.together.said}",
        ),
    }


def minus(baseline: str) -> str:
    """Return the metric of the model's log loss less that of a baseline, on the same rows."""
    return f"log_loss_minus_{baseline}"


def names_of(part: Sample, predictor: str) -> tuple[str, ...]:
    """Return the metrics over a whole sample."""
    paired = [minus(name) for name in part.baselines] if predictor == MODEL else []
    thresholds = ("accuracy", "precision", "recall", "f1")
    calibration = ("calibration_slope", "calibration_intercept", "calibration_in_the_large")
    return (*SHORT, "auc_current", *thresholds, *calibration, *paired, *_of_support(part, predictor))


def nothing(names: Iterable[str]) -> Measured:
    """Return metrics of which none is stated."""
    return dict.fromkeys(names, (None, INSUFFICIENT))


def _of_support(part: Sample, predictor: str) -> tuple[str, ...]:
    """Return the share of the rows out of support, once a sample, where its spec says what that is."""
    return (OUT_OF_SUPPORT,) if predictor == MODEL and OUT_OF_SUPPORT in part.frame else ()


def _rank_measures(part: Sample, pd: Floats) -> Measured:
    found = auc(part.label, pd, part.weight, part.member, part.together)
    gini = None if found is None else Interval(*(2 * value - 1 for value in dataclasses.astuple(found)))
    return {
        "auc": (found, _ranked(part)),
        "gini": (gini, "2 AUC - 1"),
        "ks": (ks(part.label, pd, part.weight, part.member), f"Kolmogorov-Smirnov{_within(part)}"),
    }


def _ranked(part: Sample) -> str:
    return f"Mann-Whitney{_within(part)}, interval {part.together.said}"


def _within(part: Sample) -> str:
    members = len(np.unique(part.member))
    return f", pairs within each of {members} members" if members > 1 else ""


def _auc_current(part: Sample, predictor: str, settings: EvaluateSettings) -> tuple[Interval | None, str]:
    current = part.part(part.state == CURRENT)
    if current.defaulting_borrowers < settings.min_defaults:
        return None, INSUFFICIENT
    pds = current.calibrated[predictor]
    found = auc(current.label, pds, current.weight, current.member, current.together)
    return found, f"{_ranked(current)}, on loans that are current"


def _against(part: Sample, baseline: str) -> Interval:
    model, other = (part.calibrated[name] for name in (MODEL, baseline))
    return log_loss_difference(part.label, model, other, part.weight, part.together)
