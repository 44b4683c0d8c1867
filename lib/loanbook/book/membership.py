"""The book: which loans are in it at which month, and what was last reported of them."""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.book.months import LOAN, in_order, last_day, month_end_expr, month_expr
from loanbook.tables.columns import TERMINAL_STATES

Transform = Callable[[DataFrame], DataFrame]


def is_terminal_expr() -> Column:
    """Return whether a reported row is the loan's exit."""
    return F.col("state").isin(*TERMINAL_STATES)


def oldest_report(month: int, stale_months: int) -> int:
    """Return the month of the oldest report that keeps a loan in the book at a month.

    With its last report not a terminal one, and no older, a loan is in the book: the engine, the labels and
    the check of both ask this.
    """
    return month - stale_months


def with_book(last_month: int, stale_months: int, period_months: int) -> Transform:
    """Return a row for each loan in the book and month, from rows reported (with ``month``).

    A loan is in the book from a report until the month before its next one, so long as the report is not too
    old (``oldest_report``), and not after ``last_month``; not from its exit on. Every column is carried from
    the last report to the ends of later periods; added are ``reported`` and ``months_since_report``;
    ``month`` and ``as_of_date`` become the month of the row.
    """
    longest = -oldest_report(0, stale_months)

    def transform(rows: DataFrame) -> DataFrame:
        following = F.lead("month").over(in_order())
        until = F.least(following - 1, F.col("month") + longest, F.lit(last_month))
        spans = rows.withColumn("until", until).withColumnRenamed("month", "report_month")
        live = spans.where(~is_terminal_expr() & (F.col("report_month") <= F.col("until")))
        months = live.withColumn(
            "month", F.explode(F.sequence("report_month", "until", F.lit(period_months)))
        )
        return months.withColumns(
            {
                "reported": F.col("month") == F.col("report_month"),
                "months_since_report": F.col("month") - F.col("report_month"),
                "as_of_date": month_end_expr("month"),
            }
        ).drop("until", "report_month")

    return transform


def loans_in_book(performance: DataFrame, month: int, stale_months: int) -> int:
    """Return how many loans are in the book at a month, counted from their last reported rows alone.

    Reads the rows of ``performance`` that can have a loan in it, whatever others it holds.
    """
    earliest, latest = F.lit(last_day(oldest_report(month, stale_months))), F.lit(last_day(month))
    recent = performance.where(F.col("as_of_date").between(earliest, latest))
    # One number, as Spark sorts all rows to find the greatest struct.
    last = F.max(2 * month_expr("as_of_date") + is_terminal_expr().cast("int"))
    return recent.groupBy(*LOAN).agg(last.alias("last")).where(F.col("last") % 2 == 0).count()


def one_file_a_month(rows: DataFrame) -> DataFrame:
    """Return rows arranged so that each month is written as one file, in the order of its loans."""
    return rows.repartition("as_of_date").sortWithinPartitions("as_of_date", "loan_id")
