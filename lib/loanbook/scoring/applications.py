"""Which row of an application a model is asked about: the tape has one outcome a loan, not one a month."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

KEYS = ("loan_id", "as_of_date")


def applications(features: DataFrame, performance: DataFrame) -> DataFrame:
    """Return one row of features for each loan, both frames being of one source.

    It is the month in which the tape declares the loan's outcome; of a loan whose outcome is not known yet,
    its last month.
    """
    known = performance.where(F.col("tape_outcome").isNotNull())
    declared = known.select(*KEYS, F.lit(True).alias("declared"))
    months = features.select(*KEYS).join(declared, list(KEYS), "left")
    best = F.max(F.struct(F.coalesce("declared", F.lit(False)), "as_of_date"))
    chosen = months.groupBy("loan_id").agg(best["as_of_date"].alias("as_of_date"))
    return features.join(chosen, list(KEYS), "left_semi")
