"""Files that only add fields to the lines of others: read, judged, and joined by their key."""

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from loanbook.errors import InputError
from loanbook.quality.checks import all_reasons, failed
from loanbook.quality.history_checks import CONFLICTING
from loanbook.sources.canonical.fields import empty_fields
from loanbook.sources.canonical.line_fates import conflicts, differs
from loanbook.sources.landing.file_names import EVERY_SLICE
from loanbook.sources.landing.landing import Landed
from loanbook.sources.mapping.expressions import assert_valid
from loanbook.sources.mapping.file_spec import FileSpec
from loanbook.warehouse.changes import content_hash_expr


def judged_lookup(fields: DataFrame, spec: FileSpec) -> DataFrame:
    """Return the lines of a lookup with their ``fate``, their ``key``, and their fields as one struct.

    A line without a key or with an unreadable field is quarantined; of one key in one slice the last line of
    the latest delivery is published, ready to be joined, and those before it are superseded; where one of the
    same file says something else, ``quality_flags`` says so.
    """
    lines = fields.select(
        *(F.col(f"_{name}").alias(name) for name in ("source", "slice", "delivery", "delivered_at", "line")),
        F.col("_found_fields").alias("found_fields"),
        F.col("_text").alias("text"),
        F.expr(spec.key or "NULL").cast("string").alias("key"),
        F.struct(*(F.col(f"`{name}`") for name in spec.all_fields)).alias("fields"),
        F.col("_reasons"),
        F.col("_flags").alias("quality_flags"),
    )
    reasons = all_reasons(failed({"missing_key": F.col("key").isNull()}))
    judged = lines.withColumn("reasons", reasons).drop("_reasons")
    accepted = F.size("reasons") == 0
    same_key = Window.partitionBy("slice", accepted, "key").orderBy(
        F.col("delivered_at").asc_nulls_first(), "delivery", "line"
    )
    is_last = F.lead("line").over(same_key).isNull()
    fate = F.when(~accepted, "quarantined").when(is_last, "published").otherwise("superseded")
    said = judged.withColumns({"fate": fate, "_said": content_hash_expr(judged, ["fields"])})
    told = said.withColumn("_differs", differs(same_key, ("delivery",)))
    conflicting = accepted & conflicts(same_key, ("delivery",))
    flags = F.concat("quality_flags", failed({CONFLICTING: conflicting}))
    return told.withColumn("quality_flags", flags).drop("_said", "_differs")


def with_lookups(fields: DataFrame, spec: FileSpec, lookups: Mapping[str, DataFrame]) -> DataFrame:
    """Return the lines of a file, each lookup that it joins as a struct of that name, null where none fits.

    Args:
        fields: lines of ``spec``.
        spec: says by which expression each lookup is joined.
        lookups: name to the lookup's judged lines.
    """
    for name, by in spec.joins.items():
        ready = lookups[name].where(F.col("fate") == "published")
        other = ready.select(
            F.col("slice").alias("_lookup_slice"),
            F.col("key").alias("_lookup_key"),
            F.col("fields").alias(name),
        )
        same_slice = F.col("_lookup_slice").isin(EVERY_SLICE) | (F.col("_lookup_slice") == F.col("_slice"))
        same_key = F.col("_lookup_key") == F.expr(by).cast("string")
        fields = fields.join(other, same_key & same_slice, "left").drop("_lookup_slice", "_lookup_key")
    return fields


def empty_with_lookups(spark: SparkSession, spec: FileSpec, specs: Sequence[FileSpec]) -> DataFrame:
    """Return a frame without rows that has a spec's fields and those of the lookups that it joins."""
    frame = empty_fields(spark, spec)
    for other in specs:
        if other.kind == "lookup" and other.name in spec.joins:
            kind = F.struct(*(F.col(f"`{name}`") for name in other.all_fields))
            shape = empty_fields(spark, other).select(kind.alias("fields")).schema["fields"].dataType
            frame = frame.withColumn(other.what, F.lit(None).cast(shape))
    return frame


def assert_lookups(spark: SparkSession, specs: Sequence[FileSpec], lines: Mapping[str, str]) -> None:
    """Check the keys of lookups, and the expressions by which files join them.

    Raises:
        InputError: names the key of the first that Spark does not understand.
    """
    for number, spec in enumerate(specs):
        keys = {f"files.{number}.joins.{name}": text for name, text in spec.joins.items()}
        if spec.key is not None:
            keys[f"files.{number}.key"] = spec.key
        if keys:
            assert_valid(empty_fields(spark, spec), keys, f"the {spec.what} file", lines)


def assert_delivered(files: Sequence[Landed]) -> None:
    """Check that every file comes with the lookups that it joins: without them its fields would be missing.

    Raises:
        InputError: names the first that is lacking.
    """
    there = {(file.spec.what, file.slice) for file in files}
    for file in files:
        for name in file.spec.joins:
            if not {(name, file.slice), (name, EVERY_SLICE)} & there:
                raise InputError(
                    required=f"the {name} file of slice {file.slice}, which {file.name} is joined with",
                    found="none in this delivery",
                    do="deliver the files of a slice together",
                )
