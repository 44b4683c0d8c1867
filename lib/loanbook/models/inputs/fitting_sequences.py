"""Fits the sequences of a model, such as the states of the last 12 months, on training rows."""

import logging
from collections.abc import Sequence

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, IntegralType

from loanbook.book.hash_draw import drawn
from loanbook.models.inputs.clip_points import Floats, clip_points
from loanbook.models.inputs.model_inputs import finite_number
from loanbook.models.inputs.spec import Candidate, CategoricalSequence, NumericSequence
from loanbook.settings.train import TrainSettings
from loanbook.tables.columns import LOAN_MONTH

logger = logging.getLogger(__name__)


def fit_sequences(
    features: DataFrame, candidates: Sequence[Candidate], settings: TrainSettings, *, share: float
) -> tuple[tuple[NumericSequence, ...], tuple[CategoricalSequence, ...]]:
    """Return the sequences of numbers (arrays of them) and of codes (arrays of whole numbers).

    A sequence of which no training row knows anything before the last step is no history and is left out,
    with a line in the log; so are numbers that are the same at every step of every training row.

    Args:
        features: training rows only.
        candidates: columns of arrays, each of one length in every row.
        settings: the clip quantile, and the seed of the sample.
        share: of the rows that clip points and means are taken from.
    """
    if not candidates:
        return (), ()
    coded = [item for item in candidates if _is_of_codes(features, item)]
    extent = _extent(features, candidates, coded)
    histories = [item for item in candidates if item.name in extent]
    for item in candidates:
        if item not in histories:
            _say_left_out(item, "no training row knows anything before the last step")
    sample = features.where(drawn(share, settings.seed, *LOAN_MONTH))
    fitted = [
        _fit_numbers(item, sample, extent[item.name][0], settings.clip_quantile)
        for item in histories
        if item not in coded
    ]
    sized = [_sized(item, *extent[item.name]) for item in histories if item in coded]
    return tuple(item for item in fitted if item), tuple(sized)


def has_history(features: DataFrame, names: Sequence[str]) -> bool:
    """Return whether some row knows anything before the last step of one of some columns of arrays."""
    items = [Candidate(name=name, expression=name, kind="sequence") for name in names]
    coded = [item for item in items if _is_of_codes(features, item)]
    return bool(items) and bool(_extent(features, items, coded))


def _is_of_codes(features: DataFrame, item: Candidate) -> bool:
    kind = features.schema[item.expression].dataType
    return isinstance(kind, ArrayType) and isinstance(kind.elementType, IntegralType)


def _extent(
    features: DataFrame, candidates: Sequence[Candidate], coded: Sequence[Candidate]
) -> dict[str, tuple[int, int]]:
    """Return the steps of each sequence that is a history and, of codes, the greatest one."""
    steps = [F.max(F.size(item.expression)).alias(f"steps_{item.name}") for item in candidates]
    greatest = [F.max(F.array_max(item.expression)).alias(f"code_{item.name}") for item in coded]
    known = [F.max(_before_the_last(item, item in coded)).alias(f"known_{item.name}") for item in candidates]
    found = features.agg(*steps, *greatest, *known).collect()[0].asDict()
    return {
        item.name: (int(found[f"steps_{item.name}"]), int(found.get(f"code_{item.name}") or 0))
        for item in candidates
        if found[f"known_{item.name}"]
    }


def _before_the_last(item: Candidate, coded: bool) -> Column:
    """Return whether anything is known before the last step; the code 0 says that nothing is."""
    values = F.col(item.expression)
    earlier = F.slice(values, F.lit(1), F.greatest(F.size(values) - 1, F.lit(0)))
    return F.exists(earlier, lambda value: value > 0 if coded else value.isNotNull())


def _sized(item: Candidate, steps: int, greatest: int) -> CategoricalSequence:
    return CategoricalSequence(name=item.name, expression=item.expression, steps=steps, size=greatest + 1)


def _fit_numbers(item: Candidate, sample: DataFrame, steps: int, cut: float) -> NumericSequence | None:
    each = sample.select(F.explode(item.expression).alias("value"))
    column = each.select(finite_number(F.col("value"), "double").alias("value")).toPandas()["value"]
    # Sorted, so that the sums have the same bits however the rows are partitioned.
    values: Floats = np.sort(column.dropna().to_numpy(np.float64))
    low, high = clip_points(values, cut)
    clipped = np.clip(values, low, high)
    if low == high:
        _say_left_out(item, "constant in every training row")
        return None
    return NumericSequence(
        name=item.name,
        expression=item.expression,
        steps=steps,
        low=low,
        high=high,
        mean=float(clipped.mean()),
        std=float(clipped.std()),
        missing_share=1 - values.size / len(column),
    )


def _say_left_out(item: Candidate, reason: str) -> None:
    logger.info("input %s is left out: %s", item.name, reason)
