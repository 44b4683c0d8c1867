"""Counting the cells of a source's loans by month, and keeping what was counted as it became known."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.features.changes import LastRun, changed_months
from loanbook.features.months import last_day, month_expr, month_number
from loanbook.features.neighbourhood_known import CELL, Neighbourhood, neighbourhood_known, revisions
from loanbook.features.tape import Tape
from loanbook.runs import Run
from loanbook.session import named
from loanbook.tables.neighbourhood import COUNTS, KINDS, NEIGHBOURHOOD
from loanbook.tables.performance import PERFORMANCE

STORED = [*CELL, "known", *COUNTS]


def counted(performance: DataFrame, loans: DataFrame) -> DataFrame:
    """Return kind, cell, as_of_date and the counts of reported months.

    At risk is a loan that performs, or that entered default or prepaid in the month: a loan already in
    default can do neither. A loan without a region, say, counts in its other cells.
    """
    entered, prepaid = F.col("default_entry"), F.col("state") == "prepaid"
    at_risk = (F.col("default_status") == "performing") | entered | prepaid
    rows = performance.where(at_risk).select(
        "loan_id", "as_of_date", entered.cast("int").alias("defaults"),
        (prepaid & ~entered).cast("int").alias("prepaid"),
    )  # fmt: skip
    own = {kind: F.lit("all") if kind == "nation" else F.col(kind) for kind in KINDS}
    cells = F.array(*(F.struct(F.lit(kind).alias("kind"), cell.alias("cell")) for kind, cell in own.items()))
    placed = rows.join(loans.select("loan_id", *KINDS[1:]), "loan_id", "left")
    return (
        placed.select("as_of_date", "defaults", "prepaid", F.inline(cells))
        .where(F.col("cell").isNotNull())
        .groupBy("kind", "cell", "as_of_date")
        .agg(
            F.count(F.lit(1)).alias("at_risk"),
            F.sum("defaults").alias("defaults"),
            F.sum("prepaid").alias("prepaid"),
        )
    )


@dataclass(frozen=True)
class Counts:
    """Counts of a source's cells: kind, cell, month and known (numbers of months), and how many.

    Args:
        kept: those published.
        new: those to add.
    """

    kept: pd.DataFrame
    new: pd.DataFrame

    def known(self, first: int, last: int, weight: int) -> Neighbourhood:
        """Return what was known of each cell in the months from ``first`` to ``last``."""
        every = [rows for rows in (self.kept, self.new) if len(rows)]
        return neighbourhood_known(pd.concat(every) if every else self.new, first, last, weight)


def count_neighbourhood(run: Run, tape: Tape, loans: DataFrame, month: int, last: LastRun | None) -> Counts:
    """Count the months up to ``month`` that are new or changed since the run ``last``.

    Without a run before, or with another default definition, everything is counted anew.
    """
    stored = pd.DataFrame(columns=STORED) if last is None else _stored(run)
    counted_to = -1 if stored.empty else int(stored["month"].max())
    months = None if last is None or stored.empty else _months_to_count(run, last, counted_to, month)
    if months is not None and not months:
        return Counts(stored, stored[:0])
    rows = tape.performance.where(F.col("as_of_date") <= F.lit(last_day(month)))
    if months is not None:
        rows = rows.where(F.col("as_of_date").isin([last_day(number) for number in months]))
    with named(run.spark, "build-features: count neighbourhood"):
        now = counted(rows, loans).withColumn("month", month_expr("as_of_date")).drop("as_of_date").toPandas()
    again = stored if months is None else stored[stored["month"].isin(months)]
    return Counts(stored, revisions(again, now, counted_to)[STORED])


def write_counts(run: Run, counts: Counts) -> None:
    """Append the new counts; where none are kept, replace what the source has."""
    if counts.kept.empty:
        run.replace(NEIGHBOURHOOD, _as_rows(run, counts.new), f"source = '{run.source}'")
    elif len(counts.new):
        run.append(NEIGHBOURHOOD, _as_rows(run, counts.new))


def _stored(run: Run) -> pd.DataFrame:
    if not run.exists(NEIGHBOURHOOD):
        return pd.DataFrame(columns=STORED)
    rows = run.read(NEIGHBOURHOOD, made_by="build-features").where(
        (F.col("source") == run.source)
        & (F.col("default_definition_id") == run.settings.default_definition.id)
    )
    months = {"month": month_expr("as_of_date"), "known": month_expr("known_on")}
    return rows.withColumns(months).select(*STORED).toPandas()


def _months_to_count(run: Run, last: LastRun, counted_to: int, month: int) -> set[int] | None:
    versions = last.inputs[PERFORMANCE.name], run.inputs[PERFORMANCE.name]
    changed = changed_months(run.spark, run.storage, PERFORMANCE, *versions)
    if changed is None:
        return None
    known: Iterable[int] = map(month_number, changed)
    return {number for number in known if number <= month} | set(range(counted_to + 1, month + 1))


def _as_rows(run: Run, counts: pd.DataFrame) -> DataFrame:
    rows = counts.assign(
        source=run.source,
        as_of_date=counts["month"].map(last_day),
        known_on=counts["known"].map(last_day),
        default_definition_id=run.settings.default_definition.id,
    )
    schema = NEIGHBOURHOOD.empty(run.spark).schema
    return run.spark.createDataFrame(rows[NEIGHBOURHOOD.column_names], schema)
