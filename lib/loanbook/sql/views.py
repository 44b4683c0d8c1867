"""The SQL views: one plain file each, in the dialect that Spark SQL and DuckDB share."""

from functools import cache
from importlib.resources import files

# A view follows those that it reads.
VIEWS = (
    "run_history",
    "scored_models",
    "current_scores",
    "latest_scores",
    "score_history",
    "pd_by_state",
    "pd_by_vintage",
    "pd_by_score_band",
    "expected_defaults_by_month",
)
READ_BY_VIEWS = ("runs", "scores")


@cache
def view_sql(name: str) -> str:
    """Return the SELECT of a view, with the comment that says what it answers."""
    return (files(__package__) / "views" / f"{name}.sql").read_text("utf-8").strip()


def view_question(name: str) -> str:
    """Return what a view answers.

    >>> view_question("latest_scores")
    "What is the latest score of each loan, by the book's model?"
    """
    return view_sql(name).splitlines()[0].removeprefix("-- ")
