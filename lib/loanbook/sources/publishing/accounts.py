"""The accounts of a judged delivery: its rows by fate, reason and flag, and the gates that they must pass."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loanbook.quality.gates import assert_few_rejected, assert_few_repeated, assert_layout, assert_no_halt
from loanbook.quality.rejected import (
    Rejected,
    assert_no_class_lost,
    by_flag,
    by_reason,
    lost_classes,
    warn_of,
)
from loanbook.quality.tally import Tally, tallies
from loanbook.sources.landing.columns import required_layouts
from loanbook.sources.publishing.judge import Judged
from loanbook.sources.publishing.quarantined import frequent_reasons
from loanbook.warehouse.runs import Run
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


def accounted(run: Run, judged: Judged) -> Accounts:
    """Count what became of the rows of a delivery, and log what was rejected.

    Raises:
        InputError: a file has another layout throughout.
    """
    new = judged.months.where("is_new")
    by_kind = {"performance": new, **judged.lookups}
    if judged.loans is not None:
        by_kind["loans"] = judged.loans
    with named(run.spark, f"{run.job}: count lines by fate"):
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


def assert_accepted(run: Run, judged: Judged, accounts: Accounts, *, whole: bool) -> None:
    """Check that what was rejected is little, and no class of rows as a whole.

    Args:
        run: the job's run.
        judged: the delivery.
        accounts: of its rows.
        whole: whether it is more than some lines that come again.

    Raises:
        GateRefused: too many lines of a delivery, or all of a class, were rejected, too many have the same
            key, or one of them halts.
    """
    limits = run.settings.ingest
    for lines_of in (accounts.counted, accounts.of_terms):
        assert_no_halt(lines_of)
        assert_few_rejected(
            lines_of, limits.max_quarantined_share, lambda delivery: frequent_reasons(judged.lines, delivery)
        )
    assert_few_repeated(accounts.counted, limits.max_repeated_share)
    if whole and "performance" in accounts.rejected:
        new = judged.months.where("is_new")
        rows = sum(accounts.counted[file.delivery].rows for file in judged.files_of("performance"))
        with named(run.spark, f"{run.job}: find classes that were rejected as a whole"):
            lost = lost_classes(new)
        assert_no_class_lost(lost, rows, limits.max_lost_class_share)
