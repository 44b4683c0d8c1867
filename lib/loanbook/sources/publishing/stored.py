"""What earlier deliveries published of the same loans: a history over several slices is judged as one."""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.sources.canonical.loans import NO_TERMS
from loanbook.sources.mapping.mapped_columns import EXIT_COLUMNS
from loanbook.sources.publishing.replaced import Replaced
from loanbook.tables.columns import TERMINAL_STATES
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.terminations import TERMINATIONS

JUDGED = PERFORMANCE.filled_by("checks", "definition")
_BEFORE_EXIT = next(column for column in TERMINATIONS.columns if column.name == "state_before_exit")
_TYPED = [*(column for column in PERFORMANCE.columns if column.name in JUDGED), _BEFORE_EXIT]
STORED = f"struct<{', '.join(f'{column.name}: {column.type}' for column in _TYPED)}>"


@dataclass(frozen=True)
class StoredTables:
    """What is published of a source; None of a table that no run has published.

    Of ``superseded`` also where no line of the source's files has that fate: to ask Spark takes a job.
    """

    deliveries: DataFrame | None
    loans: DataFrame | None
    performance: DataFrame | None
    terminations: DataFrame | None
    superseded: DataFrame | None


@dataclass(frozen=True)
class Others:
    """The rows of a source that the delivery does not replace whole, and those that it does.

    Args:
        superseded: rows that were read and are not in force; None where there are none.
        delivered_at: delivery and its day, of the source's files.
    """

    performance: DataFrame
    terminations: DataFrame
    superseded: DataFrame | None
    replaced: DataFrame
    delivered_at: DataFrame

    def loans(self, delivered: DataFrame) -> DataFrame:
        """Return ``loan_id`` of every loan that the delivery adds to, changes, or takes months away from."""
        before = self.replaced.select("loan_id")
        return delivered.where(F.size("reasons") == 0).select("loan_id").union(before).distinct()

    def months(self, loans: DataFrame) -> DataFrame:
        """Return the months read before of ``loans``, shaped as canonical lines that no check rejects.

        ``was`` is the fate that they had; ``stored`` holds what the published ones were judged to be, to see
        which slices must be written again.
        """
        published = self._published(loans)
        if self.superseded is None:
            return published
        lost = self.superseded.join(loans, "loan_id", "left_semi")
        exit_ = F.when(F.col("state").isin(*TERMINAL_STATES), F.struct(*EXIT_COLUMNS))
        return published.unionByName(
            lost.join(F.broadcast(self.delivered_at), "delivery", "left").select(
                *self._canonical(), "delivered_at", exit_.alias("exit"),
                F.lit(None).cast(STORED).alias("stored"), *_read_before(F.col("fate")),
            )
        )  # fmt: skip

    def _published(self, loans: DataFrame) -> DataFrame:
        exits = self.terminations.select(
            "loan_id",
            F.struct(*EXIT_COLUMNS).alias("exit"),
            "state_before_exit",
        )
        months = self.performance.join(loans, "loan_id", "left_semi").join(exits, "loan_id", "left")
        months = months.join(F.broadcast(self.delivered_at), "delivery", "left")
        is_exit = F.col("state").isin(*TERMINAL_STATES)
        stored = F.struct(*JUDGED, F.when(is_exit, F.col("state_before_exit")).alias("state_before_exit"))
        return months.select(
            *self._canonical(), "delivered_at", F.when(is_exit, F.col("exit")).alias("exit"),
            stored.alias("stored"), *_read_before(F.lit("published")),
        )  # fmt: skip

    def _canonical(self) -> list[str]:
        return [name for name in self.performance.columns if name not in JUDGED or name == "quality_flags"]


def _read_before(was: Column) -> list[Column]:
    none = F.array().cast("array<string>")
    return [none.alias("reasons"), none.alias("halts"), F.lit(False).alias("is_new"), was.alias("was")]


def others_of(replaced: Replaced, tables: StoredTables) -> Others | None:
    """Return the rows of a source that stay beside a delivery, or None where there are none."""
    performance, terminations, deliveries = tables.performance, tables.terminations, tables.deliveries
    if performance is None or terminations is None or deliveries is None:
        return None
    others = performance.where(~replaced.expr())
    superseded = tables.superseded
    if superseded is not None:
        superseded = superseded.where(~replaced.expr())
        superseded = None if superseded.isEmpty() else superseded
    if superseded is None and others.isEmpty():
        return None
    left = terminations.where(~replaced.expr())
    days = deliveries.select("delivery", "delivered_at")
    return Others(others, left, superseded, performance.where(replaced.expr()), days)


def days_of_terms(replaced: Replaced, tables: StoredTables) -> DataFrame | None:
    """Return ``loan_id`` and ``stored_at``, the day of delivery, of the published terms beside a delivery.

    None where no terms are published; terms without a day are left out.
    """
    if tables.loans is None or tables.deliveries is None:
        return None
    days = tables.deliveries.where(F.col("delivered_at").isNotNull())
    days = days.select("delivery", F.col("delivered_at").alias("stored_at"))
    terms = tables.loans.where(~replaced.expr() & ~F.array_contains("quality_flags", NO_TERMS))
    return terms.join(F.broadcast(days), "delivery").select("loan_id", "stored_at")
