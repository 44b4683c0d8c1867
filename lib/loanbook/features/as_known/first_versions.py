"""Reports as they were known: of loans with late or corrected months, a history for each epoch.

An epoch of a loan is a run of months that share what was known of the months before each; most loans have
one version of every report, known in its own month, and need none. Within an epoch a month's own report
enters in that month, so the engine can go through the epoch's history as through any other loan's, and write
the epoch's months only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from loanbook.book.default_status import with_default_status
from loanbook.book.months import LOAN, month_expr
from loanbook.features.as_known.entries import Group
from loanbook.features.engine.knowledge_period import NO_END, epoch_key_expr, loan_id_expr
from loanbook.quality.history_checks import NAMES, HistoryCheck, Severity
from loanbook.settings.book import DefaultDefinition
from loanbook.sources.canonical.line_fates import counting_order, with_performance_fate
from loanbook.tables.performance import PERFORMANCE
from loanbook.warehouse.changes import content_hash_expr

Keep = Callable[[DataFrame], DataFrame]
# What features read of a version, before its history is judged.
_SAID = tuple(name for name in PERFORMANCE.filled_by("mapping", "attributes") if name not in PERFORMANCE.key)
CONTENT = (*_SAID, "_flags")
VERSION = (
    *LOAN, "as_of_date", "delivered_at", "is_new", "delivery", "line", "slice", "known_on", "tape_outcome",
    "quality_flags", *_SAID,
)  # fmt: skip


@dataclass(frozen=True)
class Restated:
    """Loans of which today's reports are not, in every month to write, what was known.

    Args:
        loans: ``loan_id`` of each.
        epochs: their ``loan_id`` and the ``name`` that each goes by in an epoch.
        reports: of ``performance``, with that name as ``loan_id``.
    """

    loans: DataFrame
    epochs: DataFrame
    reports: DataFrame

    def others(self, rows: DataFrame) -> DataFrame:
        """Return the rows of all other loans."""
        return rows.join(self.loans, "loan_id", "left_anti")

    def terms(self, loans: DataFrame) -> DataFrame:
        """Return the loans' terms once for each epoch."""
        named = loans.join(self.epochs, "loan_id").withColumn("loan_id", F.col("name"))
        return named.select(*loans.columns)

    def with_others(self, performance: DataFrame, loans: DataFrame) -> tuple[DataFrame, DataFrame]:
        """Return reports and terms of all loans: of each of these once for each epoch."""
        reports = self.others(performance.select(*PERFORMANCE.column_names)).unionByName(self.reports)
        return reports, self.others(loans).unionByName(self.terms(loans))

    def last_known(self) -> DataFrame:
        """Return the reports known in the last month, with the loans' own ids."""
        last = self.reports.where(F.endswith("loan_id", F.lit(str(NO_END))))
        return last.withColumn("loan_id", loan_id_expr("loan_id"))


def versions_of(performance: DataFrame, superseded: DataFrame | None, deliveries: DataFrame) -> DataFrame:
    """Return every version of reports; ``is_new`` is the one in force, but for exits, of its month."""
    days = F.broadcast(deliveries.select("delivery", "delivered_at"))
    frames = [performance.withColumn("is_new", F.lit(True))]
    if superseded is not None:
        frames.append(superseded.withColumn("is_new", F.col("fate") != "superseded"))
    shaped = [frame.join(days, "delivery", "left").select(*VERSION) for frame in frames]
    return shaped[0] if len(shaped) == 1 else shaped[0].unionByName(shaped[1])


def with_entries(entries: Mapping[Group, int]) -> Callable[[DataFrame], DataFrame]:
    """Add to versions their ``month`` and ``enters``, the month from which each is known (see entries.py)."""

    def add(versions: DataFrame) -> DataFrame:
        rows = [(*group[1:], month) for group, month in entries.items()]
        known = versions.sparkSession.createDataFrame(
            rows, "delivery STRING, as_of_date DATE, known_on DATE, enters INT"
        )
        joined = versions.join(F.broadcast(known), ["delivery", "as_of_date", "known_on"])
        return joined.withColumn("month", month_expr("as_of_date"))

    return add


def effective(versions: DataFrame) -> DataFrame:
    """Return the versions that were in force in some month and said something new; add ``leaves``.

    That is the month from which the next one is in force, null of the last. A version known no sooner than
    one that counts after it never was.
    """
    after = _of_month().rowsBetween(1, Window.unboundedFollowing)
    left = versions.withColumn("leaves", F.min("enters").over(after))
    held = left.where(F.col("leaves").isNull() | (F.col("enters") < F.col("leaves")))
    own_flags = F.array_except("quality_flags", F.array(*map(F.lit, NAMES)))
    flagged = held.withColumn("_flags", own_flags)
    hashed = flagged.withColumn("_content", content_hash_expr(flagged, CONTENT)).drop("_flags")
    same = F.lag("_content").over(_of_month()).eqNullSafe(F.col("_content"))
    told = hashed.withColumn("_same", same).where(~F.col("_same")).drop("_same", "_content")
    return told.withColumn("leaves", F.lead("enters").over(_of_month()))


def epochs_of(versions: DataFrame) -> DataFrame:
    """Return the epochs of loans from their effective versions: ``begins``, ``ends`` and ``name``.

    One begins with the loan's first known report, and where a version enters that is not of its own month.
    The last one has no end.
    """
    of_loan = Window.partitionBy(*LOAN).orderBy("begins")
    first = F.min("enters").over(Window.partitionBy(*LOAN))
    is_new = (F.col("enters") > F.col("month")) | (F.col("enters") == F.col("_first"))
    begins = versions.withColumn("_first", first).where(is_new)
    months = begins.select(*LOAN, F.col("enters").alias("begins")).distinct()
    ends = F.coalesce(F.lead("begins").over(of_loan) - 1, F.lit(NO_END))
    spans = months.withColumn("ends", ends)
    return spans.withColumn("name", epoch_key_expr(F.col("begins"), F.col("ends")))


def histories(versions: DataFrame, epochs: DataFrame) -> DataFrame:
    """Return the effective versions that were known in each epoch, with its name as ``loan_id``."""
    known = (F.col("enters") <= F.col("ends")) & (
        F.col("leaves").isNull() | (F.col("leaves") > F.col("begins"))
    )
    rows = versions.join(epochs, list(LOAN)).where(known)
    return rows.withColumn("loan_id", F.col("name")).drop("name", "begins", "ends")


def judged(
    definition: DefaultDefinition, checks: Mapping[HistoryCheck, Severity], period_months: int, keep: Keep
) -> Callable[[DataFrame], DataFrame]:
    """Return rows of ``performance`` of histories, judged as ingest would have judged them."""

    def judge(rows: DataFrame) -> DataFrame:
        none = F.array().cast("array<string>")
        lines = rows.withColumns({"reasons": none, "halts": none, "is_new": F.lit(False)})
        fated = with_performance_fate(lines, checks, period_months)
        published = keep(fated.where(F.col("fate") == "published"))
        return published.transform(with_default_status(definition)).select(*PERFORMANCE.column_names)

    return judge


def _of_month() -> WindowSpec:
    """Return the versions of a loan and month, in the order in which they count."""
    return Window.partitionBy(*LOAN, "as_of_date").orderBy(*counting_order())
