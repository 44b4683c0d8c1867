"""What becomes of each line: published, quarantined, superseded, or set aside after an exit."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window, WindowSpec

from loanbook.quality.checks import failed
from loanbook.quality.history_checks import (
    CONFLICTING,
    NAMES,
    READ,
    HistoryCheck,
    Severity,
    history_conditions,
)
from loanbook.sources.mapping.mapped_columns import LOAN_COLUMNS, PERFORMANCE_COLUMNS
from loanbook.tables.columns import TERMINAL_STATES
from loanbook.tables.performance import PERFORMANCE
from loanbook.warehouse.changes import content_hash_expr

OF_A_MONTH = ("as_of_date", "delivery")  # equal in a loan's lines of one file and month
OF_TERMS = ("delivery",)
ATTRIBUTES = tuple(name for name in PERFORMANCE.filled_by("attributes") if name != "attribute_roles")


def counting_order() -> list[Column]:
    """Return the order of the lines of a loan and month in which the last one counts.

    ``is_new`` decides between those of one day.
    """
    return [F.col("delivered_at").asc_nulls_first(), *map(F.col, ("is_new", "delivery", "line"))]


def _months() -> WindowSpec:
    """Return each loan's lines by month, the one that counts last among those of one month."""
    return Window.partitionBy("source", "loan_id").orderBy("as_of_date", *counting_order())


def _terms() -> WindowSpec:
    """Return each loan's lines of terms, the one that counts last."""
    return Window.partitionBy("source", "loan_id").orderBy(
        F.col("delivered_at").asc_nulls_first(), "delivery", "line"
    )


def with_performance_fate(
    lines: DataFrame, checks: Mapping[HistoryCheck, Severity], period_months: int
) -> DataFrame:
    """Add their fate to canonical lines; rows already published may be among them.

    The columns are ``fate``, ``repeated`` (superseded by a line of this delivery) and ``state_before_exit``.

    Of the lines of one loan and month the last of the latest delivery stays; where another of the same file
    says something else, that is the check ``conflicting_rows``. What follows the exit of a loan is set aside.
    A rejected line has no say in either. Each line that stays is compared with the one before:
    ``quality_flags`` and ``halts`` gain the names of the checks it fails.
    """
    accepted = F.size("reasons") == 0
    earlier = _months().rowsBetween(Window.unboundedPreceding, -1)
    after = F.lead(F.struct("as_of_date", "is_new")).over(_months())
    superseded = F.coalesce(accepted & (after["as_of_date"] == F.col("as_of_date")), F.lit(False))
    content = [name for name in (*PERFORMANCE_COLUMNS, *ATTRIBUTES, "exit") if name in lines.columns]
    said = content_hash_expr(lines, content)
    own = lines.withColumns({"loan_id": _own_id_if_rejected(accepted), "_said": said})
    marked = own.withColumns(
        {
            "_accepted": accepted, "_superseded": superseded, "repeated": superseded & after["is_new"],
            "_differs": differs(_months(), OF_A_MONTH),
        }
    )  # fmt: skip
    counts = F.col("_accepted") & ~F.col("_superseded")
    exited = F.max(counts & F.col("state").isin(*TERMINAL_STATES)).over(earlier)
    before = F.last(F.when(counts, F.struct(*READ)), ignorenulls=True).over(earlier)
    conflicting = conflicts(_months(), OF_A_MONTH)
    fated = marked.withColumns(
        {"_exited": F.coalesce(exited, F.lit(False)), "_before": before, "_conflicts": conflicting}
    ).withColumns({"fate": _fate(F.col("_exited")), "state_before_exit": F.col("_before.state")})
    return fated.transform(_with_history_checks(checks, period_months)).drop(
        "_accepted", "_superseded", "_exited", "_before", "_said", "_differs", "_conflicts"
    )


def differs(window: WindowSpec, of: Sequence[str]) -> Column:
    """Return whether the line before, in a loan's window, has the same ``of`` and says something else."""
    before = F.lag(F.struct(*of, "_said")).over(window)
    return F.coalesce(_same(before, of) & (before["_said"] != F.col("_said")), F.lit(False))


def conflicts(window: WindowSpec, of: Sequence[str]) -> Column:
    """Return whether a line, or one before it with the same ``of``, differs from the one before."""
    so_far = window.rowsBetween(Window.unboundedPreceding, 0)
    last = F.last(F.when(F.col("_differs"), F.struct(*of)), ignorenulls=True).over(so_far)
    return F.coalesce(_same(last, of), F.lit(False))


