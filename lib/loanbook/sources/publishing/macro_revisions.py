"""Values of economic series that come again: what was known before stays known as it was."""

from collections.abc import Mapping, Sequence, Set
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.book.months import last_day, month_number
from loanbook.book.periods import period_of
from loanbook.errors import InputError
from loanbook.tables.macro import MACRO

OF = tuple(name for name in MACRO.key if name != "known_on")  # what a value is of; it may be revised


def with_revisions(delivered: DataFrame, stored: DataFrame, day: date) -> DataFrame:
    """Return all values of a source after a delivery.

    A value as last stored adds nothing. One that differs is a revision, known from the day of its delivery;
    the values before it stay. A value of a month not seen before is known after its series' lag.

    Args:
        delivered: rows of ``macro``, known after their lag (or on the day that the file states).
        stored: rows of ``macro`` published before.
        day: of the delivery.
    """
    last = stored.groupBy(*OF).agg(
        F.max_by("value", "known_on").alias("last_value"), F.max("known_on").alias("last_known_on")
    )
    changed = delivered.join(last, [*OF], "left").where(~F.col("value").eqNullSafe(F.col("last_value")))
    revised_on = F.greatest("known_on", F.lit(day))
    known_on = F.when(F.col("last_value").isNull(), F.col("known_on")).otherwise(revised_on)
    new = changed.withColumn("known_on", known_on).select(*MACRO.column_names)
    # A value that was corrected before the day it became known was never known otherwise.
    kept = stored.select(*MACRO.column_names).join(new.select(*MACRO.key), [*MACRO.key], "left_anti")
    return kept.unionByName(new)


def assert_in_order(day: date | None, stored: Sequence[Mapping[str, Any]]) -> None:
    """Check that a delivery is not older than one published before.

    Args:
        day: of the delivery, None where it has none.
        stored: rows of ``deliveries`` for the source.

    Raises:
        InputError: it is older, or has no day although earlier ones have.
    """
    newest = max((row["delivered_at"] for row in stored if row["delivered_at"] is not None), default=None)
    if newest is None or (day is not None and day >= newest):
        return
    raise InputError(
        required=f"--delivered-at not before {newest}, the day of the last delivery of these series",
        found="none" if day is None else str(day),
        do="deliver revisions in the order in which they were published, each with its day",
    )


TELLING = 4  # months with values that show a rhythm: a year of quarters


def missing_months(values: DataFrame) -> dict[str, dict[str, list[str]]]:
    """Return, by series and region, the months between the first and the last that lack a value, if any.

    A series of quarters, or of years, lacks only those of its own rhythm.
    """
    months: dict[str, dict[str, set[int]]] = {}
    collected = values.groupBy("series", "region").agg(F.collect_set("as_of_date").alias("months"))
    for row in collected.orderBy("series", "region").collect():
        months.setdefault(row["series"], {})[row["region"]] = {month_number(day) for day in row["months"]}
    found = {series: lacking(regions) for series, regions in months.items()}
    return {series: regions for series, regions in found.items() if regions}


def lacking(months: Mapping[str, Set[int]]) -> dict[str, list[str]]:
    """Return the months, yyyy-mm, that each region's values of a series leave out between two others.

    >>> lacking({"US": {24242, 24245, 24251}, "CA": {24245, 24248}})
    {'US': ['2020-09']}
    """
    every: set[int] = set().union(*months.values())
    period = period_of(every) if len(every) >= TELLING else 1
    found = {}
    for region, known in months.items():
        left_out = sorted(set(range(min(known), max(known) + 1, period)) - known)
        if left_out:
            found[region] = [f"{last_day(month):%Y-%m}" for month in left_out]
    return found
