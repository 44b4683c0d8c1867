"""Lines with a fate, as rows of ``quarantine``."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.sources.landing.landing import Landed


def quarantine_rows(lines: DataFrame, files: Sequence[Landed], run_id: str) -> DataFrame:
    """Return the rejected lines as rows of ``quarantine``, one each, whatever the rows it made.

    Args:
        lines: with their ``fate``, and whether that is ``of_row``: of a row, not of terms or values alone.
        files: of the delivery.
        run_id: the run's.
    """
    names = F.create_map(*(F.lit(part) for file in files for part in (file.delivery, file.name)))
    kinds = F.create_map(*(F.lit(part) for file in files for part in (file.delivery, file.spec.what)))
    rejected = lines.where(F.col("fate") == "quarantined").groupBy("source", "slice", "delivery", "line")
    by_line = rejected.agg(
        F.first("text").alias("text"),
        F.array_sort(F.array_distinct(F.flatten(F.collect_list("reasons")))).alias("reasons"),
        F.count_if("of_row").cast("int").alias("rows"),
    )
    return by_line.select(
        "source",
        "slice",
        "delivery",
        "line",
        names[F.col("delivery")].alias("file"),
        kinds[F.col("delivery")].alias("kind"),
        "text",
        "reasons",
        "rows",
        F.lit(run_id).alias("run_id"),
    )


def frequent_reasons(lines: DataFrame, delivery: str) -> list[tuple[str, int]]:
    """Return the reasons of a delivery's rejected lines with their counts, the most frequent first."""
    reasons = lines.where(F.col("delivery") == delivery).select(F.explode("reasons").alias("reason"))
    counted = reasons.groupBy("reason").agg(F.count("*").alias("lines")).orderBy(F.desc("lines"), "reason")
    return [(row["reason"], row["lines"]) for row in counted.collect()]
