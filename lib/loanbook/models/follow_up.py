"""How long loans were followed, and what ended it: the targets of curves, as they were known in a month."""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from loanbook.book.months import LOAN, month_expr

DEFAULT, PREPAYMENT, NEITHER = range(3)  # codes of ``event``
EVENTS = {"default": DEFAULT, "prepaid": PREPAYMENT, "matured": PREPAYMENT}  # all else is censoring


def with_spell(rows: DataFrame, outcomes: DataFrame) -> DataFrame:
    """Return loan-months with how the spell at risk that each is in ended, as far as is known today.

    Adds ``ended_by``, ``event_date`` and ``last_observed_date``, null where a loan has no spell.

    Args:
        rows: with their key.
        outcomes: of their source.
    """
    following = Window.partitionBy(*LOAN).orderBy("at_risk_from")
    spells = outcomes.select(
        *LOAN,
        "at_risk_from",
        F.lead("at_risk_from").over(following).alias("next_spell"),
        F.col("event").alias("ended_by"),
        "event_date",
        "last_observed_date",
    ).alias("spell")
    month = F.col("as_of_date")
    inside = (month >= F.col("at_risk_from")) & F.coalesce(month < F.col("next_spell"), F.lit(True))
    same = [F.col(f"rows.{name}") == F.col(f"spell.{name}") for name in LOAN]
    joined = rows.alias("rows").join(spells, [*same, inside], "left")
    return joined.select("rows.*", "ended_by", "event_date", "last_observed_date")


def as_known(rows: DataFrame, until: Column) -> DataFrame:
    """Return rows of ``with_spell`` with ``months`` at risk and the ``event`` that ended them.

    An event after ``until`` is not known. ``removed`` is no event: such a loan is censored after the last
    month that it was observed in, ``until`` at the latest. An event first seen after a gap takes the month
    that it was seen in. ``has_event`` says whether one ended any of the loan's months of its role.
    """
    code = F.lit(NEITHER)
    for name, number in EVENTS.items():
        code = F.when(F.col("ended_by") == name, number).otherwise(code)
    known = F.coalesce((code != NEITHER) & (F.col("event_date") <= until), F.lit(False))
    observed = F.when(F.col("last_observed_date") < until, F.col("last_observed_date")).otherwise(until)
    end = F.when(known, F.col("event_date")).otherwise(observed)
    months = F.greatest(F.year(end) * 12 + F.month(end) - 1 - month_expr("as_of_date"), F.lit(0))
    added = {
        "months": F.when(F.col("ended_by").isNotNull(), months).otherwise(F.lit(0)),
        "event": F.when(known, code).otherwise(F.lit(NEITHER)),
    }
    ended = F.max((F.col("event") != NEITHER).cast("int")).over(Window.partitionBy(*LOAN, "role"))
    return rows.withColumns(added).withColumn("has_event", ended == 1)


@dataclass(frozen=True)
class Followed:
    """What rows were followed.

    Args:
        loan_months: at risk, of all rows together.
        prepaid: rows that ended by prepayment.
        longest: months that as many loans were followed as were asked for; of fewer loans, that all were.
    """

    loan_months: int
    prepaid: int
    longest: int

    def prepayment_hazard(self, period_months: int) -> float:
        """Return the hazard of prepayment in a period, above 0 and at most 0.5.

        >>> Followed(loan_months=1197, prepaid=1, longest=36).prepayment_hazard(3)
        0.00375
        """
        return min(0.5, (self.prepaid + 0.5) / (self.loan_months / period_months + 1))


def followed(rows: DataFrame, least: int) -> Followed | None:
    """Return what rows of ``as_known`` were followed; None where there is none.

    Args:
        rows: those that fit a model.
        least: loans.
    """
    prepaid = F.count_if(F.col("event") == PREPAYMENT)
    total = rows.agg(F.sum("months").alias("months"), prepaid.alias("prepaid")).collect()[0]
    if total["months"] is None:
        return None
    of_loans = rows.groupBy(*LOAN).agg(F.max("months").alias("months")).orderBy(F.desc("months")).limit(least)
    return Followed(total["months"], total["prepaid"], min(int(row["months"]) for row in of_loans.collect()))
