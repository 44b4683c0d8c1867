"""What a snapshot's samples hold: rows, loans, defaults and months."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.training.snapshot.fold import Fold

COUNTED = ("rows", "labelled", "loans", "defaults", "defaulting_loans", "defaulting_borrowers")


def count_statuses(outcomes: DataFrame) -> tuple[dict[str, int], list[date], int]:
    """Return rows by label status, the months that have labelled rows, and the number of these."""
    judged = (F.col("eligible") & F.col("label").isNotNull()).alias("judged")
    found = outcomes.groupBy("label_status", "as_of_date", judged).count().collect()
    statuses: Counter[str] = Counter()
    for row in found:
        statuses[str(row["label_status"])] += int(row["count"])
    labelled = [row for row in found if row["judged"]]
    months = sorted({row["as_of_date"] for row in labelled})
    return dict(sorted(statuses.items())), months, sum(int(row["count"]) for row in labelled)


def count_borrowers(rows: DataFrame) -> tuple[int, int]:
    """Return how many borrowers have a default, and how many none."""
    each = rows.groupBy("borrower").agg(F.max("label").alias("label"))
    defaulting = F.count_if(F.col("label") == 1)
    found = each.agg(defaulting, F.count(F.lit(1)) - defaulting).collect()[0]
    return int(found[0]), int(found[1])


def count_roles(roles: DataFrame, fold: Fold) -> dict[str, dict[str, Any]]:
    """Return rows, labelled ones, loans, defaults, defaulting loans and borrowers, and months of each."""
    defaulting = F.col("label") == 1
    found = roles.groupBy("role").agg(
        F.count(F.lit(1)).alias("rows"),
        F.count("label").alias("labelled"),
        F.countDistinct("loan_id").alias("loans"),
        F.count_if(defaulting).alias("defaults"),
        F.countDistinct(F.when(defaulting, F.col("loan_id"))).alias("defaulting_loans"),
        F.countDistinct(F.when(defaulting, F.col("borrower"))).alias("defaulting_borrowers"),
        F.min("as_of_date").cast("string").alias("first_month"),
        F.max("as_of_date").cast("string").alias("last_month"),
    )
    by_role = {row["role"]: row.asDict() for row in found.collect()}
    empty = {**dict.fromkeys(COUNTED, 0), "first_month": None, "last_month": None}
    return {role: {**empty, **by_role.get(role, {})} for role in fold.roles}


def together(parts: Sequence[Mapping[str, Any]], min_defaults: int) -> dict[str, Any]:
    """Return the counts of parts that share no borrower as those of one sample, with whether they suffice.

    It is borrowers that must have defaulted: loans of one default together.

    >>> part = {"rows": 2, "labelled": 2, "loans": 1, "defaults": 1, "defaulting_loans": 1,
    ...     "defaulting_borrowers": 1, "first_month": "2020-01-31", "last_month": "2020-02-29"}
    >>> found = together([part, part], min_defaults=3)
    >>> found["rows"], found["default_rate"], found["status"]
    (4, 0.5, 'insufficient')
    """
    total = {name: sum(part[name] for part in parts) for name in COUNTED}
    months = [month for part in parts for month in (part["first_month"], part["last_month"]) if month]
    return {
        **total,
        "first_month": min(months, default=None),
        "last_month": max(months, default=None),
        "default_rate": total["defaults"] / total["labelled"] if total["labelled"] else None,
        "status": "ok" if total["defaulting_borrowers"] >= min_defaults else "insufficient",
    }
