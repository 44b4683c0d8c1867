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
    """Return the month of the oldest report that still keeps a loan in the book at a month.

    A loan is in the book while its last report is no older than this and is not its exit. The engine, the
    labels and the checks of both use this one rule.

    Args:
        month: number of the month (``months.month_number``).
        stale_months: months without a report after which a loan leaves the book.

    >>> from datetime import date
    >>> from loanbook.book.months import month_number
    >>> last_day(oldest_report(month_number(date(2020, 6, 30)), stale_months=3))
    datetime.date(2020, 3, 31)
    """
    return month - stale_months


def with_book(last_month: int, stale_months: int, period_months: int) -> Transform:
    """Return a function that makes a row for each loan in the book and month, from rows reported.

    A loan is in the book from each report until the month before its next one, but not when the report is too
    old (``oldest_report``), not after ``last_month``, and not from its exit on.

    A loan of a monthly tape that is reported in months 1 and 3 has, with ``stale_months=2`` and
    ``last_month=9``, the rows

        month  reported  months_since_report
        1      true      0
        2      false     1
        3      true      0
        4      false     1
        5      false     2

    Every other column is carried forward from the last report; ``month`` and ``as_of_date`` become those of
    the row.

    Args:
        last_month: number of the last month to make.
        stale_months: months without a report after which a loan leaves the book.
        period_months: months between two reports.
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

    An independent count to check ``with_book`` by. Of ``performance`` only the rows that can keep a loan in
    the book at that month are read.

    Args:
        performance: canonical rows with ``as_of_date``.
        month: its number.
        stale_months: months without a report after which a loan leaves the book.
    """
    earliest, latest = F.lit(last_day(oldest_report(month, stale_months))), F.lit(last_day(month))
    recent = performance.where(F.col("as_of_date").between(earliest, latest))
    # Month and exit in one number: for the greatest struct Spark would sort all rows.
    last = F.max(2 * month_expr("as_of_date") + is_terminal_expr().cast("int"))
    return recent.groupBy(*LOAN).agg(last.alias("last")).where(F.col("last") % 2 == 0).count()


def one_file_a_month(rows: DataFrame) -> DataFrame:
    """Return rows arranged so that each month is written as one file, in the order of its loans."""
    return rows.repartition("as_of_date").sortWithinPartitions("as_of_date", "loan_id")
