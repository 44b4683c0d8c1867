"""The accounts of a judged delivery: its rows by fate, reason and flag, and the gates that they must pass."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.quality.delivery_gates import (
    assert_few_rejected,
    assert_few_repeated,
    assert_layout,
    assert_no_halt,
)
from loanbook.quality.rejected import (
    Rejected,
    assert_no_class_lost,
    by_flag,
    by_reason,
    lost_classes,
    warn_of,
)
from loanbook.quality.tally import Tally, tallies
from loanbook.settings.ingest import IngestSettings
from loanbook.sources.landing.columns import required_layouts
from loanbook.sources.publishing.judge import Judged
from loanbook.sources.publishing.quarantined import frequent_reasons
from loanbook.warehouse.session import named

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Accounts:
    """What became of the rows of a delivery.

    Args:
        counted: the tally of each delivered file.
        of_terms: the same of terms made from lines of performance; a line has the fate of its month.
        rejected: kind of file to the reasons of its rejected rows.
        flagged: kind of file to flag to published rows.
    """

    counted: Mapping[str, Tally]
    of_terms: Mapping[str, Tally]
    rejected: Mapping[str, Sequence[Rejected]]
    flagged: Mapping[str, Mapping[str, int]]


def accounted(judged: Judged) -> Accounts:
    """Count what became of the rows of a delivery, and log what was rejected.

    Raises:
        InputError: a file has another layout throughout.
    """
    new = judged.months.where("is_new")
    by_kind = {"performance": new, **judged.lookups}
    if judged.loans is not None:
        by_kind["loans"] = judged.loans
    with named(new.sparkSession, "ingest_tapes: count lines by fate"):
        several = any(file.spec.rows is not None for file in judged.files)
        tallied = {
            kind: tallies(lines, several=several and kind == "performance") for kind, lines in by_kind.items()
        }
        lost = {kind for kind, tally in tallied.items() if any(one.quarantined for one in tally.values())}
        kept = {kind for kind, tally in tallied.items() if any(one.flagged for one in tally.values())}
        rejected = {kind: by_reason(by_kind[kind]) for kind in sorted(lost)}
        flagged = {kind: by_flag(by_kind[kind]) for kind in sorted(kept)}
    for kind, reasons in rejected.items():
        warn_of(reasons, kind)
    for kind, flags in flagged.items():
        log.info("%s: flagged %s", kind, ", ".join(f"{flag} {rows:,}" for flag, rows in flags.items()))
    for kind, tally in tallied.items():
        if aside := sum(one.set_aside for one in tally.values()):
            log.info("%s: %s rows set aside, after their loan's exit or of no loan month", kind, f"{aside:,}")
    of_terms = tallied.pop("loans", {}) if judged.mapping.derived_terms is not None else {}
    counted = {delivery: one for tally in tallied.values() for delivery, one in tally.items()}
    for file in judged.files:
        assert_layout(file.name, required_layouts(file), file.delimiter, counted[file.delivery])
    return Accounts(counted, of_terms, rejected, flagged)


def assert_accepted(judged: Judged, accounts: Accounts, limits: IngestSettings, *, whole: bool) -> None:
    """Check that what was rejected is little, and no class of rows as a whole.

    Args:
        judged: the delivery.
        accounts: of its rows.
        limits: how much may be rejected.
        whole: whether it is more than some lines that come again.

    Raises:
        GateRefused: too many lines of a delivery, or all of a class, were rejected, too many have the same
            key, or one of them halts.
    """
    for lines_of in (accounts.counted, accounts.of_terms):
        assert_no_halt(lines_of)
        assert_few_rejected(
            lines_of, limits.max_quarantined_share, lambda delivery: frequent_reasons(judged.lines, delivery)
        )
    assert_few_repeated(accounts.counted, limits.max_repeated_share)
    if whole and "performance" in accounts.rejected:
        new = judged.months.where("is_new")
        rows = sum(accounts.counted[file.delivery].rows for file in judged.files_of("performance"))
        with named(new.sparkSession, "ingest_tapes: find classes that were rejected as a whole"):
            lost = lost_classes(new)
        assert_no_class_lost(lost, rows, limits.max_lost_class_share)


def details(judged: Judged, accounts: Accounts) -> dict[str, Any]:
    """Return what the job reports: lines by fate, reason and flag, slices, and the months published."""
    counted = accounts.counted
    files = {
        kind: [counted[file.delivery] for file in judged.files_of(kind)] for kind in ("loans", "performance")
    }
    every = [counted[file.delivery] for file in judged.files]
    months = files["performance"]
    return {
        "source": judged.mapping.name,
        "loan_months": sum(tally.published for tally in months),
        "lines": sum(file.lines for file in judged.files),
        "rows": sum(tally.rows for tally in every),
        "published": sum(tally.published for tally in every),
        "quarantined": sum(tally.quarantined for tally in every),
        "superseded": sum(tally.superseded for tally in every),
        "set_aside": sum(tally.set_aside for tally in every),
        "rejected": {
            kind: {one.reason: one.rows for one in reasons} for kind, reasons in accounts.rejected.items()
        },
        "flagged": accounts.flagged,
        "slices": len(judged.slices),
        "first_month": min((tally.first_month for tally in months if tally.first_month), default=None),
        "last_month": max((tally.last_month for tally in months if tally.last_month), default=None),
    }


def counted_loans(judged: Judged, loans: DataFrame) -> dict[str, int]:
    """Return the number of loans, and of those without any published month."""
    months = judged.published.select("loan_id")
    if judged.others is not None:
        months = months.union(judged.others.performance.select("loan_id"))
    known = loans.select("loan_id").join(
        months.distinct().withColumn("has_months", F.lit(True)), "loan_id", "left"
    )
    row = known.agg(
        F.count(F.lit(1)).alias("loans"),
        F.count_if(F.col("has_months").isNull()).alias("loans_without_months"),
    ).collect()[0]
    return row.asDict()
