"""The SQL views as temporary views of a Spark session."""

from pyspark.sql import DataFrame

from loanbook.sql.view_definitions import VIEWS, view_sql
from loanbook.tables.runs import RUNS
from loanbook.tables.scores import SCORES


def create_spark_views(scores: DataFrame, runs: DataFrame) -> None:
    """Create ``scores``, ``runs`` and the views in the session of the two frames.

    Args:
        scores: the table, at its published version.
        runs: the table, as it was when that version was looked up.
    """
    runs.createOrReplaceTempView(RUNS.name)
    scores.createOrReplaceTempView(SCORES.name)
    for name in VIEWS:
        scores.sparkSession.sql(view_sql(name)).createOrReplaceTempView(name)
