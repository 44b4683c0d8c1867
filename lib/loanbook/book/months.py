"""Calendar months as integers, so that windows are calendar windows.

Three months are three calendar months, whether or not each of them has a row. A month is counted from January
of year 0: ``year * 12 + month - 1``.
"""

from calendar import monthrange
from datetime import date

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

LOAN = ("source", "loan_id")


def month_number(day: date) -> int:
    """Return the number of a day's month.

    >>> month_number(date(2020, 1, 31))
    24240
    >>> month_number(date(2020, 2, 29)) - month_number(date(2019, 12, 31))
    2
    """
    return day.year * 12 + day.month - 1


def last_day(month: int) -> date:
    """Return the last day of a month, which is how ``as_of_date`` writes the month.

    >>> last_day(month_number(date(2020, 2, 1)))
    datetime.date(2020, 2, 29)
    """
    year, before = divmod(month, 12)
    return date(year, before + 1, monthrange(year, before + 1)[1])


def month_expr(day: str) -> Column:
    """Return the month number of a date column."""
    return F.year(day) * 12 + F.month(day) - 1


def month_end_expr(month: str) -> Column:
    """Return the last day of a month column."""
    return F.last_day(F.make_date(F.floor(F.col(month) / 12).cast("int"), F.col(month) % 12 + 1, F.lit(1)))


def with_month(rows: DataFrame) -> DataFrame:
    """Add ``month``, the number of ``as_of_date``'s month."""
    return rows.withColumn("month", month_expr("as_of_date"))


def loan_window(first: int, last: int = 0) -> WindowSpec:
    """Return the frame of a loan's rows from ``first`` to ``last`` calendar months off the row's month.

    ``loan_window(-2)`` is the row's month and the two before it: at most three rows, fewer where months are
    missing.
    """
    return Window.partitionBy(*LOAN).orderBy("month").rangeBetween(first, last)


def so_far() -> WindowSpec:
    """Return the frame of a loan's rows up to the row's month."""
    return loan_window(Window.unboundedPreceding)


def in_order() -> WindowSpec:
    """Return a loan's rows in calendar order, for lag and lead."""
    return Window.partitionBy(*LOAN).orderBy("month")
