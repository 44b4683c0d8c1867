"""What becomes of each line: published, quarantined, superseded, or set aside after an exit."""

from collections.abc import Callable, Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window, WindowSpec

from loanbook.quality.checks import failed
from loanbook.quality.history import NAMES, READ, HistoryCheck, Severity, history_conditions
from loanbook.tables.columns import TERMINAL_STATES


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

    Of the lines of one loan and month the last of the latest delivery stays. What follows the exit of a loan
    is set aside. A rejected line has no say in either. Each line that stays is compared with the one before:
    ``quality_flags`` and ``halts`` gain the names of the checks it fails.
    """
    accepted = F.size("reasons") == 0
    earlier = _months().rowsBetween(Window.unboundedPreceding, -1)
    after = F.lead(F.struct("as_of_date", "is_new")).over(_months())
    superseded = F.coalesce(accepted & (after["as_of_date"] == F.col("as_of_date")), F.lit(False))
    marked = lines.withColumn("loan_id", _own_id_if_rejected(accepted)).withColumns(
        {"_accepted": accepted, "_superseded": superseded, "repeated": superseded & after["is_new"]}
    )
    counts = F.col("_accepted") & ~F.col("_superseded")
    exited = F.max(counts & F.col("state").isin(*TERMINAL_STATES)).over(earlier)
    before = F.last(F.when(counts, F.struct(*READ)), ignorenulls=True).over(earlier)
    fated = marked.withColumns({"_exited": F.coalesce(exited, F.lit(False)), "_before": before}).withColumns(
        {"fate": _fate(F.col("_exited")), "state_before_exit": F.col("_before.state")}
    )
    return fated.transform(_with_history_checks(checks, period_months)).drop(
        "_accepted", "_superseded", "_exited", "_before"
    )


def _with_history_checks(
    checks: Mapping[HistoryCheck, Severity], period_months: int
) -> Callable[[DataFrame], DataFrame]:
    def add(lines: DataFrame) -> DataFrame:
        stays = F.col("fate") == "published"
        conditions = history_conditions("_before", period_months)
        added = {
            column: failed({name: stays & conditions[name] for name in NAMES if checks[name] == severity})
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
    lines: DataFrame, in_book: DataFrame | None = None, stored: DataFrame | None = None
) -> DataFrame:
    """Add ``fate``, and ``repeated`` as of months, to canonical lines of loans.

    Args:
        lines: the lines; of one loan the last of the latest delivery stays.
        in_book: ``loan_id`` of every loan with a month; lines of other loans are set aside. None keeps them.
        stored: ``loan_id`` and ``stored_at``, the day on which the terms published of it were delivered; a
            line of an earlier day, or of none, is superseded by them.
    """
    accepted = F.size("reasons") == 0
    marked = lines.withColumn("loan_id", _own_id_if_rejected(accepted)).withColumn("_accepted", accepted)
    superseded = repeated = F.lead("line").over(_terms()).isNotNull()
    if stored is not None:
        marked = marked.join(stored, "loan_id", "left")
        is_older = F.coalesce(F.col("delivered_at") < F.col("stored_at"), F.lit(True))
        superseded = superseded | (F.col("stored_at").isNotNull() & is_older)
    marked = marked.withColumns(
        {"_superseded": F.col("_accepted") & superseded, "repeated": F.col("_accepted") & repeated}
    ).drop("stored_at")
    if in_book is None:
        return marked.withColumn("fate", _fate(F.lit(False))).drop("_accepted", "_superseded")
    known = in_book.select("loan_id", F.lit(True).alias("_in_book")).distinct()
    joined = marked.join(known, "loan_id", "left")
    return joined.withColumn("fate", _fate(F.col("_in_book").isNull())).drop(
        "_accepted", "_superseded", "_in_book"
    )


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
