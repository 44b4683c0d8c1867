"""What was known of the economy, from the table of its series."""

import logging
from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.book.months import last_day
from loanbook.errors import InputError
from loanbook.features.engine.macro_by_month import MacroKnown, macro_known, series_that_end
from loanbook.quality.unread_series import unread_series
from loanbook.tables.macro import MACRO

log = logging.getLogger(__name__)


def known_of(macro: DataFrame, sources: Sequence[str], last_month: int) -> MacroKnown:
    """Return what was known of the economy in each month.

    Series that no feature reads are named in the log.

    Args:
        macro: the table.
        sources: those to use; none: all that it has.
        last_month: number of the last month to build.

    Raises:
        InputError: two sources give the same series, or one ends before the month.
    """
    if sources:
        macro = macro.where(F.col("source").isin(*sources))
    of_series = macro.groupBy("region", "series").agg(F.collect_set("source").alias("sources"))
    overlap = of_series.where(F.size("sources") > 1).orderBy("series", "region").first()
    if overlap is not None:
        raise InputError(
            required="one macro source for each series",
            found=f"{overlap['series']} of {overlap['region']} from {', '.join(sorted(overlap['sources']))}",
            do="name the sources to use in features.macro_sources",
        )
    columns = ("as_of_date", "known_on", *MACRO.read_by("features"))
    known = macro.where(F.col("known_on") <= F.lit(last_day(last_month))).select(*columns).toPandas()
    if unread := unread_series(known["series"]):
        log.info("macro series that no feature reads: %s", ", ".join(unread))
    ended = series_that_end(known, last_month)
    if ended:
        raise InputError(
            required=f"macro known up to {last_day(last_month)}, the last month to build",
            found=", ".join(f"{series} that ends with {last_day(month)}" for series, month in ended.items()),
            do="ingest later months with ingest-macro, or leave its source out of features.macro_sources",
        )
    return macro_known(known, last_month)
