"""From a line's text to typed fields, with the name of every check that the line fails."""

import re
from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from loanbook.path_forms import spark_reads
from loanbook.quality.checks import WRONG_LAYOUT, failed, unreadable
from loanbook.quality.misfits import NOT_FINITE, finite
from loanbook.sources.landing.chunks import LANDED_SCHEMA, UNIT_SEPARATOR
from loanbook.sources.landing.columns import positions, required_fields
from loanbook.sources.landing.landing import Landed
from loanbook.sources.landing.text_blocks import ENCODING, UNBALANCED, UNENDED
from loanbook.sources.mapping.decimal_signs import number_text, too_many_decimals
from loanbook.sources.mapping.expressions import assert_valid
from loanbook.sources.mapping.file_spec import FieldType, FileSpec

META = [
    name for field in LANDED_SCHEMA.split(", ") if (name := field.split()[0]) not in ("_damage", "_fields")
]
SPARK_TYPES = {"text": "STRING", "int": "INT", "double": "DOUBLE", "money": "DECIMAL(16,2)", "date": "DATE"}


def read_fields(spark: SparkSession, files: Sequence[Landed]) -> DataFrame:
    """Return the lines of ``files``, all of one spec, as its typed fields.

    Beside the fields: the columns of the landing, ``_found_fields``, and so far the ``_reasons`` of rejection
    and the ``_flags``.

    Raises:
        InputError: a header lacks a field.
    """
    by_layout: dict[tuple[object, ...], list[Landed]] = {}
    for file in files:
        layout = (file.header, file.delimiter, file.quote, tuple(file.fields))
        by_layout.setdefault(layout, []).append(file)
    frames = [_with_absent(_typed(_split(spark, group), group[0]), group[0]) for group in by_layout.values()]
    return _with_rows(reduce(DataFrame.unionByName, frames), files[0].spec.rows)


def _with_absent(frame: DataFrame, file: Landed) -> DataFrame:
    """Add the fields of the spec's other layouts, null."""
    absent = {name: field for name, field in file.spec.all_fields.items() if name not in file.fields}
    return frame.withColumns(
        {name: F.lit(None).cast(SPARK_TYPES[field.type]) for name, field in absent.items()}
    )


def _with_rows(frame: DataFrame, rows: str | None) -> DataFrame:
    """Make a row of each element; a line without any makes one of null, so that no line is lost."""
    return frame if rows is None else frame.withColumn("row", F.explode_outer(F.expr(rows)))


def empty_fields(spark: SparkSession, spec: FileSpec) -> DataFrame:
    """Return a frame without rows that has a spec's fields, typed, on which expressions are checked."""
    return _with_rows(_empty(spark, spec), spec.rows)


def _empty(spark: SparkSession, spec: FileSpec) -> DataFrame:
    columns = [f"`{name}` {SPARK_TYPES[field.type]}" for name, field in spec.all_fields.items()]
    return spark.createDataFrame([], ", ".join([LANDED_SCHEMA, *columns]))


def assert_rows(spark: SparkSession, specs: Sequence[FileSpec], lines: Mapping[str, str]) -> None:
    """Check the expressions that make rows of lines.

    Raises:
        InputError: names the key of the first that Spark does not understand.
    """
    for number, spec in enumerate(specs):
        if spec.rows is not None:
            keyed = {f"files.{number}.rows": spec.rows}
            assert_valid(_empty(spark, spec), keyed, f"the {spec.kind} file", lines)


def unfilled(empty: DataFrame) -> DataFrame:
    """Return a frame of ``empty_fields`` as what ``read_fields`` returns of no file."""
    none = F.array().cast("array<string>")
    return empty.withColumns({"_found_fields": F.lit(None).cast("int"), "_reasons": none, "_flags": none})


def _split(spark: SparkSession, files: list[Landed]) -> DataFrame:
    """Return the lines with their fields as text, null where blank."""
    first = files[0]
    paths = [spark_reads(chunk) for file in files for chunk in file.chunks]
    lines = spark.read.schema(LANDED_SCHEMA).parquet(*paths)
    text, sign = ("_text", first.delimiter) if first.quote is None else ("_fields", UNIT_SEPARATOR)
    parts = lines.withColumn("_parts", F.split(text, re.escape(sign), -1))
    found = F.size("_parts")
    texts = [
        F.nullif(F.trim(F.get("_parts", F.lit(position))), F.lit("")).alias(f"_text_{name}")
        for name, position in positions(first).items()
    ]
    wrong = (found != required_fields(first)).alias("_wrong_layout")
    return parts.select(*META, "_damage", found.alias("_found_fields"), wrong, *texts)


