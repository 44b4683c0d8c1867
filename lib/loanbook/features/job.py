"""The job that builds the feature panel."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from pyspark import inheritable_thread_target
from pyspark.sql import DataFrame

from loanbook.book.membership import loans_in_book
from loanbook.book.months import last_day
from loanbook.errors import LoanbookError
from loanbook.features.as_known.first_versions import Keep, Restated
from loanbook.features.as_known.restated import WAITING, last_reports, restated_loans, waiting
from loanbook.features.catalogue.registry import FEATURES as CATALOGUE
from loanbook.features.catalogue.registry import catalogue_id
from loanbook.features.engine.macro_by_month import MacroKnown, macro_digest
from loanbook.features.engine.partition import Plan
from loanbook.features.engine.saved_state import layout_id
from loanbook.features.panel.inputs import PanelInputs
from loanbook.features.panel.neighbourhood_counts import (
    RULE,
    Counts,
    count_neighbourhood,
    counted_with,
    counts_frame,
    stored_counts,
)
from loanbook.features.panel.parts import panel_parts
from loanbook.features.panel.rows import Stamp
from loanbook.features.panel.write import write_panel
from loanbook.features.plan.corrections import corrections
from loanbook.features.plan.increment import (
    RECORD,
    Panel,
    Step,
    can_go_on,
    month_in_range,
    state_inputs,
    step_on,
)
from loanbook.features.plan.tape import RECORD as TAPE_RECORD
from loanbook.features.plan.tape import Tape
from loanbook.features.read import (
    read_before,
    read_counts,
    read_kept,
    read_loans,
    read_macro,
    read_panel,
    read_state,
    read_tape,
    read_versions,
)
from loanbook.settings.settings import Settings
from loanbook.tables.columns import of_source
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.feature_state import FEATURE_STATE
from loanbook.tables.neighbourhood import NEIGHBOURHOOD
from loanbook.warehouse.runs import Run
from loanbook.warehouse.session import named


def build_features(run: Run) -> dict[str, Any]:
    """Build the features of every month of a source, or bring them up to ``run.as_of``.

    With ``run.as_of`` the job goes on from the running state of the last month built, and reads the months
    after it, and those that were written again since. Loans with corrected months are followed forward from
    the first of them; the log says which months were stale. The rows are those of a build of every month, to
    the last bit.

    With knowledge ``as_known`` no month becomes stale: corrections and late months are followed forward from
    the month in which they were known, for which every version of the reports is looked at.

    Raises:
        InputError: no such source or month, macro that overlaps or ends before the book does, or a published
            panel of another catalogue or other settings; nothing is written.
        LoanbookError: the rows written are not the loans in the book.
    """
    run.require(DELIVERIES, made_by="ingest-tapes")
    run.hold(FEATURE_STATE)
    with named(run.spark, "build-features: read"):
        tape = read_tape(run)
        month = tape.last_month if run.as_of is None else month_in_range(tape, run.as_of)
        loans = read_loans(run, tape.source)
        panel = read_panel(run, tape)
        month = month if panel is None else max(month, panel.built)
        macro = read_macro(run, month)
        made_with = _made_with(run.settings, tape)
        step = _step(run, tape, loans, month, panel, made_with, macro)
    try:
        counts: dict[date, int] = {}
        if step.months:
            counts = _written(run, tape, loans, macro, step)
        else:
            run.evidence[WAITING] = waiting(tape)
    finally:
        if step.corrected is not None:
            step.corrected.unpersist()
    run.evidence[RECORD] = {
        "made_with": made_with, "last_month": str(last_day(month)), "macro": macro_digest(macro, month),
    }  # fmt: skip
    definition = run.settings.default_definition.id
    run.evidence[TAPE_RECORD] = tape.record(state_inputs(run.inputs, panel, step), definition)
    return _described(run, tape, step, counts, macro)


def _step(
    run: Run,
    tape: Tape,
    loans: DataFrame,
    month: int,
    panel: Panel | None,
    made_with: dict[str, Any],
    macro: MacroKnown | None,
) -> Step:
    """Return what has to be written so that every month up to ``month`` is as the inputs now say."""
    whole, settings = Step(tape.first_month, month), run.settings.features
    if panel is None or not can_go_on(panel, made_with, macro, settings):
        return whole
    before = read_before(run, tape, panel)
    found = None if before is None else corrections(tape, loans, before, panel.built)
    return step_on(panel, found, month, settings) or whole


def _written(run: Run, tape: Tape, loans: DataFrame, macro: MacroKnown | None, step: Step) -> dict[date, int]:
    """Write the step's months and check the last one; return the rows of each."""
    kept: list[DataFrame] = []

    def keep(frame: DataFrame) -> DataFrame:
        kept.append(frame.persist())
        return kept[-1]

    try:
        restated, around = None, None
        if run.settings.features.knowledge == "as_known":
            with named(run.spark, "build-features: what was known"):
                restated = _restated(run, tape, loans, step, keep)
        with ThreadPoolExecutor(max_workers=1) as beside:  # of a small book neither fills the cores
            count = inheritable_thread_target(run.spark)(_loans_in_book)
            in_book = beside.submit(count, run, tape, last_reports(tape, step.last_month, restated), step)
            if not tape.rebuilt:
                stored = stored_counts(read_counts(run, tape, step), _counted_with(run.settings))
                around = count_neighbourhood(tape, loans, restated, step, stored)
        inputs = PanelInputs(
            tape.performance,
            loans,
            _plan(run.settings, tape, step, macro, around),
            _stamp(run.settings, tape),
        )
        parts = panel_parts(inputs, step, restated, read_state(run, tape, step))
        counts = write_panel(run, parts, step, in_book.result(), read_kept(run, tape, step))
        _require_whole_book(step.last_month, counts, in_book.result())
    finally:
        for frame in kept:
            frame.unpersist()
    if around is not None and len(around.new):
        rows = counts_frame(run.spark, around.every, tape.source, _counted_with(run.settings))
        run.replace(NEIGHBOURHOOD, rows, of_source(tape.source))
    return counts


