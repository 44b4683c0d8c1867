"""The job ``ingest_macro``: economic series, each value with the day it became known."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.path_forms import local_path
from loanbook.quality.delivery_gates import assert_few_rejected, assert_layout
from loanbook.quality.rejected import by_reason, warn_of
from loanbook.quality.tally import Tally, tallies
from loanbook.quality.unread_series import unread_series
from loanbook.sources.canonical.frames import keeper
from loanbook.sources.canonical.macro import (
    assert_macro_mapping,
    macro_lines,
    macro_values,
    rejected_cells,
    with_cells,
)
from loanbook.sources.landing.columns import columns_left_out, required_layouts
from loanbook.sources.landing.find_files import find_files
from loanbook.sources.landing.landing import Landed, by_tasks, landed_files
from loanbook.sources.mapping.macro_mapping import MacroMapping
from loanbook.sources.mapping.mapping_files import load_mapping
from loanbook.sources.publishing.deliveries import (
    Row,
    deliveries_frame,
    delivery_rows,
    reconciled,
    stored_rows,
)
from loanbook.sources.publishing.macro_revisions import assert_in_order, missing_months, with_revisions
from loanbook.sources.publishing.order import parse_day
from loanbook.sources.publishing.quarantined import frequent_reasons, quarantine_rows
from loanbook.sources.publishing.replaced import Replaced
from loanbook.tables.columns import of_source
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.macro import MACRO
from loanbook.tables.quarantine import QUARANTINE
from loanbook.warehouse.delta import assert_unique
from loanbook.warehouse.runs import Run
from loanbook.warehouse.session import named

log = logging.getLogger(__name__)

ABOUT = {
    "period_months": 1, "slice_holds": "cohorts", "history": "reported",
    "sampling": "population", "outcome": None,
}  # fmt: skip


def ingest_macro(run: Run, *, files: Sequence[str], delivered_at: str | None = None) -> dict[str, Any]:
    """Publish the series of a source.

    Without a day of delivery the files replace all that is published of the source, each value known after
    its series' lag. With one they add to it: values that changed are kept as revisions, known from that day.

    Args:
        run: the job's run.
        files: files and folders.
        delivered_at: day of delivery; by default from the files' names.

    Returns:
        Values, lines by fate, first and last month of each series, the months that it lacks in between, and
        the series that no feature reads.

    Raises:
        InputError: the mapping or a file is not as required; nothing is published.
        GateRefused: too many lines were rejected; nothing is published.
    """
    mapping = load_mapping(MacroMapping, run.source)
    run.source = mapping.name
    day = parse_day(delivered_at)
    found = find_files(files, mapping.files)
    assert_macro_mapping(run.spark, mapping)
    run.hold(QUARANTINE, MACRO, DELIVERIES)
    stored = stored_rows(run.read_source(DELIVERIES, mapping.name))
    folder = local_path(run.settings.paths.landing, "paths.landing") / run.run_id
    with landed_files(mapping.name, found, folder, day, None, by_tasks(run.spark)) as landed:
        day = max((file.delivered_at for file in landed if file.delivered_at is not None), default=None)
        assert_in_order(day, stored)
        keep = keeper(folder)
        lines = keep(macro_lines(run.spark, landed), "lines")
        with named(run.spark, f"{run.job}: read series and judge each line"):
            counted = tallies(lines)
        _assert_counts(landed, lines, counted, run.settings.ingest.max_quarantined_share)
        values = macro_values(lines, mapping.lag_months)
        assert_unique(values, MACRO)
        before = run.read_source(MACRO, mapping.name)
        if day is None or before is None:
            stored = []
        else:
            values = with_revisions(values, before, day)
        values = keep(values, "values")
        _publish(run, mapping, landed, counted, lines, values, stored)
        if any(tally.quarantined for tally in counted.values()):
            warn_of(by_reason(lines), "macro")
        cells = rejected_cells(lines)
        for why, count in cells.items():
            log.warning("values not taken: %d, %s (see show-quarantine)", count, why)
        details = {
            **_details(mapping, counted, values),
            "rejected_cells": cells,
            "columns_left_out": columns_left_out(landed),
        }
        for name in ("lines", "published", "quarantined", "set_aside"):
            run.count(name, details[name])
        return details


def _assert_counts(
    files: Sequence[Landed], lines: DataFrame, counted: Mapping[str, Tally], limit: float
) -> None:
    for file in files:
        assert_layout(file.name, required_layouts(file), file.delimiter, counted[file.delivery])
    assert_few_rejected(counted, limit, lambda delivery: frequent_reasons(lines, delivery))


def _publish(
    run: Run,
    mapping: MacroMapping,
    files: Sequence[Landed],
    counted: Mapping[str, Tally],
    lines: DataFrame,
    values: DataFrame,
    stored: Sequence[Row],
) -> None:
    """Write the three tables; ``stored`` are the rows of earlier files whose values stay."""
    here = of_source(mapping.name)
    rows = delivery_rows(files, counted, ABOUT)
    run.evidence["files"] = reconciled(rows)
    new = {row["delivery"] for row in rows}
    earlier = [row for row in stored if row["delivery"] not in new]
    rejected = Replaced(mapping.name, (), tuple(sorted(new))).sql() if stored else here
    run.replace(QUARANTINE, quarantine_rows(with_cells(lines), files, run.run_id), rejected)
    run.replace(MACRO, values, here)
    run.replace(DELIVERIES, deliveries_frame(run.spark, [*rows, *earlier], run.run_id), here)


def _details(mapping: MacroMapping, counted: Mapping[str, Tally], values: DataFrame) -> dict[str, Any]:
    spans = values.groupBy("series").agg(
        F.count("*").alias("values"), F.min("as_of_date").alias("first"), F.max("as_of_date").alias("last")
    )
    return {
        "source": mapping.name,
        "lines": sum(tally.distinct_lines for tally in counted.values()),
        "published": sum(tally.published for tally in counted.values()),
        "quarantined": sum(tally.quarantined for tally in counted.values()),
        "set_aside": sum(tally.set_aside for tally in counted.values()),
        "series": {
            row["series"]: [row["values"], str(row["first"]), str(row["last"])] for row in spans.collect()
        },
        "missing_months": missing_months(values),
        "series_no_feature_reads": unread_series(series for file in mapping.files for series in file.values),
    }
