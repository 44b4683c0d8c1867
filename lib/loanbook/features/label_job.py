"""The job that builds labels and outcomes."""

from typing import Any

from pyspark.sql import functions as F

from loanbook.errors import LoanbookError
from loanbook.features.book import loans_in_book
from loanbook.features.job import one_file_a_month
from loanbook.features.labels import label_rows
from loanbook.features.months import last_day, with_month
from loanbook.features.outcomes import outcome_rows
from loanbook.features.tape import Tape, read_tape
from loanbook.runs import Run
from loanbook.session import named
from loanbook.tables import base
from loanbook.tables.labels import LABELS
from loanbook.tables.outcomes import OUTCOMES


def build_labels(run: Run) -> dict[str, Any]:
    """Build the labels and outcomes of a source, every cohort of it.

    Raises:
        InputError: no such source, or no complete month; nothing is written.
        LoanbookError: the rows written are not the loans in the book.
    """
    with named(run.spark, "build-labels: read"):
        tape = read_tape(run)
    stale_months = run.settings.book.stale_months
    where = f"source = '{tape.source}'"
    labels = label_rows(tape.performance, tape.last_month, stale_months, tape.period_months)
    run.restore_unpublished(LABELS, OUTCOMES)
    run.replace(LABELS, one_file_a_month(labels), where)
    run.replace(OUTCOMES, outcome_rows(tape.performance, tape.last_month).coalesce(1), where)
    return _checked(run, tape, where)


def _checked(run: Run, tape: Tape, where: str) -> dict[str, Any]:
    """Check the rows just written, before the run publishes them, and describe them."""
    labels = base.read(run.spark, run.storage, LABELS, run.outputs[LABELS.name]).where(where)
    outcomes = base.read(run.spark, run.storage, OUTCOMES, run.outputs[OUTCOMES.name]).where(where)
    last = last_day(tape.last_month)
    with named(run.spark, "build-labels: check"):
        base.assert_unique(labels, LABELS)
        base.assert_unique(outcomes, OUTCOMES)
        by_status = labels.groupBy("label_status").agg(
            F.count(F.lit(1)).alias("rows"),
            F.sum("default_12m").alias("defaults"),
            F.count_if(F.col("as_of_date") == F.lit(last)).alias("now"),
        )
        found = {row["label_status"]: row for row in by_status.collect()}
        expected = loans_in_book(
            with_month(tape.performance), tape.last_month, run.settings.book.stale_months
        )
        run.count("outcomes", outcomes.count())
    now = sum(row["now"] for row in found.values())
    if now != expected:
        raise LoanbookError(f"labels at {last}: {now} rows for {expected} loans in the book")
    return _described(run, tape, found)


def _described(run: Run, tape: Tape, found: dict[str, Any]) -> dict[str, Any]:
    counts = {status: int(row["rows"]) for status, row in sorted(found.items())}
    run.count("loan_months", sum(counts.values()))
    labelled = counts.get("observed", 0)
    defaults = int(found["observed"]["defaults"]) if labelled else 0
    rate = defaults / labelled if labelled else None
    if rate is not None:
        run.metric("default_rate_12m", rate)
    return {
        "source": tape.source,
        "label_status": counts,
        "default_12m": defaults,
        "default_rate_12m": rate,
        "last_matured_month": str(last_day(tape.last_month - 12)),
        "last_complete_month": str(last_day(tape.last_month)),
    }
