"""Labels: what happened to each loan in the book within the horizon, once it has passed for every loan."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from loanbook.features.book import is_terminal_expr, with_book
from loanbook.features.feature import Transform
from loanbook.features.months import LOAN, in_order, loan_window, with_month
from loanbook.tables.labels import LABELS

HORIZON_MONTHS = 12


def label_rows(performance: DataFrame, last_month: int, stale_months: int, period_months: int) -> DataFrame:
    """Return the labels of every loan in the book and month: the columns of the labels table.

    A label reads performance up to the end of its horizon and nothing later, so that it never changes once
    its cohort has matured. A loan that is no longer in the book then, without an exit, has ``history_gap``.
    """
    rows = performance.transform(with_month).where(F.col("month") <= last_month)
    return (
        rows.transform(_with_events(period_months))
        .transform(with_book(last_month, stale_months))
        .transform(with_labels(last_month, stale_months))
        .transform(LABELS.conform)
    )


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
        F.collect_list(entry).over(whole).alias("default_months"),
        F.min(leaving).over(whole).alias("exit"),
        F.when(is_next, F.lead("state").over(in_order())).alias("following_state"),
    )


def with_labels(last_month: int, stale_months: int) -> Transform:
    """Add label status, labels and next state to rows of the book that know the loan's events."""

    def transform(book: DataFrame) -> DataFrame:
        later = F.array_min(F.filter("default_months", lambda month: month > F.col("month")))
        horizon = F.col("month") + HORIZON_MONTHS
        marked = book.withColumns(
            {
                "defaulted": F.coalesce(later <= horizon, F.lit(False)),
                "left": F.coalesce(F.col("exit.month") <= horizon, F.lit(False)),
                "in_book_then": F.sum(F.col("reported").cast("int")).over(
                    loan_window(HORIZON_MONTHS - stale_months, HORIZON_MONTHS)
                ),
            }
        )
        observed = F.when(F.col("label_status") == "observed", F.col("defaulted").cast("int"))
        regulatory = F.when(F.col("label_status") == "censored", 0).otherwise(observed)
        return marked.withColumn("label_status", _status(horizon <= last_month)).select(
            *LOAN,
            "as_of_date",
            "label_status",
            observed.alias("default_12m"),
            regulatory.alias("default_12m_regulatory"),
            F.when(F.col("reported"), F.col("following_state")).alias("next_state"),
            "default_definition_id",
        )

    return transform


def _status(matured: Column) -> Column:
    removed = F.col("left") & (F.col("exit.state") == "removed")
    observed = F.col("defaulted") | (F.col("left") & ~removed) | (F.col("in_book_then") > 0)
    return (
        F.when(F.col("default_status").isin("in_default", "probation"), "in_default")
        .when(~matured, "not_matured")
        .when(removed & ~F.col("defaulted"), "censored")
        .when(observed, "observed")
        .otherwise("history_gap")
    )
