"""Lines with a fate, as rows of ``quarantine``."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.sources.landing.landing import Landed
from loanbook.tables.quarantine import QUARANTINE


def quarantine_rows(lines: DataFrame, files: Sequence[Landed], run_id: str) -> DataFrame:
    """Return the rejected lines as rows of ``quarantine``, one each, whatever the rows it made.

    Args:
        lines: with their ``fate``, and whether that is ``of_row``: of a row, not of terms or values alone.
        files: of the delivery.
        run_id: the run's.
    """
    names = F.create_map(*(F.lit(part) for file in files for part in (file.delivery, file.name)))
    kinds = F.create_map(*(F.lit(part) for file in files for part in (file.delivery, file.spec.what)))
    rejected = lines.where(F.col("fate") == "quarantined").groupBy(*QUARANTINE.filled_by("delivery"))
    by_line = rejected.agg(
        F.first("text").alias("text"),
        F.array_sort(F.array_distinct(F.flatten(F.collect_list("reasons")))).alias("reasons"),
        F.count_if("of_row").cast("int").alias("rows"),
    )
    of_file = {"file": names[F.col("delivery")], "kind": kinds[F.col("delivery")], "run_id": F.lit(run_id)}
    return by_line.withColumns(of_file).select(*QUARANTINE.column_names)


def frequent_reasons(lines: DataFrame, delivery: str) -> list[tuple[str, int]]:
    """Return the reasons of a delivery's rejected lines with their counts, the most frequent first."""
    reasons = lines.where(F.col("delivery") == delivery).select(F.explode("reasons").alias("reason"))
    counted = reasons.groupBy("reason").agg(F.count("*").alias("lines")).orderBy(F.desc("lines"), "reason")
    return [(row["reason"], row["lines"]) for row in counted.collect()]
