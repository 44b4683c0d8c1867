"""The ``loans`` rows of a source: delivered, published before, or made from a loan's first month."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.quality.bounds import LoanChanges
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE

NO_TERMS = "no_terms"  # flag of a loan with months whose terms were not delivered


def first_months(months: DataFrame, *more: str) -> DataFrame:
    """Return each loan's first published month: where its line is, when it was known, and ``more``."""
    fields = ("as_of_date", *PERFORMANCE.filled_by("delivery"), *more)
    return months.groupBy("loan_id").agg(F.min(F.struct(*fields)).alias("first")).select("loan_id", "first.*")


def with_known_on(loans: DataFrame, first: DataFrame, mapping: TapeMapping) -> DataFrame:
    """Add ``known_on``: the delivery, else the first month's, else origination plus the lag."""
    months = first.select("loan_id", F.col("known_on").alias("first_known_on"))
    newest = first.agg(F.max("known_on").alias("newest_known_on"))
    at_origination = F.last_day(F.add_months("origination_date", mapping.known_lag_months))
    known_on = F.coalesce("delivered_at", "first_known_on", at_origination, "newest_known_on")
    joined = loans.join(months, "loan_id", "left").crossJoin(F.broadcast(newest))
    return joined.withColumn("known_on", known_on)


def all_loans(
    delivered: DataFrame | None, stored: DataFrame | None, first: DataFrame, mapping: TapeMapping
) -> DataFrame:
    """Return every ``loans`` row of the source.

    Args:
        delivered: published lines of this delivery; they replace what was stored of the same loan.
        stored: rows of the other slices.
        first: the first month of each loan that this delivery touches; a loan with months and no terms gets a
            row whose terms are null, so that it can be scored from what is known.
        mapping: the source's mapping.
    """
    columns = LOANS.column_names
    parts = [] if delivered is None else [with_known_on(delivered, first, mapping).select(*columns)]
    if stored is not None:
        kept = (
            stored if delivered is None else stored.join(delivered.select("loan_id"), "loan_id", "left_anti")
        )
        parts.append(kept.select(*columns))
    for part in list(parts):
        first = first.join(part.select("loan_id"), "loan_id", "left_anti")
    flags = F.array(F.lit(NO_TERMS))
    given = first.withColumns({"product": F.lit(mapping.product), "quality_flags": flags})
    empty = {
        column.name: F.lit(None).cast(column.type)
        for column in LOANS.columns
        if column.name not in given.columns
    }
    bare = given.withColumns(empty).select(*columns)
    for part in parts:
        bare = bare.unionByName(part)
    return bare


def loan_changes(before: DataFrame, after: DataFrame) -> LoanChanges:
    """Return how the loans of ``after`` differ from those of ``before``, each a frame with ``loan_id``."""
    sides = [
        frame.select("loan_id").distinct().withColumn(name, F.lit(True))
        for frame, name in ((before, "was"), (after, "is"))
    ]
    both = sides[0].join(sides[1], "loan_id", "full")
    row = both.agg(
        F.count("was").alias("before"),
        F.count_if(F.col("is").isNull()).alias("vanished"),
        F.count_if(F.col("was").isNull()).alias("new"),
    ).first()
    assert row is not None  # noqa: S101 - an aggregate of a whole frame has one row
    return LoanChanges(**row.asDict())
