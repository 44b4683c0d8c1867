"""Every metric of every predictor on a sample, as rows of ``evaluations``."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loanbook.evaluation.calibration import GroupRates, deciles, rates_by
from loanbook.evaluation.measures import WILSON, Measured, measures, short_measures
from loanbook.evaluation.sample import Sample
from loanbook.evaluation.segments import segments_of
from loanbook.models.clustered import Interval
from loanbook.settings.evaluate import EvaluateSettings

FEW = "; few defaults"  # ends the method of a rate that is to be read together with others


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


def assess(part: Sample, fold: str, settings: EvaluateSettings) -> list[Evaluation]:
    """Return the metrics of the sample: overall, by decile of PD, by month, and of each segment.

    Where the sample has fewer than ``settings.min_defaults`` defaulting borrowers every estimate is None and
    the method is ``insufficient``; so is a segment's where that has fewer. Deciles and months are parts of
    one calibration table: their rates are given, those of few defaults marked so.
    """
    rows: list[Evaluation] = []
    for predictor in part.calibrated:
        rows += overall(part, predictor, fold, settings)
        if part.defaulting_borrowers >= settings.min_defaults:
            names = np.array([f"decile={k:02d}" for k in deciles(part.calibrated[predictor], settings.bins)])
            rows += _by_group(part, predictor, fold, names, settings)
            rows += _by_group(part, predictor, fold, np.char.add("month=", part.month), settings)
    for segment, inside in segments_of(part):
        for predictor in part.calibrated:
            rows += rows_of(inside, predictor, fold, segment, short_measures(inside, predictor, settings))
    return rows


def overall(part: Sample, predictor: str, fold: str, settings: EvaluateSettings) -> list[Evaluation]:
    """Return one predictor's metrics over the whole sample."""
    return list(rows_of(part, predictor, fold, "all", measures(part, predictor, settings)))


def _by_group(
    part: Sample, predictor: str, fold: str, names: npt.NDArray[np.str_], settings: EvaluateSettings
) -> Iterator[Evaluation]:
    pd, clusters = part.calibrated[predictor], (part.loan, part.together)
    for group in rates_by(names, part.label, pd, part.weight, *clusters):
        yield from _group_rows(group, part.role, predictor, fold, settings)


def _group_rows(
    group: GroupRates, role: str, predictor: str, fold: str, settings: EvaluateSettings
) -> Iterator[Evaluation]:
    counts = (group.rows, group.loans, group.defaulting_loans)
    place = (predictor, fold, role, group.group)
    few = "" if group.defaulting_borrowers >= settings.min_defaults else FEW
    method = f"{WILSON} {group.clustered}{few}"
    observed = group.observed
    yield Evaluation(*place, "expected_default_rate", group.expected, None, None, *counts, "weighted mean")
    yield Evaluation(
        *place, "observed_default_rate", observed.estimate, observed.low, observed.high, *counts, method
    )


def rows_of(
    part: Sample, predictor: str, fold: str, segment: str, measured: Measured
) -> Iterator[Evaluation]:
    """Return what was measured of a predictor, as rows of ``evaluations``."""
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
