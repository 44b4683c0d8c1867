"""The job that builds labels and outcomes."""

import logging
from collections import Counter
from typing import Any

from pyspark.sql import functions as F

from loanbook.book.membership import loans_in_book, one_file_a_month
from loanbook.book.months import last_day
from loanbook.errors import LoanbookError
from loanbook.features.plan.tape import RECORD as TAPE_RECORD
from loanbook.features.plan.tape import Tape
from loanbook.features.read import read_tape
from loanbook.labels.fixed_horizon import label_rows
from loanbook.labels.outcomes import outcome_rows
from loanbook.labels.plan import RECORD, Counts, Plan, plan_labels
from loanbook.tables.columns import of_source
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.labels import LABELS, MAIN_HORIZON
from loanbook.tables.outcomes import OUTCOMES
from loanbook.warehouse import delta
from loanbook.warehouse.runs import Run
from loanbook.warehouse.session import named

log = logging.getLogger(__name__)


def build_labels(run: Run) -> dict[str, Any]:
    """Build the labels of a source's cohorts that can differ from those last published, and its outcomes.

    These are the cohorts that are new, of which a horizon has passed since, or that performance made of
    corrected months labels. Outcomes have no month to tell what changed: all are built again.

    Raises:
        InputError: no such source, or no complete month; nothing is written.
        LoanbookError: the rows written are not the loans in the book.
    """
    run.require(DELIVERIES, made_by="ingest-tapes")
    run.hold(LABELS)
    with named(run.spark, "build-labels: read"):
        tape = read_tape(run)
        since = tape.since if run.exists(LABELS) else None
        plan = plan_labels(tape, since, run.settings.book, run.settings.default_definition.id)
    cohorts, outcomes = plan.kept, plan.outcomes
    if plan.reasons:
        _write(run, tape, plan)
        with named(run.spark, "build-labels: check"):
            cohorts = plan.kept | _checked_labels(run, tape, plan)
            outcomes = _checked_outcomes(run, tape.source)
    run.evidence[RECORD] = plan.record(cohorts, outcomes)
    run.evidence[TAPE_RECORD] = tape.record(run.inputs, run.settings.default_definition.id)
    run.count("months_written", len(plan.reasons))
    run.count("outcomes", outcomes)
    return {**_described(run, tape, cohorts), "months_by_reason": plan.by_reason}


def _write(run: Run, tape: Tape, plan: Plan) -> None:
    labels = label_rows(tape.performance, plan.calendar, None if plan.whole else plan.reasons)
    outcomes = outcome_rows(tape.performance, tape.last_month)
    run.replace(LABELS, one_file_a_month(labels), plan.where)
    run.replace(OUTCOMES, outcomes.coalesce(1), of_source(tape.source))


def _checked_labels(run: Run, tape: Tape, plan: Plan) -> Counts:
    """Check the rows just written, before the run publishes them, and count them by cohort and status."""
    labels = delta.read(run.spark, run.storage, LABELS, run.outputs[LABELS.name]).where(plan.where)
    delta.assert_unique(labels, LABELS)
    bad = F.sum(F.coalesce("default_12m", "tape_outcome"))  # a row has one of them at most
    counted = labels.groupBy("as_of_date", "label_status").agg(
        F.count(F.lit(1)).alias("rows"), F.coalesce(bad, F.lit(0)).alias("defaults")
    )
    cohorts: Counts = {}
    for row in counted.collect():
        cohort = cohorts.setdefault(str(row["as_of_date"]), {})
        cohort[row["label_status"]] = [int(row["rows"]), int(row["defaults"])]
    if tape.last_month in plan.reasons:
        _require_whole_book(run, tape, cohorts)
    return cohorts


def _require_whole_book(run: Run, tape: Tape, cohorts: Counts) -> None:
    last = last_day(tape.last_month)
    found = sum(rows for rows, _ in cohorts.get(str(last), {}).values())
    expected = loans_in_book(tape.performance, tape.last_month, tape.stale_months(run.settings.book))
    if found != expected:
        raise LoanbookError(f"labels at {last}: {found} rows for {expected} loans in the book")


def _checked_outcomes(run: Run, source: str) -> int:
    outcomes = delta.read(run.spark, run.storage, OUTCOMES, run.outputs[OUTCOMES.name])
    of_source = outcomes.where(F.col("source") == source)
    delta.assert_unique(of_source, OUTCOMES)
    return int(of_source.count())


def _described(run: Run, tape: Tape, cohorts: Counts) -> dict[str, Any]:
    """Describe the labels of every cohort, those of earlier runs too."""
    rows: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    for by_status in cohorts.values():
        rows.update({status: counted[0] for status, counted in by_status.items()})
        bad.update({status: counted[1] for status, counted in by_status.items()})
    run.count("loan_months", sum(rows.values()))
    defaults = bad["observed"]
    rate = defaults / rows["observed"] if rows["observed"] else None
    if rate is not None:
        run.metric("default_rate_12m", rate)
    return {
        "source": tape.source,
        "label_status": dict(sorted(rows.items())),
        "default_12m": defaults,
        "default_rate_12m": rate,
        **_described_outcome(tape, rows["tape_outcome"], bad["tape_outcome"]),
        "last_matured_month": str(last_day(tape.last_month - MAIN_HORIZON)),
        "last_complete_month": str(last_day(tape.last_month)),
    }


def _described_outcome(tape: Tape, rows: int, bad: int) -> dict[str, Any]:
    """Describe what the tape itself says became of its loans, where it does."""
    if tape.outcome is None:
        return {}
    log.info("the tape has its own outcome: %s; it labels %d rows, %d of them bad", tape.outcome, rows, bad)
    return {
        "outcome": str(tape.outcome),
        "tape_outcome": bad,
        "tape_outcome_rate": bad / rows if rows else None,
    }
