"""Fits the input spec on training rows, in Spark, with the same bits however the rows are partitioned."""

import logging
import math
from collections.abc import Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, IntegralType

from loanbook.errors import InputError
from loanbook.models.inputs import require_columns
from loanbook.models.spec import Candidate, CategoricalInput, InputSpec, NumericInput, column_of
from loanbook.training.settings import TrainSettings

logger = logging.getLogger(__name__)

KEYS = ("source", "loan_id", "as_of_date")
LOG_SPREAD = 20.0  # a positive input whose upper clip point is this many medians away is taken in logs
MIN_STD = 1e-9


def fit_spec(
    features: DataFrame,
    numeric: Sequence[Candidate],
    categorical: Sequence[Candidate],
    settings: TrainSettings,
) -> InputSpec:
    """Fit clip points, means, deviations and vocabularies on ``features``, which holds training rows only.

    Clip points and means come from at most about ``settings.spec_rows`` rows drawn by a hash of their key. An
    input that is constant or all missing in those rows is left out, with a line in the log.

    Raises:
        InputError: no input is left, or a candidate's column is lacking.
    """
    require_columns(features, [*KEYS, *(column_of(item.expression) for item in (*numeric, *categorical))])
    sample = _sample(features, numeric, settings).persist()
    try:
        spec = InputSpec(
            numeric=_fit_numeric(sample, numeric, _counted(features, numeric), settings),
            categorical=_fit_categorical(features, categorical, settings),
        )
    finally:
        sample.unpersist()
    if not spec.numeric:
        raise InputError(
            required="at least one numeric input that varies over the training rows",
            found=f"none of {', '.join(item.name for item in numeric) or 'an empty list'}",
            do="add months or loans to the tape, or map more of its columns",
        )
    return spec


def _counted(features: DataFrame, numeric: Sequence[Candidate]) -> set[str]:
    whole = {
        field.name for field in features.schema if isinstance(field.dataType, IntegralType | BooleanType)
    }
    return {item.name for item in numeric if item.expression in whole}


def _sample(features: DataFrame, numeric: Sequence[Candidate], settings: TrainSettings) -> DataFrame:
    # One partition in key order: sums and approximate quantiles then always meet the rows in the same order.
    share = min(1.0, settings.spec_rows / max(1, features.count()))
    drawn = F.pmod(F.xxhash64(F.lit(settings.seed), *KEYS), F.lit(1_000_000)) < F.lit(int(share * 1_000_000))
    columns = [F.expr(item.expression).cast("double").alias(item.name) for item in numeric]
    rows = features.where(drawn).select(*KEYS, *columns)
    return rows.repartition(1).sortWithinPartitions(*KEYS).select(*[item.name for item in numeric])


def _fit_numeric(
    sample: DataFrame, candidates: Sequence[Candidate], counted: set[str], settings: TrainSettings
) -> tuple[NumericInput, ...]:
    if not candidates:
        return ()
    cut = settings.clip_quantile
    points = F.array(F.lit(cut), F.lit(0.5), F.lit(1 - cut))
    found = sample.agg(
        F.count(F.lit(1)).alias("rows"),
        *[F.percentile_approx(_number(item), points, 10_000).alias(item.name) for item in candidates],
        *[F.min(_number(item)).alias(f"min_{item.name}") for item in candidates],
        *[F.max(_number(item)).alias(f"max_{item.name}") for item in candidates],
        *[F.count(_number(item)).alias(f"n_{item.name}") for item in candidates],
    ).collect()[0]
    shapes = {item.name: _shape(item, found, item.name in counted) for item in candidates}
    moments = sample.agg(
        *[F.avg(_transformed(item, shapes[item.name])).alias(f"m_{item.name}") for item in candidates],
        *[F.stddev_pop(_transformed(item, shapes[item.name])).alias(f"s_{item.name}") for item in candidates],
    ).collect()[0]
    fitted = [_numeric_input(item, shapes[item.name], found, moments) for item in candidates]
    return tuple(item for item in fitted if item is not None)


def _number(item: Candidate) -> Column:
    return F.when(F.isnan(item.name), F.lit(None)).otherwise(F.col(item.name))


def _shape(item: Candidate, found: Any, counted: bool) -> tuple[bool, float, float]:
    """Return (log, low, high).

    Quantiles would make a rare count, such as months 90 days late, constant: counts are clipped at their
    extremes, and so is a number of which the quantiles agree.
    """
    if found[item.name] is None:
        return False, 0.0, 0.0
    low, median, high = (float(value) for value in found[item.name])
    if counted or low == high:
        low, high = float(found[f"min_{item.name}"]), float(found[f"max_{item.name}"])
    spread = low >= 0 and median > 0 and high > LOG_SPREAD * median
    log = spread if item.log is None else item.log
    return log, max(low, 0.0) if log else low, max(high, 0.0) if log else high


def _transformed(item: Candidate, shape: tuple[bool, float, float]) -> Column:
    log, low, high = shape
    clipped = F.greatest(F.least(_number(item), F.lit(high)), F.lit(low))
    clipped = F.when(_number(item).isNotNull(), clipped)  # greatest() skips nulls and would return the bound
    return F.log(F.lit(1.0) + clipped) if log else clipped


def _numeric_input(
    item: Candidate, shape: tuple[bool, float, float], counts: Any, moments: Any
) -> NumericInput | None:
    mean, std = moments[f"m_{item.name}"], moments[f"s_{item.name}"]
    if mean is None or std is None or std <= MIN_STD * max(1.0, abs(mean)):
        reason = "missing" if mean is None else "constant"
        logger.info("input %s is left out: %s in every training row", item.name, reason)
        return None
    log, low, high = shape
    return NumericInput(
        name=item.name,
        expression=item.expression,
        log=log,
        low=low,
        high=high,
        fill=math.expm1(mean) if log else mean,
        mean=mean,
        std=std,
        missing_share=1 - counts[f"n_{item.name}"] / counts["rows"],
    )


def _fit_categorical(
    features: DataFrame, candidates: Sequence[Candidate], settings: TrainSettings
) -> tuple[CategoricalInput, ...]:
    if not candidates:
        return ()
    pairs = F.array(
        *[
            F.struct(F.lit(item.name).alias("name"), F.expr(item.expression).cast("string").alias("value"))
            for item in candidates
        ]
    )
    counts = features.select(F.explode(pairs).alias("pair")).groupBy("pair.name", "pair.value").count()
    frequent = counts.where(
        F.col("value").isNotNull() & (F.col("count") >= settings.vocabulary_min_rows)
    ).collect()
    found: dict[str, list[tuple[int, str]]] = {item.name: [] for item in candidates}
    for row in frequent:
        found[row["name"]].append((-int(row["count"]), str(row["value"])))
    fitted = [
        _categorical_input(item, sorted(found[item.name]), settings.max_vocabulary) for item in candidates
    ]
    return tuple(item for item in fitted if item is not None)


def _categorical_input(item: Candidate, ranked: list[tuple[int, str]], limit: int) -> CategoricalInput | None:
    if not ranked:
        logger.info("input %s is left out: no value is frequent enough in the training rows", item.name)
        return None
    vocabulary = tuple(value for _, value in ranked[:limit])
    return CategoricalInput(name=item.name, expression=item.expression, vocabulary=vocabulary)