def _typed(texts: DataFrame, file: Landed) -> DataFrame:
    fields = file.fields
    numbers = {name: numbers for name, field in fields.items() if (numbers := _missing_numbers(field))}
    values = texts.select("*", *(_value(name, field).alias(name) for name, field in fields.items()))
    lost, not_finite = _lost(fields)
    damage = {name: F.col("_damage") == name for name in (ENCODING, UNBALANCED, UNENDED)}
    rejects = file.spec.unended_last_line == "reject"
    unended = {} if rejects else {UNENDED: damage.pop(UNENDED)}
    read = failed({**damage, **lost})
    flags = failed(unended | not_finite)
    reasons = F.when(F.col("_wrong_layout"), F.array(F.lit(WRONG_LAYOUT))).otherwise(read)
    return values.select(
        *META, "_found_fields", reasons.alias("_reasons"), flags.alias("_flags"),
        *(F.when(~_col(name).isin(*numbers[name]), _col(name)).alias(name) if name in numbers else _col(name)
          for name in fields),
    )  # fmt: skip


def _lost(fields: Mapping[str, FieldType]) -> tuple[dict[str, Column], dict[str, Column]]:
    """Return the checks of texts that became no value: those that reject the line, and those that flag it."""
    rejecting: dict[str, Column] = {}
    flagging: dict[str, Column] = {}
    for name, field in fields.items():
        if field.type == "text":
            continue
        text = _col(f"_text_{name}")
        lost = unreadable(text, _col(name), field.missing)
        match field.type:
            case "int" | "money":
                too_long = too_many_decimals(text, field)
                rejecting |= {f"unreadable_{name}": lost & ~too_long, f"decimals_{name}": lost & too_long}
            case "double":
                is_number = number_text(text, field).try_cast("double").isNotNull()
                rejecting[f"unreadable_{name}"] = lost & ~is_number
                flagging[f"{NOT_FINITE}{name}"] = lost & is_number
            case "date":
                rejecting[f"unreadable_{name}"] = lost
    return rejecting, flagging


def _missing_numbers(field: FieldType) -> list[float]:
    """Return the sentinels of a number, so that ``0999`` and ``999.0`` are missing where ``999`` is."""
    if field.type in ("text", "date"):
        return []
    return [float(text) for text in field.missing if text.replace(".", "", 1).isdigit()]


def _col(name: str) -> Column:
    """Return the column of a field, whose name may hold dots as the file's header does."""
    return F.col(f"`{name}`")


def _value(name: str, field: FieldType) -> Column:
    text = _col(f"_text_{name}")
    given = F.when(~text.isin(*field.missing), text) if field.missing else text
    match field.type:
        case "text":
            return given if field.pad is None else _padded(given, field.pad)
        case "int":
            number = number_text(_short(given, field), field)
            return F.coalesce(number.try_cast("int"), _whole(number.try_cast("double")))
        case "double":
            return finite(number_text(given, field).try_cast("double"))
        case "money":
            return number_text(_short(given, field), field).try_cast("decimal(16,2)")
        case "date":
            return _iso_date(given, field.format)


def _short(text: Column, field: FieldType) -> Column:
    return F.when(~too_many_decimals(text, field), text)


def _padded(code: Column, length: int) -> Column:
    return F.when(F.length(code) < length, F.lpad(code, length, "0")).otherwise(code)


def _whole(number: Column) -> Column:
    """Return the integer of a number written as ``360.0``; null where it has a fraction."""
    return F.when(number == F.floor(number), number).try_cast("int")


def _iso_date(text: Column, form: str) -> Column:
    """Return the date of a text in fixed places; much faster than a formatter, and blank-safe."""

    def part(sign: str) -> Column:
        return F.substring(text, form.index(sign) + 1, len(sign))

    day = part("dd") if "dd" in form else F.lit("01")
    iso = F.concat_ws("-", part("yyyy"), part("MM"), day)
    signs = [F.substring(text, place + 1, 1) == sign for place, sign in enumerate(form) if not sign.isalpha()]
    has_form = reduce(Column.__and__, signs, F.length(text) == len(form))
    return F.when(has_form, iso).try_cast("date")
