"""Which loans need histories of what was known, and these."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.book.months import last_day
from loanbook.book.periods import period_ends
from loanbook.features.as_known.entries import Delivered, Group, entry_months
from loanbook.features.as_known.first_versions import (
    Keep,
    Restated,
    effective,
    epochs_of,
    histories,
    judged,
    versions_of,
    with_entries,
)
from loanbook.features.plan.increment import Step
from loanbook.features.plan.tape import Tape
from loanbook.quality.history_checks import severities
from loanbook.settings.book import DefaultDefinition

log = logging.getLogger(__name__)

WAITING = "not_yet_known"  # in the details of the run's row: reports that the running state has not seen


@dataclass(frozen=True)
class Versions:
    """Every version of a source's reports.

    Args:
        rows: those in force and, where there are any, those that are not.
        deliveries: of the source.
        entries: the month from which each group of versions is known, of months up to the last to write.
    """

    rows: Sequence[DataFrame]
    deliveries: DataFrame
    entries: Mapping[Group, int]

    def not_yet_known(self, month: int) -> list[list[str]]:
        """Return the groups that are not known by the end of a month, for the run's row."""
        return [group.row() for group, known in self.entries.items() if known > month]


def versions_read(tape: Tape, superseded: DataFrame | None, deliveries: DataFrame, step: Step) -> Versions:
    """Return every version of a source's reports, ``superseded`` those that are not in force."""
    rows = [tape.performance] if superseded is None else [tape.performance, superseded]
    return Versions(rows, deliveries, _entries(rows, deliveries, tape, step))


def restated_loans(
    tape: Tape, loans: DataFrame, versions: Versions, step: Step, definition: DefaultDefinition, keep: Keep
) -> Restated | None:
    """Return the loans whose reports were known otherwise in a month to write; None where there are none.

    Of months already built nothing is asked: a loan is among them if a version became known after both its
    own month and the last one built, or was not yet known to the run before, or if the step corrects it.
    """
    waited = set(map(Group.of, waiting(tape))) if step.built is not None else set()
    late = [
        group
        for group, month in versions.entries.items()
        if month > max(group.month, step.built or 0) or group in waited
    ]
    if not late and step.corrected is None:
        return None
    wanted = keep(_loans_of(versions.rows, late, step.corrected))
    own = [rows.join(wanted, "loan_id", "left_semi") for rows in versions.rows]
    shaped = versions_of(own[0], own[1] if own[1:] else None, versions.deliveries)
    told = keep(effective(shaped.transform(with_entries(versions.entries))))
    unlike = _unlike_today(told, step)
    found = keep(unlike.unionByName(_loans_of(versions.rows, [*waited], None)).distinct())
    log.info("loans whose reports were known otherwise, made from their beginning: %d", found.count())
    known = told.where(F.col("enters") <= step.last_month).join(found, "loan_id", "left_semi")
    epochs = keep(epochs_of(known).where(F.col("ends") >= step.first_month))
    checks = severities(_product(loans), {})
    reports = histories(known, epochs).transform(judged(definition, checks, tape.period_months, keep))
    return Restated(found, epochs.select("loan_id", "name"), keep(reports))


def waiting(tape: Tape) -> list[list[str]]:
    """Return the reports that the running state has not seen, as the run before noted them."""
    return [] if tape.since is None else list(tape.since.run.details.get(WAITING, []))


def _entries(
    versions: Sequence[DataFrame], deliveries: DataFrame, tape: Tape, step: Step
) -> Mapping[Group, int]:
    """Return the month from which each group of versions is known, of months up to the step's last."""
    groups = {Group(*row) for rows in versions for row in rows.select(*Group._fields).distinct().collect()}
    full: dict[str, dict[str, date]] = {}
    # An older file that came late replaces none.
    full_ones = (F.col("scope") == "full") & (F.col("published") > 0)
    dated = deliveries.where(full_ones & F.col("delivered_at").isNotNull())
    for row in dated.select("slice", "delivery", "delivered_at").collect():
        full.setdefault(row["slice"], {})[row["delivery"]] = row["delivered_at"]
    delivered = Delivered(full, tape.cohorts)
    months = period_ends(tape.first_month, step.last_month, tape.period_months)
    entries = entry_months(groups, delivered, months)
    return {group: month for group, month in entries.items() if group.month <= step.last_month}


def _loans_of(versions: Sequence[DataFrame], late: Sequence[Group], corrected: DataFrame | None) -> DataFrame:
    """Return ``loan_id`` of loans with a version of one of the groups, and of corrected ones."""
    key = ["delivery", "as_of_date", "known_on"]
    spark = versions[0].sparkSession
    schema = "delivery STRING, as_of_date DATE, known_on DATE"
    groups = F.broadcast(spark.createDataFrame([group[1:] for group in late], schema))
    found = versions[0].select("loan_id").limit(0)
    for rows in versions:
        found = found.unionByName(rows.join(groups, key, "left_semi").select("loan_id"))
    if corrected is not None:
        found = found.unionByName(corrected.select("loan_id"))
    return found.distinct()


def _unlike_today(told: DataFrame, step: Step) -> DataFrame:
    since = F.greatest("month", F.lit(step.built or 0))
    found = told.where(F.col("enters") > since).select("loan_id")
    if step.corrected is not None:
        found = found.unionByName(step.corrected.select("loan_id"))
    return found.distinct()


def _product(loans: DataFrame) -> str:
    row = loans.select("product").first()
    return "mortgage" if row is None else str(row["product"])


def last_reports(tape: Tape, month: int, restated: Restated | None) -> DataFrame:
    """Return the reports from which the book at a month, the last one written, is counted."""
    until = tape.performance.where(F.col("as_of_date") <= F.lit(last_day(month)))
    return until if restated is None else restated.others(until).unionByName(restated.last_known())
