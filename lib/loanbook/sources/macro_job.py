"""The job ``ingest_macro``: economic series, each value with the day it became known."""

import logging
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from loanbook.path_forms import local_path
from loanbook.quality.checks import all_reasons, failed, required_columns, table_constraints
from loanbook.quality.gates import assert_few_rejected, assert_layout
from loanbook.quality.misfits import NOT_FINITE, finite, not_finite
from loanbook.quality.rejected import by_reason, warn_of
from loanbook.quality.tally import Tally, tallies
from loanbook.quality.unread_series import unread_series
from loanbook.sources.canonical.fields import assert_rows, empty_fields, read_fields
from loanbook.sources.canonical.frames import keeper
from loanbook.sources.landing.columns import columns_left_out, required_layouts
from loanbook.sources.landing.files import find_files
from loanbook.sources.landing.landing import Landed, by_tasks, landed_files
from loanbook.sources.mapping.expressions import assert_valid, fields_read
from loanbook.sources.mapping.macro_mapping import MacroFileSpec, MacroMapping
from loanbook.sources.mapping.mapping_files import load_mapping
from loanbook.sources.publishing.deliveries import (
    Row,
    deliveries_frame,
    delivery_rows,
    reconciled,
    stored_rows,
)
from loanbook.sources.publishing.order import parse_day
from loanbook.sources.publishing.quarantined import frequent_reasons, quarantine_rows
from loanbook.sources.publishing.replaced import Replaced
from loanbook.sources.publishing.revisions import assert_in_order, missing_months, with_revisions
from loanbook.sources.publishing.stored import published
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
    _assert_mapping(run.spark, mapping)
    run.hold(QUARANTINE, MACRO, DELIVERIES)
    stored = stored_rows(run, mapping.name)
    folder = local_path(run.settings.paths.landing, "paths.landing") / run.run_id
    with landed_files(mapping.name, found, folder, day, None, by_tasks(run.spark)) as landed:
        day = max((file.delivered_at for file in landed if file.delivered_at is not None), default=None)
        assert_in_order(day, stored)
        keep = keeper(folder)
        lines = keep(_lines(run.spark, landed), "lines")
        with named(run.spark, f"{run.job}: read series and judge each line"):
            counted = tallies(lines)
        _assert_counts(run, landed, lines, counted)
        values = _values(lines, mapping.lag_months)
        assert_unique(values, MACRO)
        before = published(run, MACRO, mapping.name)
        if day is None or before is None:
            stored = []
        else:
            values = with_revisions(values, before, day)
        values = keep(values, "values")
        _publish(run, mapping, landed, counted, lines, values, stored)
        if any(tally.quarantined for tally in counted.values()):
            warn_of(by_reason(lines), "macro")
        cells = _rejected_cells(lines)
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


def _assert_mapping(spark: SparkSession, mapping: MacroMapping) -> None:
    assert_rows(spark, mapping.files, mapping.lines)
    for number, spec in enumerate(mapping.files):
        named_ = {"region": spec.region, "month": spec.month} | {
            f"values.{series}": text for series, text in spec.values.items()
        }
        if spec.known_on is not None:
            named_["known_on"] = spec.known_on
        keyed = {f"files.{number}.{key}": text for key, text in named_.items()}
        assert_valid(empty_fields(spark, spec), keyed, f"the file {spec.pattern}", mapping.lines)


def _lines(spark: SparkSession, files: Sequence[Landed]) -> DataFrame:
    """Return each line with its region, month, the values of its series, and its fate."""
    specs = {id(file.spec): file.spec for file in files}.values()
    frames = [
        _judged(read_fields(spark, [file for file in files if file.spec is spec]), spec)
        for spec in specs
        if isinstance(spec, MacroFileSpec)
    ]
    return reduce(DataFrame.unionByName, frames)


