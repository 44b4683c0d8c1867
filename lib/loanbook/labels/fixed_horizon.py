"""Labels: what happened to each loan in the book within a horizon, once it has passed for every loan."""

from collections.abc import Collection

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from loanbook.book.membership import Transform, is_terminal_expr, oldest_report, with_book
from loanbook.book.months import LOAN, in_order, last_day, loan_window, with_month
from loanbook.labels.cohorts import Calendar
from loanbook.tables.labels import HORIZONS, LABELS, status_column


def label_rows(
    performance: DataFrame, calendar: Calendar, cohorts: Collection[int] | None = None
) -> DataFrame:
    """Return the labels of every loan in the book and month: the columns of the labels table.

    A label reads performance up to the end of its horizon and nothing later, so that it never changes once
    its cohort has matured. A loan that is no longer in the book then, without an exit, has ``history_gap``.
    A month in which the tape declares an outcome of its own is labelled by that and nothing else.

    Args:
        performance: of one source.
        calendar: of the source.
        cohorts: months whose labels are wanted, and only what they are made of is read; None: all.
    """
    book = (
        performance.where(_is_read(calendar, cohorts))
        .transform(with_month)
        .transform(_with_events(calendar.period_months))
        .transform(with_book(calendar.last_month, calendar.stale_months, calendar.period_months))
        .transform(_with_last_seen(calendar.stale_months))
    )
    wanted = book if cohorts is None else book.where(F.col("month").isin(*cohorts))
    return wanted.transform(_with_labels(calendar.last_month)).transform(LABELS.conform)


def _is_read(calendar: Calendar, cohorts: Collection[int] | None) -> Column:
    if cohorts is None:
        return F.col("as_of_date") <= F.lit(last_day(calendar.last_month))
    return F.col("as_of_date").isin(*(last_day(month) for month in calendar.months_of_all(cohorts)))


def _with_events(period_months: int) -> Transform:
    """Add to reported rows the months of the loan's defaults, its exit, and the state one period later."""
    whole = (
        Window.partitionBy(*LOAN)
        .orderBy("month")
        .rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    )
    entry = F.when(F.col("default_entry"), F.col("month"))
    leaving = F.when(is_terminal_expr(), F.struct("month", "state"))
    is_next = F.lead("month").over(in_order()) == F.col("month") + period_months

    return lambda rows: rows.select(
        *LOAN,
        "month",
        "state",
        "default_status",
        "default_definition_id",
        "tape_outcome",
        F.collect_list(entry).over(whole).alias("default_months"),
        F.min(leaving).over(whole).alias("exit"),
        F.when(is_next, F.lead("state").over(in_order())).alias("following_state"),
    )


def _with_last_seen(stale_months: int) -> Transform:
    """Add, for each horizon, how often the loan was reported in its end's stale months."""
    reported = F.sum(F.col("reported").cast("int"))
    return lambda book: book.withColumns(
        {
            f"seen_{horizon}m": reported.over(loan_window(oldest_report(horizon, stale_months), horizon))
            for horizon in HORIZONS
        }
    )


def _with_labels(last_month: int) -> Transform:
    """Make label status, labels and next state of rows of the book that know the loan's events."""
    later = F.array_min(F.filter("default_months", lambda month: month > F.col("month")))
    statuses = {status_column(horizon): _status(horizon, last_month) for horizon in HORIZONS}
    labels = [column for horizon in HORIZONS for column in _labels(horizon)]
    # Of the month that declares it, not of those that it is carried to.
    declared = F.when(F.col("reported"), F.col("tape_outcome"))

    return lambda book: (
        book.withColumns({"default_month": later, "tape_outcome": declared})
        .withColumns(statuses)
        .select(
            *LOAN,
            "as_of_date",
            *statuses,
            *labels,
            "tape_outcome",
            F.when(F.col("reported"), F.col("following_state")).alias("next_state"),
            "default_definition_id",
        )
    )


def _defaulted(horizon: int) -> Column:
    return F.coalesce(F.col("default_month") <= F.col("month") + horizon, F.lit(False))


def _status(horizon: int, last_month: int) -> Column:
    end, defaulted = F.col("month") + horizon, _defaulted(horizon)
    left = F.coalesce(F.col("exit.month") <= end, F.lit(False))
    removed = left & (F.col("exit.state") == "removed")
    observed = defaulted | (left & ~removed) | (F.col(f"seen_{horizon}m") > 0)
    return (
        F.when(F.col("tape_outcome").isNotNull(), "tape_outcome")
        .when(F.col("default_status").isin("in_default", "probation"), "in_default")
        .when(end > last_month, "not_matured")
        .when(removed & ~defaulted, "censored")
        .when(observed, "observed")
        .otherwise("history_gap")
    )


def _labels(horizon: int) -> tuple[Column, Column]:
    """Return the label and the regulatory label, of rows that have their status."""
    status, name = F.col(status_column(horizon)), f"default_{horizon}m"
    label = F.when(status == "observed", _defaulted(horizon).cast("int"))
    return label.alias(name), F.when(status == "censored", 0).otherwise(label).alias(f"{name}_regulatory")
