"""Undersampling: rows that a head keeps always stay, the others are thinned by a hash and weighted up."""

import math

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.book.hash_draw import drawn
from loanbook.errors import LoanbookError
from loanbook.models.head import Head

STANDARD_ERRORS = 6.0


def kept_and_weight(target: Head, share: float, seed: int) -> tuple[Column, Column]:
    """Return whether a training row stays, and its weight: 1, or 1/share of the rows that are thinned."""
    if share >= 1:
        return F.lit(True), F.lit(1.0).cast("float")
    always, thinned = target.always_kept(), F.lit(1 / share)
    stays = always | drawn(share, seed, *target.thinned_by)
    return stays, F.when(always, F.lit(1.0)).otherwise(thinned).cast("float")


def check_thinning(
    full: tuple[int, int, int], together: float, kept: DataFrame, share: float
) -> dict[str, float]:
    """Compare the kept rows with all rows; return the mean label of those that have one, plain and weighted.

    Each group that is thinned is kept or not, so that the weighted number of rows has the standard error
    sqrt(the sum of the groups' squared rows times (1 - share) / share).

    Args:
        full: rows, labelled ones and positives before thinning.
        together: sum of the squared rows of the groups that are thinned; where each row is one, their number.
        kept: the rows kept, with their ``label`` and ``weight``.
        share: of the negatives kept.

    Raises:
        LoanbookError: the rows differ by more than six standard errors, or a positive was lost.
    """
    rows, labelled, positives = full
    weight_of_row = F.col("weight").cast("double")
    found = kept.agg(
        F.sum((F.col("label") == 1).cast("int")).alias("positives"),
        F.sum(weight_of_row).alias("weight"),
        F.sum(F.when(F.col("label").isNotNull(), weight_of_row)).alias("labelled"),
    ).collect()[0]
    kept_positives, weight = int(found["positives"] or 0), float(found["weight"] or 0.0)
    kept_labelled = float(found["labelled"] or 0.0)
    error = math.sqrt(together * (1 - share) / share)
    if kept_positives != positives or abs(weight - rows) > STANDARD_ERRORS * error + 1e-6 * rows:
        raise LoanbookError(
            f"undersampling kept {kept_positives} of {positives} positives, weight {weight} for {rows} rows"
        )
    return {
        "mean_label": positives / labelled if labelled else 0.0,
        "weighted_mean_label": kept_positives / kept_labelled if kept_labelled else 0.0,
    }
