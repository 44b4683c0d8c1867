"""Every metric of every predictor on a sample, as rows of ``evaluations``."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loanbook.evaluation.calibration import GroupRates, calibration_fit, deciles, rates_by
from loanbook.evaluation.metrics import at_threshold, brier, clustered_rate, ranking
from loanbook.evaluation.sample import Sample
from loanbook.models.artefact.artefact import MODEL
from loanbook.models.clustered import Floats, Interval
from loanbook.models.inputs.support import OUT_OF_SUPPORT
from loanbook.models.log_loss import log_loss
from loanbook.models.shortfalls import log_loss_difference
from loanbook.settings.evaluate import EvaluateSettings

INSUFFICIENT = "insufficient"
PAIRED = "paired rows, interval clustered by borrower and month"
CLUSTERED = "weighted mean, Wilson interval clustered by borrower"
FEW = f"{CLUSTERED}; few defaults"
SHORT = ("log_loss", "brier", "auc", "gini", "ks", "expected_default_rate", "observed_default_rate")


@dataclass(frozen=True)
class Evaluation:
    """A row of ``evaluations`` but for the model's name and version; ``defaults`` are distinct loans."""

    predictor: str
    fold: str
    sample: str
    segment: str
    metric: str
    estimate: float | None
    low: float | None
    high: float | None
    n: int
    loans: int
    defaults: int
    method: str


Measured = dict[str, tuple[float | Interval | None, str]]


def assess(part: Sample, fold: str, settings: EvaluateSettings) -> list[Evaluation]:
    """Return the metrics of the sample: overall, by decile of PD, by month and by state.

    Where the sample has fewer than ``settings.min_defaults`` defaulting loans every estimate is None and the
    method is ``insufficient``; so is a state's where that state has fewer. Deciles and months are parts of
    one calibration table: their rates are given, those of few defaults marked so.
    """
    rows: list[Evaluation] = []
    for predictor in part.calibrated:
        rows += overall(part, predictor, fold, settings)
        if part.defaulting_loans >= settings.min_defaults:
            names = np.array([f"decile={k:02d}" for k in deciles(part.calibrated[predictor], settings.bins)])
            rows += _by_group(part, predictor, fold, names, settings)
            rows += _by_group(part, predictor, fold, np.char.add("month=", part.month), settings)
        rows += _by_state(part, predictor, fold, settings)
    return rows


def overall(part: Sample, predictor: str, fold: str, settings: EvaluateSettings) -> list[Evaluation]:
    """Return one predictor's metrics over the whole sample."""
    enough = part.defaulting_loans >= settings.min_defaults
    measured = _measures(part, predictor, settings) if enough else _nothing(_names(part, predictor))
    return list(_rows(part, predictor, fold, "all", measured))


def _by_state(part: Sample, predictor: str, fold: str, settings: EvaluateSettings) -> Iterator[Evaluation]:
    for state in np.unique(part.state):
        inside = part.part(part.state == state)
        enough = inside.defaulting_loans >= settings.min_defaults
        measured = _measures(inside, predictor, settings) if enough else _nothing(SHORT)
        yield from _rows(inside, predictor, fold, f"state={state}", {name: measured[name] for name in SHORT})


def minus(baseline: str) -> str:
    """Return the metric of the model's log loss less that of a baseline, on the same rows."""
    return f"log_loss_minus_{baseline}"


def _names(part: Sample, predictor: str) -> tuple[str, ...]:
    paired = [minus(name) for name in part.baselines] if predictor == MODEL else []
    thresholds = ("accuracy", "precision", "recall", "f1")
    calibration = ("calibration_slope", "calibration_intercept", "calibration_in_the_large")
    return (*SHORT, *thresholds, *calibration, *paired, *_of_support(part, predictor))


def _nothing(names: Iterable[str]) -> Measured:
    return dict.fromkeys(names, (None, INSUFFICIENT))