def _restated(run: Run, tape: Tape, loans: DataFrame, step: Step, keep: Keep) -> Restated | None:
    versions = read_versions(run, tape, step)
    run.evidence[WAITING] = versions.not_yet_known(step.last_month)
    return restated_loans(tape, loans, versions, step, run.settings.default_definition, keep)


def _counted_with(settings: Settings) -> dict[str, Any]:
    return counted_with(settings.default_definition.id, settings.features.knowledge)


def _plan(
    settings: Settings, tape: Tape, step: Step, macro: MacroKnown | None, around: Counts | None
) -> Plan:
    months = step.first_month, step.last_month
    reports = settings.features.neighbourhood_weight / tape.period_months
    counted = None if around is None else around.known(*months, reports)
    return Plan(*months, tape.stale_months(settings.book), tape.period_months, macro, counted)


def _stamp(settings: Settings, tape: Tape) -> Stamp:
    flags = {"rebuilt_history": tape.rebuilt, "case_control": tape.case_control}
    return Stamp(
        source=tape.source,
        definition=settings.default_definition.id,
        catalogue=catalogue_id(),
        knowledge=settings.features.knowledge,
        flags=tuple(name for name, holds in flags.items() if holds),
        barred=tape.rebuilt,
    )


def _made_with(settings: Settings, tape: Tape) -> dict[str, Any]:
    """Return what all months of a published panel must share."""
    return {
        "feature catalogue": catalogue_id(),
        "rule of counting neighbourhood": RULE,
        "layout of the running state": layout_id(),
        "default definition": settings.default_definition.id,
        "book.stale_months": tape.stale_months(settings.book),
        "features.knowledge": settings.features.knowledge,
        "features.neighbourhood_weight": settings.features.neighbourhood_weight,
        "months of a period": tape.period_months,
        "months of the book": "ends of periods",
        "rebuilt history": tape.rebuilt,
        "case-control sample": tape.case_control,
    }


def _loans_in_book(run: Run, tape: Tape, reports: DataFrame, step: Step) -> int:
    with named(run.spark, "build-features: count the book"):
        loans = loans_in_book(reports, step.last_month, tape.stale_months(run.settings.book))
    run.count("loans_in_book", loans)
    return loans


def _require_whole_book(month: int, counts: dict[date, int], loans: int) -> None:
    found = counts.get(last_day(month), 0)
    if found != loans:
        raise LoanbookError(f"features at {last_day(month)}: {found} rows for {loans} loans in the book")


def _described(
    run: Run, tape: Tape, step: Step, counts: dict[date, int], macro: MacroKnown | None
) -> dict[str, Any]:
    run.count("loan_months", sum(counts.values()))
    run.count("months_written", len(counts))
    again = [str(last_day(step.first_month)), str(last_day(step.built or 0))] if step.restates else None
    return {
        "source": tape.source,
        "first_month": str(min(counts, default=last_day(step.first_month))),
        "last_month": str(last_day(step.last_month)),
        "months_made_again": again,
        "features": len(CATALOGUE),
        "catalogue_id": catalogue_id(),
        "macro": macro is not None,
    }
