"""The job that builds the feature panel."""

from datetime import date
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.errors import InputError, LoanbookError
from loanbook.features.book import loans_in_book
from loanbook.features.catalogue import FEATURES as CATALOGUE
from loanbook.features.catalogue import catalogue_id
from loanbook.features.feature import PanelInputs
from loanbook.features.macro_known import known_macro
from loanbook.features.months import last_day, month_number, with_month
from loanbook.features.panel import feature_panel
from loanbook.features.tape import MADE_BY, Tape, read_tape
from loanbook.runs import Run
from loanbook.session import named
from loanbook.tables import base
from loanbook.tables.features import FEATURES
from loanbook.tables.loans import LOANS
from loanbook.tables.macro import MACRO


def build_features(run: Run) -> dict[str, Any]:
    """Build the features of every month of a source, or of ``run.as_of`` alone.

    Raises:
        InputError: no such source or month, or macro sources that overlap; nothing is written.
        LoanbookError: the rows written are not the loans in the book.
    """
    with named(run.spark, "build-features: read"):
        tape = read_tape(run)
        month = tape.last_month if run.as_of is None else _month_in_range(tape, run.as_of)
        inputs = panel_inputs(run, tape, month)
    panel = feature_panel(inputs)
    where = f"source = '{tape.source}'"
    if run.as_of is not None:
        _require_same_catalogue(run)
        panel = panel.where(F.col("as_of_date") == F.lit(run.as_of))
        where += f" AND as_of_date = DATE'{run.as_of}'"
    run.restore_unpublished(FEATURES)
    run.replace(FEATURES, one_file_a_month(panel), where)
    return _checked(run, tape, month, where)


def panel_inputs(run: Run, tape: Tape, month: int) -> PanelInputs:
    """Return what the panel up to ``month`` is built from, without any later row."""
    known = tape.performance.where(F.col("as_of_date") <= F.lit(last_day(month)))
    return PanelInputs(
        performance=known,
        loans=run.read(LOANS, made_by=MADE_BY).where(F.col("source") == tape.source),
        macro=_known_macro(run, month),
        last_month=month,
        stale_months=run.settings.book.stale_months,
        rebuilt=tape.rebuilt,
        case_control=tape.case_control,
    )


def one_file_a_month(rows: DataFrame) -> DataFrame:
    """Return rows arranged so that each month is written as one file, in the order of its loans."""
    return rows.repartition("as_of_date").sortWithinPartitions("as_of_date", "loan_id")


def _month_in_range(tape: Tape, as_of: date) -> int:
    month = month_number(as_of)
    if as_of == last_day(month) and tape.first_month <= month <= tape.last_month:
        return month
    raise InputError(
        required=f"--as-of with a month end of {tape.source}, "
        f"from {last_day(tape.first_month)} to {last_day(tape.last_month)}",
        found=str(as_of),
        do="choose one of these months, or ingest the month that is lacking",
    )


def _known_macro(run: Run, last_month: int) -> pd.DataFrame | None:
    """Return what was known of the economy in each month, None where no macro was ingested.

    Raises:
        InputError: two sources give the same series.
    """
    if not run.exists(MACRO):
        return None
    macro = run.read(MACRO, made_by="ingest-macro")
    wanted = run.settings.features.macro_sources
    if wanted:
        macro = macro.where(F.col("source").isin(*wanted))
    sources = macro.groupBy("region", "series").agg(F.collect_set("source").alias("sources"))
    overlap = sources.where(F.size("sources") > 1).orderBy("series", "region").first()
    if overlap is not None:
        raise InputError(
            required="one macro source for each series",
            found=f"{overlap['series']} of {overlap['region']} from {', '.join(sorted(overlap['sources']))}",
            do="name the sources to use in features.macro_sources",
        )
    columns = ("region", "series", "as_of_date", "known_on", "value")
    return known_macro(macro.select(*columns).toPandas(), last_month)


def _require_same_catalogue(run: Run) -> None:
    if not run.exists(FEATURES):
        return
    published = run.read(FEATURES, made_by="build-features").select("catalogue_id").distinct().collect()
    found = {row["catalogue_id"] for row in published} - {catalogue_id()}
    if found:
        raise InputError(
            required=f"published features of the present catalogue {catalogue_id()}",
            found=f"features of catalogue {', '.join(sorted(found))}",
            do="rebuild every month: run build-features without --as-of",
        )


def _checked(run: Run, tape: Tape, month: int, where: str) -> dict[str, Any]:
    """Check the rows just written, before the run publishes them, and describe them."""
    written = base.read(run.spark, run.storage, FEATURES, run.outputs[FEATURES.name]).where(where)
    with named(run.spark, "build-features: check"):
        base.assert_unique(written, FEATURES)
        by_month = {
            row["as_of_date"]: row["count"] for row in written.groupBy("as_of_date").count().collect()
        }
        expected = loans_in_book(with_month(tape.performance), month, run.settings.book.stale_months)
    found = by_month.get(last_day(month), 0)
    if found != expected:
        raise LoanbookError(f"features at {last_day(month)}: {found} rows for {expected} loans in the book")
    run.count("loan_months", sum(by_month.values()))
    run.count("loans_in_book", expected)
    return {
        "source": tape.source,
        "first_month": str(min(by_month, default=last_day(month))),
        "last_month": str(last_day(month)),
        "features": len(CATALOGUE),
        "catalogue_id": catalogue_id(),
        "macro": run.exists(MACRO),
    }
