"""Fits the sequences of a model, such as the states of the last 12 months, on training rows."""

import logging
from collections.abc import Sequence

import numpy as np
from pyspark.sql import DataFrame
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

    Numbers that are the same at every step of every training row are left out, with a line in the log; so are
    codes where nothing is known at any step.

    Args:
        features: training rows only.
        candidates: columns of arrays, each of one length in every row.
        settings: the clip quantile, and the seed of the sample.
        share: of the rows that clip points and means are taken from.
    """
    if not candidates:
        return (), ()
    coded = [item for item in candidates if _is_of_codes(features, item)]
    numbers = [item for item in candidates if item not in coded]
    extent = _extent(features, candidates, coded)
    sample = features.where(drawn(share, settings.seed, *LOAN_MONTH))
    fitted = [_fit_numbers(item, sample, extent[item.name][0], settings.clip_quantile) for item in numbers]
    sized = [_fit_codes(item, *extent[item.name]) for item in coded]
    return tuple(item for item in fitted if item), tuple(item for item in sized if item)


def _is_of_codes(features: DataFrame, item: Candidate) -> bool:
    kind = features.schema[item.expression].dataType
    return isinstance(kind, ArrayType) and isinstance(kind.elementType, IntegralType)


def _extent(
    features: DataFrame, candidates: Sequence[Candidate], coded: Sequence[Candidate]
) -> dict[str, tuple[int, int]]:
    """Return the steps of each sequence and, of codes, the greatest one."""
    steps = [F.max(F.size(item.expression)).alias(f"steps_{item.name}") for item in candidates]
    greatest = [F.max(F.array_max(item.expression)).alias(f"code_{item.name}") for item in coded]
    found = features.agg(*steps, *greatest).collect()[0].asDict()
    return {
        item.name: (int(found[f"steps_{item.name}"] or 0), int(found.get(f"code_{item.name}") or 0))
        for item in candidates
    }


def _fit_codes(item: Candidate, steps: int, greatest: int) -> CategoricalSequence | None:
    if steps < 1 or greatest < 1:
        _say_left_out(item)
        return None
    return CategoricalSequence(name=item.name, expression=item.expression, steps=steps, size=greatest + 1)


def _fit_numbers(item: Candidate, sample: DataFrame, steps: int, cut: float) -> NumericSequence | None:
    each = sample.select(F.explode(item.expression).alias("value"))
    column = each.select(finite_number(F.col("value"), "double").alias("value")).toPandas()["value"]
    # Sorted, so that the sums have the same bits however the rows are partitioned.
    values: Floats = np.sort(column.dropna().to_numpy(np.float64))
    low, high = clip_points(values, cut)
    clipped = np.clip(values, low, high)
    if steps < 1 or low == high:
        _say_left_out(item)
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


def _say_left_out(item: Candidate) -> None:
    logger.info("input %s is left out: it holds nothing that varies over the training rows", item.name)