def _judged(fields: DataFrame, spec: MacroFileSpec) -> DataFrame:
    """Return the lines with their fate, their values, and ``cells``: why some of their values are not taken.

    What is wrong with a field that only values are read from costs those values, not the line.
    """
    series = [
        F.struct(F.lit(name).alias("series"), finite(F.expr(text).try_cast("double")).alias("value"))
        for name, text in spec.values.items()
    ]
    of_values = F.array(*map(F.lit, _reasons_of_values(spec)))
    lines = fields.select(
        *(F.col(f"_{name}").alias(name) for name in ("source", "slice", "delivery", "line", "text")),
        F.col("_found_fields").alias("found_fields"),
        F.expr(spec.region).alias("region"),
        F.last_day(F.expr(spec.month)).alias("as_of_date"),
        (F.lit(None) if spec.known_on is None else F.expr(spec.known_on)).cast("date").alias("stated_on"),
        F.filter(F.array(*series), lambda item: item["value"].isNotNull()).alias("values"),
        F.array_except("_reasons", of_values).alias("_reasons"),
        F.array_distinct(
            F.concat(
                F.array_intersect("_reasons", of_values),
                F.filter("_flags", lambda flag: flag.startswith(NOT_FINITE)),
                failed(not_finite(fields, [(name, text, "double") for name, text in spec.values.items()])),
            )
        ).alias("cells"),
    )
    checks = required_columns(MACRO, ["region", "as_of_date"]) | table_constraints(MACRO, ["as_of_date"])
    checks.pop("known_after_month", None)  # the lag may be what makes it known
    checks["known_before_its_month"] = F.col("stated_on") < F.col("as_of_date")
    of_line = all_reasons(failed(checks))
    # A line of which no value is left has the reasons of its cells.
    reasons = F.when((F.size(of_line) == 0) & (F.size("values") == 0), F.col("cells")).otherwise(of_line)
    return lines.withColumn("reasons", reasons).withColumn("fate", _fate()).drop("_reasons")


def _reasons_of_values(spec: MacroFileSpec) -> list[str]:
    """Return the reasons that a reader gives for fields from which nothing but values is read."""
    names = list(spec.all_fields)
    of_line = {
        name for text in (spec.region, spec.month, spec.known_on or "") for name in fields_read(text, names)
    }
    read = {name for text in spec.values.values() for name in fields_read(text, names)} - of_line
    return [f"{why}_{name}" for name in sorted(read) for why in ("unreadable", "decimals")]


def _fate() -> Column:
    rejected, empty = F.size("reasons") > 0, F.size("values") == 0
    return F.when(rejected, "quarantined").when(empty, "set_aside").otherwise("published")


def _with_cells(lines: DataFrame) -> DataFrame:
    """Return the lines for quarantine: a line of which only cells were rejected is there for these alone."""
    of_cells = (F.col("fate") == "published") & (F.size("cells") > 0)
    return lines.withColumns(
        {
            "reasons": F.when(of_cells, F.col("cells")).otherwise(F.col("reasons")),
            "fate": F.when(of_cells, "quarantined").otherwise(F.col("fate")),
            "of_row": ~of_cells,
        }
    )


def _rejected_cells(lines: DataFrame) -> dict[str, int]:
    """Return the values that were not taken, by why, of lines of which others were."""
    of_cells = lines.where(F.col("fate") == "published").select(F.explode("cells").alias("why"))
    return {row["why"]: row["count"] for row in of_cells.groupBy("why").count().orderBy("why").collect()}


def _values(lines: DataFrame, lag_months: Mapping[str, int]) -> DataFrame:
    """Return one row for each value, known on its stated day, else at the end of the month its lag later."""
    stay = lines.where(F.col("fate") == "published")
    rows = stay.select("source", "region", "as_of_date", "delivery", "stated_on", F.inline("values"))
    lags = F.create_map(*(F.lit(part) for pair in lag_months.items() for part in pair))
    after_lag = F.last_day(F.add_months("as_of_date", lags[F.col("series")]))
    return rows.withColumn("known_on", F.coalesce("stated_on", after_lag)).select(*MACRO.column_names)


def _assert_counts(run: Run, files: Sequence[Landed], lines: DataFrame, counted: Mapping[str, Tally]) -> None:
    for file in files:
        assert_layout(file.name, required_layouts(file), file.delimiter, counted[file.delivery])
    limit = run.settings.ingest.max_quarantined_share
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
    run.replace(QUARANTINE, quarantine_rows(_with_cells(lines), files, run.run_id), rejected)
    run.replace(MACRO, values, here)
    run.replace(DELIVERIES, deliveries_frame(run, [*rows, *earlier]), here)


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
