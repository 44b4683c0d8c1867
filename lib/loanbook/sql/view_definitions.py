"""The SQL views: one plain file each, in the dialect that Spark SQL and DuckDB share."""

from functools import cache
from importlib.resources import files

OF_RUNS = ("run_history", "model_runs")  # they read nothing but ``runs``
# A view follows those that it reads.
VIEWS = (
    *OF_RUNS,
    "scored_models",
    "current_scores",
    "latest_scores",
    "score_history",
    "pd_by_delinquency",
    "pd_by_vintage",
    "pd_by_score_band",
    "expected_defaults_by_month",
)
READ_BY_VIEWS = ("runs", "scores")

SCORE_BAND = """CASE
    WHEN credit_score IS NULL THEN 'unknown'
    WHEN credit_score < 620 THEN '300-619'
    WHEN credit_score < 660 THEN '620-659'
    WHEN credit_score < 700 THEN '660-699'
    WHEN credit_score < 740 THEN '700-739'
    WHEN credit_score < 780 THEN '740-779'
    ELSE '780 and above'
  END"""
PD_BY = {  # views made of pd_by_group.sql: what they group by in words, the column's name, its SQL
    "pd_by_delinquency": {"what": "delinquency", "column": "state", "group": "state"},
    "pd_by_vintage": {"what": "vintage", "column": "vintage", "group": "COALESCE(vintage, 'unknown')"},
    "pd_by_score_band": {"what": "credit score", "column": "score_band", "group": SCORE_BAND},
}


@cache
def view_sql(name: str) -> str:
    """Return the SELECT of a view; its first line is a comment with the question that it answers.

    >>> view_sql("pd_by_vintage")[:63]
    '-- What is the mean PD of performing loans by vintage and month'
    """
    file = "pd_by_group" if name in PD_BY else name
    text = (files(__package__) / "views" / f"{file}.sql").read_text("utf-8").strip()
    return text.format(**PD_BY[name]) if name in PD_BY else text


def view_question(name: str) -> str:
    """Return what a view answers.

    >>> view_question("latest_scores")
    "What is the latest score of each loan, by the book's model?"
    """
    return view_sql(name).splitlines()[0].removeprefix("-- ")
