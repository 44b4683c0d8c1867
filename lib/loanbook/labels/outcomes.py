"""Outcomes: how each spell at risk of default ended, without a horizon."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.book.months import LOAN, in_order, last_day, month_end_expr, so_far, with_month
from loanbook.tables.outcomes import OUTCOMES
from loanbook.tables.performance import PERFORMANCE

_READ = (*LOAN, "as_of_date", *PERFORMANCE.read_by("outcomes"))
_SPELL = (*LOAN, "episode")


def outcome_rows(performance: DataFrame, last_month: int) -> DataFrame:
    """Return one row for each spell of performing months: the columns of the outcomes table.

    A loan that is in default when first reported is at risk from its cure on. A liquidation that is no
    default repaid the balance: ``prepaid``. A spell may begin in the tape's first month, so the whole history
    is read, of few columns.
    """
    known = performance.where(F.col("as_of_date") <= F.lit(last_day(last_month)))
    rows = known.select(*_READ).transform(with_month)
    at_risk = F.col("default_status") == "performing"
    begins = at_risk & ~F.coalesce(F.lag(at_risk).over(in_order()), F.lit(False))
    spells = (
        rows.withColumns({"begins": begins, "event": _next_event(), "next_month": _next("month")})
        .withColumn("episode", F.sum(F.col("begins").cast("int")).over(so_far()))
        .where(at_risk)
        .groupBy(*_SPELL)
        .agg(
            F.min("month").alias("first"),
            F.max("month").alias("last"),
            F.max_by(F.struct("event", "next_month"), "month").alias("end"),
            F.max("default_definition_id").alias("default_definition_id"),
        )
    )
    return OUTCOMES.conform(_as_published(spells))


def _next(column: str) -> Column:
    return F.lead(column).over(in_order())


def _next_event() -> Column:
    """Return what the loan's next report shows: an event that ends the spell, or none."""
    state = _next("state")
    return (
        F.when(_next("default_entry"), "default")
        .when(state.isin("prepaid", "liquidated"), "prepaid")
        .when(state.isin("matured", "removed"), state)
        .otherwise("none")
    )


def _as_published(spells: DataFrame) -> DataFrame:
    ended = F.col("end.event") != "none"
    dated = spells.withColumn("event_month", F.when(ended, F.col("end.next_month")))
    return dated.select(
        *_SPELL,
        month_end_expr("first").alias("at_risk_from"),
        F.col("end.event").alias("event"),
        month_end_expr("event_month").alias("event_date"),
        F.when(ended, month_end_expr("last")).alias("event_month_lower"),
        month_end_expr("last").alias("last_observed_date"),
        "default_definition_id",
    )
