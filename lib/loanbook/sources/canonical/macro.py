"""Files of economic series, line by line: their values, and what becomes of each line."""

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from loanbook.quality.checks import all_reasons, failed, required_columns, table_constraints
from loanbook.quality.misfits import NOT_FINITE, finite, not_finite
from loanbook.sources.canonical.fields import assert_rows, empty_fields, read_fields
from loanbook.sources.landing.landing import Landed
from loanbook.sources.mapping.expressions import assert_valid, fields_read
from loanbook.sources.mapping.macro_mapping import MacroFileSpec, MacroMapping
from loanbook.tables.macro import MACRO
from loanbook.tables.quarantine import QUARANTINE


def assert_macro_mapping(spark: SparkSession, mapping: MacroMapping) -> None:
    """Check every expression of a mapping, on frames without rows.

    Raises:
        InputError: names the key of the first that Spark does not understand.
    """
    assert_rows(spark, mapping.files, mapping.lines)
    for number, spec in enumerate(mapping.files):
        named_ = {"region": spec.region, "month": spec.month} | {
            f"values.{series}": text for series, text in spec.values.items()
        }
        if spec.known_on is not None:
            named_["known_on"] = spec.known_on
        keyed = {f"files.{number}.{key}": text for key, text in named_.items()}
        assert_valid(empty_fields(spark, spec), keyed, f"the file {spec.pattern}", mapping.lines)


def macro_lines(spark: SparkSession, files: Sequence[Landed]) -> DataFrame:
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
        *(F.col(f"_{name}").alias(name) for name in (*QUARANTINE.filled_by("delivery"), "text")),
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


def with_cells(lines: DataFrame) -> DataFrame:
    """Return the lines for quarantine: a line of which only cells were rejected is there for these alone."""
    of_cells = (F.col("fate") == "published") & (F.size("cells") > 0)
    return lines.withColumns(
        {
            "reasons": F.when(of_cells, F.col("cells")).otherwise(F.col("reasons")),
            "fate": F.when(of_cells, "quarantined").otherwise(F.col("fate")),
            "of_row": ~of_cells,
        }
    )


def rejected_cells(lines: DataFrame) -> dict[str, int]:
    """Return the values that were not taken, by why, of lines of which others were."""
    of_cells = lines.where(F.col("fate") == "published").select(F.explode("cells").alias("why"))
    return {row["why"]: row["count"] for row in of_cells.groupBy("why").count().orderBy("why").collect()}


def macro_values(lines: DataFrame, lag_months: Mapping[str, int]) -> DataFrame:
    """Return one row for each value, known on its stated day, else at the end of the month its lag later."""
    stay = lines.where(F.col("fate") == "published")
    rows = stay.select("source", "region", "as_of_date", "delivery", "stated_on", F.inline("values"))
    lags = F.create_map(*(F.lit(part) for pair in lag_months.items() for part in pair))
    after_lag = F.last_day(F.add_months("as_of_date", lags[F.col("series")]))
    return rows.withColumn("known_on", F.coalesce("stated_on", after_lag)).select(*MACRO.column_names)
