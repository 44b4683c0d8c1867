"""Which months of the panel a run has to write, and from where it can go on."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.features.changes import LastRun, changed_months, changed_rows, last_inputs
from loanbook.features.macro_known import MacroKnown
from loanbook.features.months import last_day, month_number
from loanbook.features.tape import Tape
from loanbook.runs import Run
from loanbook.tables import base
from loanbook.tables.base import Table
from loanbook.tables.feature_state import FEATURE_STATE
from loanbook.tables.features import FEATURES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE

log = logging.getLogger(__name__)

RECORD = "panel"  # in the details of the run's row
# What features read of a report; who delivered it and when is not among it.
REPORT_COLUMNS = (
    "state", "months_delinquent", "upb", "rate", "remaining_term", "modified", "payment", "statement",
    "credit_limit", "quality_flags", "default_status", "default_episode", "default_entry",
)  # fmt: skip
TERM_COLUMNS = tuple(
    name
    for name in LOANS.column_names
    if name not in ("source", "loan_id", "slice", "delivery", "line", "known_on")
)


@dataclass(frozen=True)
class Step:
    """What a run writes.

    Args:
        first_month: number of the first month to write.
        last_month: of the last one.
        built: the last month that the running state has seen; None: the panel is made from the beginning.
        corrected: ``loan_id`` of the loans whose earlier months changed: they are made from their beginning.
        stale: the first month that a correction makes stale; None without corrections.
    """

    first_month: int
    last_month: int
    built: int | None = None
    corrected: DataFrame | None = None
    stale: int | None = None

    @property
    def months(self) -> int:
        """Return how many months are written."""
        return max(self.last_month - self.first_month + 1, 0)


def plan_step(
    run: Run, tape: Tape, month: int, made_with: Mapping[str, Any], macro: MacroKnown | None
) -> Step:
    """Return what has to be written so that every month up to ``month`` is as the inputs now say.

    Raises:
        InputError: the published panel was made with another catalogue or other settings.
    """
    whole = Step(tape.first_month, month)
    last = (
        last_inputs(run, run.job, tape.source) if run.exists(FEATURES) and run.exists(FEATURE_STATE) else None
    )
    if last is None or run.as_of is None:
        return whole
    panel = last.details[RECORD]
    _require_same(panel["made_with"], made_with)
    built = month_number(date.fromisoformat(panel["last_month"]))
    _log_from_here(last, built)
    if panel["macro"] != macro_digest(macro, built):
        log.warning("macro known in months already built has changed: every month is built again")
        return Step(tape.first_month, max(month, built))
    corrections = _corrections(run, tape, last, built)
    if corrections is None:
        return Step(tape.first_month, max(month, built))
    stale = corrections.agg(F.min("as_of_date").alias("first")).collect()[0]["first"]
    if stale is None:
        return Step(built + 1, month, built)
    corrected = corrections.select("loan_id").distinct()
    first = month_number(stale)
    log.warning(
        "corrections to %d loans make the months from %s to %s stale: these loans' rows are built again",
        corrected.count(), stale, last_day(built),
    )  # fmt: skip
    return Step(first, max(month, built), built, corrected, first)


def macro_digest(macro: MacroKnown | None, month: int) -> str:
    """Return 12 hex digits over all that was known of the economy in the months up to ``month``."""
    if macro is None:
        return "none"
    months = month + 1 - macro.first_month
    known = [macro.values[name][:, : max(months, 0)] for name in sorted(macro.values)]
    content = [
        ",".join(macro.areas).encode(),
        str(macro.first_month).encode(),
        *(np.ascontiguousarray(v).tobytes() for v in known),
    ]
    return hashlib.sha256(b"|".join(content)).hexdigest()[:12]


def _require_same(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    differ = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    if differ:
        raise InputError(
            required="published features made with "
            + ", ".join(f"{name} {now.get(name)}" for name in differ),
            found=", ".join(f"{name} {before.get(name)}" for name in differ),
            do="rebuild every month: run build-features without --as-of",
        )


def _log_from_here(last: LastRun, built: int) -> None:
    log.info("going on from %s, built by %s", last_day(built), last.run_id)


def _corrections(run: Run, tape: Tape, last: LastRun, built: int) -> DataFrame | None:
    """Return loan and month of the reports up to ``built`` that changed; None where that cannot be told."""
    until = F.col("as_of_date") <= F.lit(last_day(built))
    versions = last.inputs[PERFORMANCE.name], run.inputs[PERFORMANCE.name]
    months = changed_months(run.spark, run.storage, PERFORMANCE, *versions)
    if months is None:
        log.warning("the log no longer has the performance last built from: every month is built again")
        return None
    before, whole = (_of_source(run, PERFORMANCE, version, tape) for version in versions)
    written = sorted(month for month in months if month <= last_day(built))
    key = ["loan_id", "as_of_date"]
    before, now = (rows.where(F.col("as_of_date").isin(written)) for rows in (before, whole))
    changed = changed_rows(before, now, key, REPORT_COLUMNS) if written else whole.select(*key).limit(0)
    terms = _changed_terms(run, tape, last)
    if terms is None:
        return changed
    return changed.unionByName(whole.where(until).join(terms, "loan_id", "left_semi").select(*key))


def _changed_terms(run: Run, tape: Tape, last: LastRun) -> DataFrame | None:
    """Return the loans whose terms changed, None without any; new ones have no earlier month."""
    versions = last.inputs[LOANS.name], run.published[LOANS.name]
    if versions[0] == versions[1]:
        return None
    before, now = (_of_source(run, LOANS, version, tape) for version in versions)
    changed = changed_rows(before, now, ["loan_id"], TERM_COLUMNS).join(before, "loan_id", "left_semi")
    return None if changed.isEmpty() else F.broadcast(changed)


def _of_source(run: Run, table: Table, version: int, tape: Tape) -> DataFrame:
    return base.read(run.spark, run.storage, table, version).where(F.col("source") == tape.source)
