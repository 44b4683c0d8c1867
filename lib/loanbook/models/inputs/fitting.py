"""Fits the input spec on training rows, with the same bits however the rows are partitioned."""

import logging
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, IntegralType

from loanbook.book.hash_draw import drawn
from loanbook.errors import InputError
from loanbook.models.inputs.bin_edges import bin_edges
from loanbook.models.inputs.clip_points import Floats, clip_points
from loanbook.models.inputs.clocks import LOAN, MONTH, Clock, fit_clocks
from loanbook.models.inputs.fitting_sequences import fit_sequences
from loanbook.models.inputs.model_inputs import finite_number, require_columns
from loanbook.models.inputs.spec import Candidate, InputSpec, NumericInput, column_of
from loanbook.models.inputs.vocabularies import fit_categorical, fit_text
from loanbook.settings.train import TrainSettings
from loanbook.tables.columns import LOAN_MONTH

logger = logging.getLogger(__name__)

LOG_SPREAD = 20.0  # a positive input whose upper clip point is this many medians away is taken in logs
MIN_STD = 1e-9
MOST_BINS = 48  # a network may take fewer of an input
ROUNDING = 1e-6  # of float32, in which models read what is fitted here in float64


def fit_spec(
    features: DataFrame,
    numeric: Sequence[Candidate],
    categorical: Sequence[Candidate],
    settings: TrainSettings,
    *,
    rows: int,
    text: Sequence[Candidate] = (),
    sequence: Sequence[Candidate] = (),
) -> InputSpec:
    """Fit clip points, means, deviations and vocabularies on ``features``, which holds training rows only.

    Clip points and means come from at most about ``settings.spec_rows`` of the ``rows`` of ``features``,
    which a hash of their key draws and the driver fits; vocabularies from all of them. An input that is
    constant or all missing in those rows is left out, with a line in the log; so is a category or a text
    without a value or word that is frequent enough. Clocks, and what training rows support, are theirs too.

    Raises:
        InputError: no input is left, or a candidate's column is lacking.
    """
    candidates = (*numeric, *categorical, *text, *sequence)
    require_columns(features, [*LOAN_MONTH, *(column_of(item.expression) for item in candidates)])
    share = min(1.0, settings.spec_rows / max(1, rows))
    sample = _sample(features, numeric, settings, share)
    counted = _counted(features, numeric)
    clocks = fit_clocks(sample, counted, settings.clock_quantile)
    fitted = [
        _fit_numeric(item, sample[item.name], item.name in counted, clocks.get(item.name), settings)
        for item in numeric
    ]
    of_numbers, of_codes = fit_sequences(features, sequence, settings, share=share)
    spec = InputSpec(
        numeric=tuple(item for item in fitted if item is not None),
        categorical=fit_categorical(features, categorical, settings),
        text=fit_text(features, text, settings),
        numeric_sequences=of_numbers,
        categorical_sequences=of_codes,
    )
    if not spec.numeric:
        raise InputError(
            required="at least one numeric input that varies over the training rows",
            found=f"none of {', '.join(item.name for item in numeric) or 'an empty list'}",
            do="add months or loans to the tape, or map more of its columns",
        )
    return spec


def _counted(features: DataFrame, numeric: Sequence[Candidate]) -> list[str]:
    whole = {
        field.name for field in features.schema if isinstance(field.dataType, IntegralType | BooleanType)
    }
    return [item.name for item in numeric if item.expression in whole]


def _sample(
    features: DataFrame, numeric: Sequence[Candidate], settings: TrainSettings, share: float
) -> pd.DataFrame:
    columns = [finite_number(F.expr(item.expression), "double").alias(item.name) for item in numeric]
    columns.append(F.xxhash64("source", "loan_id").alias(LOAN))
    columns.append((F.year("as_of_date") * 12 + F.month("as_of_date")).alias(MONTH))
    return features.where(drawn(share, settings.seed, *LOAN_MONTH)).select(*columns).toPandas()


def _fit_numeric(
    item: Candidate, column: pd.Series, counted: bool, clock: Clock | None, settings: TrainSettings
) -> NumericInput | None:
    # Sorted, so that the sums have the same bits however the rows are partitioned.
    values = np.sort(column.dropna().to_numpy(np.float64))
    log, low, high = _shape(item, values, counted, clock, settings.clip_quantile)
    clipped = np.clip(values, low, high)
    taken = _taken(clipped, log)
    if not taken.size or taken.std() <= MIN_STD * max(1.0, abs(taken.mean())):
        reason = "constant" if taken.size else "missing"
        logger.info("input %s is left out: %s in every training row", item.name, reason)
        return None
    mean, std = float(taken.mean()), float(taken.std())
    median, spread = _middle(taken)
    least, most = _supported(values, log, std)
    return NumericInput(
        name=item.name,
        expression=item.expression,
        log=log,
        low=low,
        high=high,
        fill=math.expm1(mean) if log else mean,
        mean=mean,
        std=std,
        missing_share=1 - values.size / len(column),
        least=least,
        most=clock.most if clock else most,
        edges=bin_edges(clipped, MOST_BINS),
        median=median,
        spread=spread,
    )


def _shape(
    item: Candidate, values: Floats, counted: bool, clock: Clock | None, cut: float
) -> tuple[bool, float, float]:
    """Return (log, low, high).

    Quantiles would make a rare count, such as months 90 days late, constant: counts are clipped at their
    extremes, and so is a number of which the quantiles agree. Only a clock, such as the loan's age, is cut
    off above: a book that ages moves into its thin tail, where a network would go on as it pleases.
    """
    if not values.size:
        return False, 0.0, 0.0
    low, high = (float(values[0]), float(values[-1])) if counted else clip_points(values, cut)
    high = clock.high if clock else high
    median = float(np.quantile(values, 0.5, method="inverted_cdf"))
    spread = low >= 0 and median > 0 and high > LOG_SPREAD * median
    log = spread if item.log is None else item.log
    return log, max(low, 0.0) if log else low, max(high, 0.0) if log else high


def _taken(values: Floats, log: bool) -> Floats:
    """Return numbers in the scale in which a model takes them."""
    return np.log1p(np.maximum(values, 0.0)) if log else values


def _middle(values: Floats) -> tuple[float, float]:
    """Return median and spread of ascending values, which are not all alike."""
    first, median, third = map(float, np.quantile(values, (0.25, 0.5, 0.75), method="inverted_cdf"))
    return median, third - first or float(values[-1] - values[0]) / 2


def _supported(values: Floats, log: bool, std: float) -> tuple[float, float]:
    """Return the range of the training rows, widened by a standard deviation at each end.

    Without that, of 20 inputs drawn from one distribution a tenth of new loans would have one outside the
    range of 400 loans: each is 2 times in 401 below or above all of them.
    """
    ends = values[[0, -1]]
    taken = _taken(ends, log)
    margin = std + ROUNDING * float(np.abs(taken).max())
    wide = taken + np.array([-margin, margin])
    least, most = np.expm1(wide) if log else wide
    return min(float(least), float(ends[0])), float(most)
