"""Default rates of the test window with and without the loans that left it, and where these left from."""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.training.snapshot.fold import Fold

CENSORED = "censored"  # label status of loans removed from the book without default


def leavers_of(
    outcomes: DataFrame, book: DataFrame, fold: Fold, tested: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the default rate, the regulatory one, and the leavers; None where no months are held out.

    Regulation counts a loan that left without default as not defaulted. Many that left from arrears were sold
    or written off: what became of them is unknown, and the rate of the others tells too little.

    Args:
        outcomes: key, label status and label of the book's rows.
        book: the features; a loan's last row there is of the month before it left.
        fold: the one that is trained on.
        tested: counts of the role ``test``.
    """
    if fold.test_from is None or fold.test_to is None:
        return None
    inside = F.col("as_of_date").between(F.lit(fold.test_from), F.lit(fold.test_to))
    left = outcomes.where((F.col("label_status") == CENSORED) & inside).select("source", "loan_id")
    rows = left.count()
    last = book.join(left.distinct(), ["source", "loan_id"], "left_semi").groupBy("source", "loan_id")
    states = last.agg(F.coalesce(F.max_by("state", "as_of_date"), F.lit("unknown")).alias("state"))
    found = states.groupBy("state").count().collect() if rows else []
    return window_of(tested, rows, {row["state"]: int(row["count"]) for row in found})


def window_of(tested: Mapping[str, Any], left: int, states: Mapping[str, int]) -> dict[str, Any]:
    """Return the rates of labelled rows, and of these and the rows that left.

    Args:
        tested: ``rows`` and ``defaults`` of those with a label.
        left: rows of loans that left within the horizon.
        states: number of these loans by the state that they left from.

    >>> window_of({"rows": 90, "defaults": 9}, 10, {"current": 3})["default_rate_regulatory"]
    0.09
    """
    rows, defaults = int(tested["rows"]), int(tested["defaults"])
    return {
        "rows": rows,
        "default_rate": defaults / rows if rows else None,
        "default_rate_regulatory": defaults / (rows + left) if rows + left else None,
        "rows_of_leavers": left,
        "leavers_by_state": dict(sorted(states.items())),
    }
