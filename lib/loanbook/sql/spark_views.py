"""The SQL views as temporary views of a Spark session."""

from loanbook.sql.views import VIEWS, view_sql
from loanbook.tables.runs import RUNS
from loanbook.tables.scores import SCORES
from loanbook.warehouse.runs import Run


def create_spark_views(run: Run) -> None:
    """Create ``scores``, ``runs`` and the views in the session of ``run``, at the published versions.

    Raises:
        InputError: no scores are published.
    """
    scores = run.read(SCORES, made_by="score-portfolio")
    run.runs_before.createOrReplaceTempView(RUNS.name)
    scores.createOrReplaceTempView(SCORES.name)
    for name in VIEWS:
        run.spark.sql(view_sql(name)).createOrReplaceTempView(name)
