"""Which months of the panel a run has to write, and from where it can go on."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.features.changes import changed_rows
from loanbook.features.macro_known import MacroKnown
from loanbook.features.months import last_day, month_number
from loanbook.features.saved_state import layout_id
from loanbook.features.tape import Since, Tape
from loanbook.runs import Run
from loanbook.tables import base
from loanbook.tables.base import Table
from loanbook.tables.feature_state import FEATURE_STATE
from loanbook.tables.features import FEATURES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE

log = logging.getLogger(__name__)

MOST_FOLLOWED = 100_000  # loans: their names go to every task; beyond, a build of every month is as fast
GONE = "FILE_NOT_EXIST"  # what Spark says of a file that VACUUM removed
RECORD = "panel"  # in the details of the run's row
# What features read of a report; who delivered it and when is not among it.
REPORT_COLUMNS = (
    "state", "months_delinquent", "upb", "rate", "remaining_term", "modified", "payment", "statement",
    "credit_limit", "quality_flags", "default_status", "default_episode",
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
        corrected: ``loan_id`` of the loans whose earlier months changed since the last run, which are made
            from their beginning; kept until the job lets go of it.
    """

    first_month: int
    last_month: int
    built: int | None = None
    corrected: DataFrame | None = None

    @property
    def months(self) -> int:
        """Return how many months are written."""
        return max(self.last_month - self.first_month + 1, 0)

    @property
    def restates(self) -> bool:
        """Return whether months that are built already are written again."""
        return self.built is not None and self.first_month <= self.built


@dataclass(frozen=True)
class Panel:
    """The panel last published.

    Args:
        since: the run that built it, and what changed since.
        record: what that run noted of it.
        built: number of its last month.
    """

    since: Since
    record: dict[str, Any]
    built: int


def last_panel(run: Run, tape: Tape) -> Panel | None:
    """Return the panel of a source as its last run left it; None where none can be gone on from."""
    if tape.since is None or not (run.exists(FEATURES) and run.exists(FEATURE_STATE)):
        return None
    record = dict(tape.since.run.details[RECORD])
    built = month_number(date.fromisoformat(record["last_month"]))
    if built > tape.last_month:
        log.warning(
            "months are built up to %s and complete up to %s: every month is built again",
            last_day(built), last_day(tape.last_month),
        )  # fmt: skip
        return None
    return Panel(tape.since, record, built)


def _state_fits(run: Run, tape: Tape, panel: Panel) -> bool:
    """Return whether the published running state is that after the panel's last month, in this layout."""
    state = run.read(FEATURE_STATE, made_by="build-features").where(F.col("source") == tape.source)
    fits = (F.col("as_of_date") == F.lit(last_day(panel.built))) & (F.col("layout") == layout_id())
    return state.where(~fits).isEmpty()


def plan_step(
    run: Run,
    tape: Tape,
    month: int,
    panel: Panel | None,
    made_with: Mapping[str, Any],
    macro: MacroKnown | None,
) -> Step:
    """Return what has to be written so that every month up to ``month`` is as the inputs now say.

    With knowledge ``as_known`` the months already built stay as they are, whatever was corrected since.

    Args:
        run: the job's run.
        tape: the source's performance.
        month: number of the last month that the panel is to have, none before its present last one.
        panel: the one to go on from; None: every month is built.
        made_with: what all months of a panel share.
        macro: what was known of the economy up to ``month``.

    Raises:
        InputError: the published panel was made with another catalogue or other settings.
    """
    whole = Step(tape.first_month, month)
    if panel is None:
        return whole
    _require_same(panel.record["made_with"], made_with)
    if panel.record["macro"] != macro_digest(macro, panel.built):
        log.warning("macro known in months already built has changed: every month is built again")
        return whole
    if not _state_fits(run, tape, panel):
        log.warning("the running state is not of the last month built: every month is built again")
        return whole
    restate = run.settings.features.knowledge == "latest"
    return _after_corrections(_corrections(run, tape, panel), panel, month, restate) or whole


def _after_corrections(corrections: DataFrame | None, panel: Panel, month: int, restate: bool) -> Step | None:
    """Return the step that follows corrections forward; None where every month is to be built again."""
    loans = None if corrections is None else _first_by_loan(corrections)
    if loans is None:
        log.warning("the performance last built from is no longer kept: every month is built again")
        return None
    found = loans.agg(F.count(F.lit(1)).alias("loans"), F.min("first").alias("first")).collect()[0]
    if 0 < found["loans"] <= MOST_FOLLOWED and not restate:
        return Step(panel.built + 1, month, panel.built, loans)
    if 0 < found["loans"] <= MOST_FOLLOWED:
        log.warning(
            "corrections to %d loans make the months from %s to %s stale: these loans' rows are built again",
            found["loans"], found["first"], last_day(panel.built),
        )  # fmt: skip
        return Step(month_number(found["first"]), month, panel.built, loans)
    loans.unpersist()
    if not found["loans"]:
        return Step(panel.built + 1, month, panel.built)
    log.warning("corrections to %d loans, from %s on: every month is built again", *found)
    return None


def _first_by_loan(corrections: DataFrame) -> DataFrame | None:
    """Return each loan's first corrected month, kept; None where files of the older version are gone."""
    loans = corrections.groupBy("loan_id").agg(F.min("as_of_date").alias("first")).persist()
    try:
        loans.count()
    except Py4JJavaError as error:
        loans.unpersist()
        if GONE not in str(error):
            raise
        return None
    return loans


def state_inputs(run: Run, panel: Panel | None, step: Step) -> dict[str, int]:
    """Return the versions of the tables that the running state is made from, for the run's row.

    Where corrections wait for a month to be written, they are those of the run before.
    """
    if panel is not None and step.corrected is not None and not step.months:
        return panel.since.inputs
    return {table.name: run.inputs[table.name] for table in (PERFORMANCE, LOANS)}


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


def _corrections(run: Run, tape: Tape, panel: Panel) -> DataFrame | None:
    """Return loan and month of the reports of built months that changed; None where that cannot be told."""
    until = F.col("as_of_date") <= F.lit(last_day(panel.built))
    versions = panel.since.inputs[PERFORMANCE.name], run.inputs[PERFORMANCE.name]
    if panel.since.months is None:
        return None
    written = sorted(month for month in panel.since.months if month <= last_day(panel.built))
    key = ["loan_id", "as_of_date"]
    whole = [_of_source(run, PERFORMANCE, version, tape) for version in versions]
    before, now = (rows.where(F.col("as_of_date").isin(written)) for rows in whole)
    changed = changed_rows(before, now, key, REPORT_COLUMNS) if written else whole[1].select(*key).limit(0)
    terms = _changed_terms(run, tape, panel)
    if terms is None:
        return changed
    return changed.unionByName(whole[1].where(until).join(terms, "loan_id", "left_semi").select(*key))


def _changed_terms(run: Run, tape: Tape, panel: Panel) -> DataFrame | None:
    """Return the loans whose terms changed, None without any; new ones have no earlier month."""
    versions = panel.since.inputs[LOANS.name], run.published[LOANS.name]
    if versions[0] == versions[1]:
        return None
    before, now = (_of_source(run, LOANS, version, tape) for version in versions)
    changed = changed_rows(before, now, ["loan_id"], TERM_COLUMNS).join(before, "loan_id", "left_semi")
    return None if changed.isEmpty() else F.broadcast(changed)


def _of_source(run: Run, table: Table, version: int, tape: Tape) -> DataFrame:
    return base.read(run.spark, run.storage, table, version).where(F.col("source") == tape.source)