def _same(other: Column, of: Sequence[str]) -> Column:
    return reduce(and_, (other[name] == F.col(name) for name in of))


def _with_history_checks(
    checks: Mapping[HistoryCheck, Severity], period_months: int
) -> Callable[[DataFrame], DataFrame]:
    def add(lines: DataFrame) -> DataFrame:
        stays = F.col("fate") == "published"
        # What a file says against itself does not change with later ones: a stored row keeps that flag.
        conflicting = F.col("is_new") & F.col("_conflicts")
        conditions = {**history_conditions("_before", period_months), CONFLICTING: conflicting}
        added = {
            column: failed(
                {
                    name: stays & condition
                    for name, condition in conditions.items()
                    if checks[name] == severity
                }
            )
            for column, severity in (("quality_flags", "flag"), ("halts", "halt"))
        }
        # A stored row is judged again, as the row before it may be another.
        kept = F.array_except("quality_flags", F.array(*map(F.lit, NAMES)))
        return lines.withColumns(
            {
                "quality_flags": F.concat(kept, added["quality_flags"]),
                "halts": F.concat("halts", added["halts"]),
            }
        )

    return add


def with_loan_fate(
    lines: DataFrame,
    in_book: DataFrame | None = None,
    stored: DataFrame | None = None,
    conflicting: Severity = "flag",
) -> DataFrame:
    """Add ``fate``, and ``repeated`` as of months, to canonical lines of loans.

    Args:
        lines: the lines; of one loan the last of the latest delivery stays.
        in_book: ``loan_id`` of every loan with a month; lines of other loans are set aside. None keeps them.
        stored: ``loan_id`` and ``stored_at``, the day on which the terms published of it were delivered; a
            line of an earlier day, or of none, is superseded by them.
        conflicting: what follows where a line of the same file and loan says something else.
    """
    accepted = F.size("reasons") == 0
    said = content_hash_expr(lines, [*LOAN_COLUMNS, *ATTRIBUTES])
    own = lines.withColumns({"loan_id": _own_id_if_rejected(accepted), "_accepted": accepted, "_said": said})
    marked = own.withColumn("_differs", differs(_terms(), OF_TERMS)).withColumn(
        "_conflicts", conflicts(_terms(), OF_TERMS)
    )
    superseded = repeated = F.lead("line").over(_terms()).isNotNull()
    if stored is not None:
        marked = marked.join(stored, "loan_id", "left")
        is_older = F.coalesce(F.col("delivered_at") < F.col("stored_at"), F.lit(True))
        superseded = superseded | (F.col("stored_at").isNotNull() & is_older)
    marked = marked.withColumns(
        {"_superseded": F.col("_accepted") & superseded, "repeated": F.col("_accepted") & repeated}
    )
    outside = F.lit(False)
    if in_book is not None:
        known = in_book.select("loan_id", F.lit(True).alias("_in_book")).distinct()
        marked, outside = marked.join(known, "loan_id", "left"), F.col("_in_book").isNull()
    fated = marked.withColumn("fate", _fate(outside)).transform(_with_conflicts(conflicting))
    return fated.drop("_accepted", "_superseded", "_said", "_differs", "_conflicts", "_in_book", "stored_at")


def _with_conflicts(severity: Severity) -> Callable[[DataFrame], DataFrame]:
    def add(lines: DataFrame) -> DataFrame:
        found = failed({CONFLICTING: (F.col("fate") == "published") & F.col("_conflicts")})
        column = {"flag": "quality_flags", "halt": "halts"}.get(severity)
        return lines if column is None else lines.withColumn(column, F.concat(column, found))

    return add


def _own_id_if_rejected(accepted: Column) -> Column:
    """Keep rejected lines out of every loan's history, and out of one huge window of lines without an id."""
    own = F.concat_ws(":", F.lit("\x00"), F.col("delivery"), F.col("line"))
    return F.when(accepted, F.col("loan_id")).otherwise(own)


def _fate(set_aside: Column) -> Column:
    return (
        F.when(~F.col("_accepted"), "quarantined")
        .when(F.col("_superseded"), "superseded")
        .when(set_aside, "set_aside")
        .otherwise("published")
    )
