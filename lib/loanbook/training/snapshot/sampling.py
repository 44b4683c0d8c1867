"""Undersampling: rows that a head keeps always stay, the others are thinned by a hash and weighted up."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.book.hash_draw import drawn
from loanbook.book.state_moves import NEXT_STATE
from loanbook.errors import LoanbookError
from loanbook.models.head import Head
from loanbook.tables.columns import LOAN_MONTH
from loanbook.training.snapshot.snapshot_request import SnapshotRequest

STANDARD_ERRORS = 6.0


def thinned_rows(
    roles: DataFrame, fitted: Sequence[str], counts: Mapping[str, Mapping[str, Any]], request: SnapshotRequest
) -> tuple[DataFrame, dict[str, Any]]:
    """Return the rows with their weight, some of those that fit thinned, and the numbers of the thinning.

    Args:
        roles: rows with their role, label and targets.
        fitted: roles of the rows that members are fitted on; those of other roles all stay.
        counts: of each role before thinning (``count_roles``).
        request: its settings say which share of the negatives is kept, and the seed.

    Raises:
        LoanbookError: those kept are not what the share lets expect (``check_thinning``).
    """
    share, seed = request.settings.negatives_kept, request.settings.seed
    kept, weight = kept_and_weight(request.head, share, seed + 1)
    fits = F.col("role").isin(*fitted)
    used = roles.where(~fits | kept).select(
        *LOAN_MONTH,
        "borrower",
        "role",
        *[F.col(name).cast("float").alias(name) for name in _judged_by(request.head, roles)],
        F.when(fits, weight).otherwise(F.lit(1.0)).cast("float").alias("weight"),
        F.xxhash64(F.lit(seed + 2), *LOAN_MONTH).alias("shuffle"),
    )
    thinned = used.where(fits)
    rows, labelled, defaults = (
        sum(counts[role][name] for role in fitted) for name in ("rows", "labelled", "defaults")
    )
    squared = _together(request.head, roles.where(fits), share)
    means = check_thinning((rows, labelled, defaults), squared, thinned, share)
    by_role = {role: counts[role]["rows"] for role in fitted}
    if share < 1:
        found = {row["role"]: row["count"] for row in thinned.groupBy("role").count().collect()}
        by_role = {role: found.get(role, 0) for role in fitted}
    left = sum(by_role.values())
    return used, {"rows": left, "rows_by_role": by_role, "thinned": rows - left, **means}


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


def _together(target: Head, rows: DataFrame, share: float) -> float:
    """Return the sum of the squared numbers of rows that thinning keeps or leaves together."""
    if share >= 1:
        return 0.0
    groups = rows.where(~target.always_kept()).groupBy(*target.thinned_by).count()
    return float(groups.agg(F.sum(F.col("count") * F.col("count"))).collect()[0][0] or 0)


def _judged_by(target: Head, rows: DataFrame) -> list[str]:
    """Return the label, the columns that the loss takes, and the next state where it is known."""
    moves = [NEXT_STATE] if NEXT_STATE in rows.columns else []
    return list(dict.fromkeys(["label", *target.target_columns, *moves]))