def _measures(part: Sample, predictor: str, settings: EvaluateSettings) -> Measured:
    label, weight, pd = part.label, part.weight, part.calibrated[predictor]
    fit = calibration_fit(label, pd, weight)
    fixed = f"at PD >= {settings.threshold:g}"
    regression = "logistic regression on logit(pd)"
    measured: Measured = {
        "log_loss": (log_loss(label, pd, weight), "weighted mean"),
        "brier": (brier(label, pd, weight), "weighted mean"),
        **_rank_measures(part, pd),
        "calibration_slope": (fit.slope, regression),
        "calibration_intercept": (fit.intercept, regression),
        "calibration_in_the_large": (fit.intercept_in_the_large, f"{regression}, slope 1"),
        "expected_default_rate": (float(np.average(pd, weights=weight)), "weighted mean"),
        "observed_default_rate": (clustered_rate(label, weight, part.borrower), CLUSTERED),
        **{
            name: (value, fixed)
            for name, value in at_threshold(label, pd, weight, settings.threshold).items()
        },
    }
    if predictor == MODEL:
        measured |= {minus(name): (_against(part, name), PAIRED) for name in part.baselines}
    for name in _of_support(part, predictor):
        beyond = part.frame[name].to_numpy(np.float64)
        measured[name] = (float(np.average(beyond, weights=weight)), "weighted mean")
    return measured


def _of_support(part: Sample, predictor: str) -> tuple[str, ...]:
    """Return the share of the rows out of support, once a sample, where its spec says what that is."""
    return (OUT_OF_SUPPORT,) if predictor == MODEL and OUT_OF_SUPPORT in part.frame else ()


def _rank_measures(part: Sample, pd: Floats) -> Measured:
    curve = ranking(part.label, pd, part.weight)
    return {
        "auc": (curve.auc if curve else None, "Mann-Whitney"),
        "gini": (curve.gini if curve else None, "2 AUC - 1"),
        "ks": (curve.ks if curve else None, "Kolmogorov-Smirnov"),
    }


def _against(part: Sample, baseline: str) -> Interval:
    model, other = (part.calibrated[name] for name in (MODEL, baseline))
    _, month = np.unique(part.month, return_inverse=True)
    return log_loss_difference(part.label, model, other, part.weight, part.borrower, month)


def _by_group(
    part: Sample, predictor: str, fold: str, names: npt.NDArray[np.str_], settings: EvaluateSettings
) -> Iterator[Evaluation]:
    pd, clusters = part.calibrated[predictor], (part.loan, part.borrower)
    for group in rates_by(names, part.label, pd, part.weight, *clusters):
        yield from _group_rows(group, part.role, predictor, fold, settings)


def _group_rows(
    group: GroupRates, role: str, predictor: str, fold: str, settings: EvaluateSettings
) -> Iterator[Evaluation]:
    counts = (group.rows, group.loans, group.defaulting_loans)
    place = (predictor, fold, role, group.group)
    method = CLUSTERED if group.defaulting_loans >= settings.min_defaults else FEW
    observed = group.observed
    yield Evaluation(*place, "expected_default_rate", group.expected, None, None, *counts, "weighted mean")
    yield Evaluation(
        *place, "observed_default_rate", observed.estimate, observed.low, observed.high, *counts, method
    )


def _rows(part: Sample, predictor: str, fold: str, segment: str, measured: Measured) -> Iterator[Evaluation]:
    counts = (len(part.label), part.loans, part.defaulting_loans)
    for name, (value, method) in measured.items():
        interval = value if isinstance(value, Interval) else None
        estimate = interval.estimate if interval else value
        low, high = (interval.low, interval.high) if interval else (None, None)
        yield Evaluation(
            predictor, fold, part.role, segment, name, _number(estimate), low, high, *counts, method
        )


def _number(value: float | Interval | None) -> float | None:
    return None if value is None or isinstance(value, Interval) else float(value)
