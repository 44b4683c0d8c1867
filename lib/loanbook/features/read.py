"""What the jobs of features and labels read, each table at the version that is published."""

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.features.as_known.restated import Versions, versions_read
from loanbook.features.catalogue.table import FEATURES
from loanbook.features.engine.macro_by_month import MacroKnown
from loanbook.features.panel.neighbourhood_counts import counts_go_on
from loanbook.features.panel.write import rows_kept
from loanbook.features.plan.corrections import Before, months_written
from loanbook.features.plan.increment import Panel, Step, last_panel
from loanbook.features.plan.macro_read import known_of
from loanbook.features.plan.tape import DELIVERED, RECORD, Since, Tape, sources_of, tape_of
from loanbook.tables.base import Table
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.feature_state import FEATURE_STATE
from loanbook.tables.loans import LOANS
from loanbook.tables.macro import MACRO
from loanbook.tables.neighbourhood import NEIGHBOURHOOD
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.superseded import SUPERSEDED
from loanbook.warehouse import delta
from loanbook.warehouse.changes import changed_months, last_inputs
from loanbook.warehouse.commits import changed_files
from loanbook.warehouse.runs import Run

MADE_BY = "ingest-tapes"


def read_tape(run: Run) -> Tape:
    """Return the performance of the run's source, with the months that its deliveries complete.

    Raises:
        InputError: no such source, no complete month, or rows of another default definition than set.
    """
    deliveries = run.read(DELIVERIES, made_by=MADE_BY).select(*DELIVERED).collect()
    source = run.choose_source(sources_of(deliveries), PERFORMANCE)
    performance = run.read(PERFORMANCE, made_by=MADE_BY).where(F.col("source") == source)
    definition = run.settings.default_definition.id
    return tape_of(source, deliveries, performance, _since(run, source), definition)


def _since(run: Run, source: str) -> Since | None:
    last = last_inputs(run, source)
    if last is None or RECORD not in last.details:
        return None
    inputs = last.details[RECORD]["inputs"]
    versions = inputs[PERFORMANCE.name], run.inputs[PERFORMANCE.name]
    months = changed_months(run.spark, run.storage, PERFORMANCE, *versions)
    return Since(last, inputs, last.details[RECORD]["found"], months)


def read_loans(run: Run, source: str) -> DataFrame:
    """Return the terms of the source's loans."""
    return run.read(LOANS, made_by=MADE_BY).where(F.col("source") == source)


def read_macro(run: Run, last_month: int) -> MacroKnown | None:
    """Return what was known of the economy up to a month, None where no macro was ingested.

    Raises:
        InputError: two sources give the same series, or one ends before the month.
    """
    if not run.exists(MACRO):
        return None
    macro = run.read(MACRO, made_by="ingest-macro")
    return known_of(macro, run.settings.features.macro_sources, last_month)


def read_panel(run: Run, tape: Tape) -> Panel | None:
    """Return the panel to bring up to ``run.as_of``; None where every month is to be built."""
    if run.as_of is None or not (run.exists(FEATURES) and run.exists(FEATURE_STATE)):
        return None
    return last_panel(tape, run.settings.features)


def read_before(run: Run, tape: Tape, panel: Panel) -> Before | None:
    """Return performance and terms as the panel was made from them, of tables where rows of these changed.

    None where the log no longer has those versions.
    """
    if panel.since.months is None:
        return None
    reports_changed, terms_changed = months_written(tape, panel.built), _any_went(run, LOANS, panel.since)
    try:
        return Before(
            performance=_before(run, PERFORMANCE, panel.since, tape.source) if reports_changed else None,
            loans=_before(run, LOANS, panel.since, tape.source) if terms_changed else None,
        )
    except AnalysisException as error:
        if "time travel" not in str(error):
            raise
        return None


def _any_went(run: Run, table: Table, since: Since) -> bool:
    """Return whether rows of a table may have gone or changed since: whether a file of it went."""
    files = changed_files(run.spark, run.storage, table, since.inputs[table.name], run.inputs[table.name])
    return files is None or bool(files.went)


def _before(run: Run, table: Table, since: Since, source: str) -> DataFrame:
    rows = delta.read(run.spark, run.storage, table, since.inputs[table.name])
    return rows.where(F.col("source") == source)


def read_versions(run: Run, tape: Tape, step: Step) -> Versions:
    """Return every version of the source's reports that was read."""
    superseded = run.read_source(SUPERSEDED, tape.source)
    deliveries = run.read(DELIVERIES, made_by=MADE_BY).where(F.col("source") == tape.source)
    return versions_read(tape, superseded, deliveries, step)


def read_state(run: Run, tape: Tape, step: Step) -> DataFrame | None:
    """Return the running state to go on from, None where every month is built."""
    if step.built is None:
        return None
    return run.read(FEATURE_STATE, made_by="build-features").where(F.col("source") == tape.source)


def read_counts(run: Run, tape: Tape, step: Step) -> DataFrame | None:
    """Return the published counts of the source's cells, None where none can be gone on from."""
    return run.read_source(NEIGHBOURHOOD, tape.source) if counts_go_on(tape, step) else None


def read_kept(run: Run, tape: Tape, step: Step) -> DataFrame | None:
    """Return the published rows of the step's months that stay as they are, None without any."""
    if not step.restates or step.corrected is None:
        return None
    published = run.read(FEATURES, made_by="build-features").where(F.col("source") == tape.source)
    return rows_kept(published, step, step.corrected)
