"""Counting the cells of a source's loans by month, and keeping what was counted as it became known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from loanbook.book.months import last_day, month_expr, month_number
from loanbook.features.as_known.first_versions import Restated
from loanbook.features.engine.knowledge_period import NO_END, epoch_months
from loanbook.features.engine.neighbourhood_known import (
    CELL,
    Neighbourhood,
    neighbourhood_known,
    no_counts,
    revisions,
)
from loanbook.features.plan.increment import Step, built_to
from loanbook.features.plan.tape import Tape
from loanbook.tables.neighbourhood import COUNTS, KINDS, NEIGHBOURHOOD
from loanbook.warehouse.session import named

RULE = 1  # raised whenever the same reports give other counts
STORED = [*CELL, "known", *COUNTS]


def counted(reports: DataFrame, loans: DataFrame, epochs: bool = False) -> DataFrame:
    """Return kind, cell, month, known and by how much the counts of the cell and month change in ``known``.

    At risk is a loan that performs, or that entered default or repaid its balance in the month (in a
    liquidation without loss too); one that repays out of default counts too: a report does not say whether
    the one before it was in default. A loan without a region, say, counts in its other cells.

    Args:
        reports: of ``performance``.
        loans: their terms.
        epochs: whether loans can be named by epoch: then a report counts from the epoch's first month on, and
            no more after its last.
    """
    entered, without_loss = F.col("default_entry"), ~F.col("loss_event")
    prepaid = (F.col("state") == "prepaid") | ((F.col("state") == "liquidated") & without_loss)
    at_risk = (F.col("default_status") == "performing") | entered | prepaid
    rows = reports.where(at_risk).select(
        "loan_id", month_expr("as_of_date").alias("month"),
        F.lit(1).alias("at_risk"), entered.cast("int").alias("defaults"),
        (prepaid & ~entered).cast("int").alias("prepaid"),
    )  # fmt: skip
    own = {kind: F.lit("all") if kind == "nation" else F.col(kind) for kind in KINDS}
    cells = F.array(*(F.struct(F.lit(kind).alias("kind"), cell.alias("cell")) for kind, cell in own.items()))
    itself = {"known": F.col("month"), "sign": F.lit(1)}
    spans = rows.transform(_with_epochs) if epochs else rows.withColumns(itself)
    placed = spans.join(loans.select("loan_id", *KINDS[1:]), "loan_id", "left")
    changes = [F.sum(F.col("sign") * F.col(name)).alias(name) for name in COUNTS]
    alike = placed.groupBy("month", "known", *KINDS[1:]).agg(*changes)  # fewer rows to take apart than loans
    return (
        alike.select("month", "known", *COUNTS, F.inline(cells))
        .where(F.col("cell").isNotNull())
        .groupBy(*CELL, "known")
        .agg(*(F.sum(name).alias(name) for name in COUNTS))
    )


def _with_epochs(rows: DataFrame) -> DataFrame:
    """Return each row as it enters in an epoch, and again, of the other sign, where the next one begins."""
    first, last = epoch_months("loan_id")
    enters = F.struct(F.greatest("month", first).alias("known"), F.lit(1).alias("sign"))
    leaves = F.struct((last + 1).alias("known"), F.lit(-1).alias("sign"))
    both = F.when(last < NO_END, F.array(enters, leaves)).otherwise(F.array(enters))
    return rows.select("*", F.inline(both))


@dataclass(frozen=True)
class Counts:
    """Counts of a source's cells: kind, cell, month and known (numbers of months), and how many.

    Args:
        kept: those published.
        new: those to add; one that becomes known with a kept one of the same month takes its place.
    """

    kept: pd.DataFrame
    new: pd.DataFrame

    @property
    def every(self) -> pd.DataFrame:
        """Return all that is to be published."""
        whole = pd.concat([self.kept, self.new], ignore_index=True)
        return whole.drop_duplicates([*CELL, "known"], keep="last", ignore_index=True)

    def known(self, first: int, last: int, weight: float) -> Neighbourhood:
        """Return what was known of each cell in the months from ``first`` to ``last``."""
        return neighbourhood_known(self.every, first, last, weight)


def counts_go_on(tape: Tape, step: Step) -> bool:
    """Return whether counts that the last run published may be gone on from."""
    return tape.since is not None and built_to(tape.since) <= step.last_month


def count_neighbourhood(
    tape: Tape, loans: DataFrame, restated: Restated | None, step: Step, stored: pd.DataFrame
) -> Counts:
    """Count the months up to the step's last one that can differ from the counts kept.

    An increment counts months that are new or changed, but all where a loan's terms changed, which may have
    moved it to another cell; all too where reports were known otherwise, of which a month can change by what
    was read long before it was known. Counts of another default definition, knowledge or rule are not kept,
    nor are those that reach beyond the step's last month, as where a tape has moved back.

    Args:
        tape: the source's performance.
        loans: the source's terms.
        restated: loans whose reports were known otherwise.
        step: the months to write.
        stored: the counts to go on from, none where there are none.
    """
    counted_to = -1 if stored.empty or tape.since is None else built_to(tape.since)
    months = None if stored.empty or restated is not None else months_to_count(tape, step)
    if months is not None and not months:
        return Counts(stored, stored[:0])
    reports, terms = (tape.performance, loans)
    if restated is not None:
        reports, terms = restated.with_others(tape.performance, loans)
    rows = reports.where(F.col("as_of_date") <= F.lit(last_day(step.last_month)))
    if months is not None:
        rows = rows.where(F.col("as_of_date").isin([last_day(number) for number in months]))
    with named(rows.sparkSession, "build-features: count neighbourhood"):
        now = levels(counted(rows, terms, epochs=restated is not None).toPandas())
    again = stored if months is None else stored[stored["month"].isin(months)]
    return Counts(stored, revisions(again, now, counted_to))


def levels(changes: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of each cell and month from each month in which they change."""
    in_order = changes.sort_values("known", kind="stable", ignore_index=True)
    return in_order.assign(**in_order.groupby(CELL)[list(COUNTS)].cumsum())


def counted_with(definition: str, knowledge: str) -> dict[str, Any]:
    """Return what, beside the reports, counts depend on: columns of the table."""
    return {"default_definition_id": definition, "knowledge": knowledge, "rule": RULE}


def stored_counts(rows: DataFrame | None, made_with: Mapping[str, Any]) -> pd.DataFrame:
    """Return the counts of a source that were made with the same; ``rows`` are those published, if any."""
    if rows is None:
        return no_counts()
    for name, value in made_with.items():
        rows = rows.where(F.col(name).eqNullSafe(F.lit(value)))
    months = {"month": month_expr("as_of_date"), "known": month_expr("known_on")}
    return rows.withColumns(months).select(*STORED).toPandas()


def months_to_count(tape: Tape, step: Step) -> set[int] | None:
    """Return the months of which the counts can differ from those kept; None: all."""
    if step.built is None or tape.since is None or tape.since.months is None or step.terms_changed:
        return None
    changed = set(map(month_number, tape.since.months)) | set(range(step.built + 1, step.last_month + 1))
    return {number for number in changed if number <= step.last_month}


def counts_frame(
    spark: SparkSession, counts: pd.DataFrame, source: str, made_with: Mapping[str, Any]
) -> DataFrame:
    """Return the counts of a source as rows of ``neighbourhood``."""
    rows = counts.assign(
        source=source,
        as_of_date=counts["month"].map(last_day),
        known_on=counts["known"].map(last_day),
        **made_with,
    )
    schema = NEIGHBOURHOOD.schema
    return spark.createDataFrame(rows[NEIGHBOURHOOD.column_names], schema)
