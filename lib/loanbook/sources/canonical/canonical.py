"""From typed fields to canonical columns, by the expressions of a mapping."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from loanbook.quality.checks import all_reasons, failed, required_columns, table_constraints
from loanbook.quality.misfits import Typed, misfits, not_finite
from loanbook.sources.canonical.attribute_maps import (
    attribute_maps,
    month_attribute_maps,
    typed_attributes,
    value_expr,
)
from loanbook.sources.mapping.expressions import fields_read
from loanbook.sources.mapping.mapped_columns import EXIT_COLUMNS, LOAN_COLUMNS, PERFORMANCE_COLUMNS
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.sources.mapping.sections import Check, TapeOutcome
from loanbook.tables.base import Table
from loanbook.tables.columns import STATES, TERMINAL_STATES, in_bounds
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.terminations import TERMINATIONS

LINE_COLUMNS = ("source", "slice", "delivery", "delivered_at", "line", "text", "found_fields")
NO_LOAN = ("null", "none", "nan", "n/a", "#n/a")  # what programs write that knew no identifier
MONTHS = ("origination_date", "first_payment_date", "maturity_date")


def canonical_performance(fields: DataFrame, mapping: TapeMapping) -> DataFrame:
    """Return the lines of performance files as canonical columns.

    Beside those of ``performance``: ``exit``, the line's fields of ``terminations``, null on a live row;
    ``text``, kept only where the line is rejected; ``reasons``, empty where it is not; ``halts``, the names
    of checks that stop the whole delivery; and ``state_of``, the values that the mapping gives no state,
    null where it gives one, a check rejects the line anyway, or there is none to go by.
    """
    section = mapping.performance
    exits = _columns(section.exits, EXIT_COLUMNS, TERMINATIONS)
    typed = [
        *_typed(section.columns, PERFORMANCE),
        *_typed(section.exits, TERMINATIONS),
        *typed_attributes(section.attributes),
    ]
    lines = fields.select(
        *_line_columns(),
        *_columns(section.columns, PERFORMANCE_COLUMNS, PERFORMANCE),
        *month_attribute_maps(section.attributes),
        F.struct(*exits).alias("exit"),
        _outcome(mapping.outcome).alias("tape_outcome"),
        _read_for(section.columns["state"], fields).alias("state_of"),
        *_found(section.checks, misfits(fields, typed), not_finite(fields, typed)),
    ).withColumns(
        {
            "as_of_date": F.last_day("as_of_date"),
            "loss_event": F.coalesce("loss_event", F.lit(False)),
            "state_of": F.when(_without_state(), F.col("state_of")),
            "exit": F.when(F.col("state").isin(*TERMINAL_STATES), _with_reason("exit")),
        }
    )
    dates = {
        f"{name}_in_bounds": ~F.expr(in_bounds(f"exit.{name}"))
        for name in ("zero_balance_date", "disposition_date")
    }
    checks = failed({"future_month": _is_to_come("as_of_date"), **dates})
    lines = lines.withColumn("_reject", F.concat("_reject", checks))
    known_on = F.last_day(F.add_months("as_of_date", mapping.known_lag_months))
    names = [*PERFORMANCE_COLUMNS, "date_attributes", "numeric_attributes"]
    return _judged(lines, PERFORMANCE, names).withColumn("known_on", F.coalesce("delivered_at", known_on))


def _read_for(expression: str, fields: DataFrame) -> Column:
    """Return the values that an expression reads, such as ``code=1, days=3``; null where all are blank."""
    values = {
        name if part is None else f"{name}.{part}": F.col(f"`{name}`") if part is None else F.col(name)[part]
        for name, part in _parts_of(fields)
    }
    shown = [
        F.concat(F.lit(f"{name}="), values[name].cast("string")) for name in fields_read(expression, values)
    ]
    return F.nullif(F.concat_ws(", ", *shown), F.lit(""))


def _parts_of(fields: DataFrame) -> list[tuple[str, str | None]]:
    """Return each field's name, and those within ``row`` and joined lookups with their part."""
    return [
        (field.name, part)
        for field in fields.schema
        for part in (field.dataType.names if isinstance(field.dataType, StructType) else [None])
    ]


def _without_state() -> Column:
    is_none = F.coalesce(~F.col("state").isin(*STATES), F.lit(True))
    return is_none & (F.size("_reasons") == 0) & (F.size("_reject") == 0)


def _outcome(outcome: TapeOutcome | None) -> Column:
    return F.lit(None).cast("int") if outcome is None else F.expr(outcome.expression).cast("int")


def _is_to_come(month: str) -> Column:
    """Return whether a row's month begins after that of its delivery, or of today where no day is given.

    A reporting month to come would move the source's last complete month, and with it every label's maturity.
    """
    return F.col(month) > F.last_day(F.coalesce("delivered_at", F.current_date()))


def _with_reason(exit_name: str) -> Column:
    """Return the struct of exit fields with the state as the reason where the tape gives none."""
    fields = F.col(exit_name)
    return fields.withField("exit_reason", F.coalesce(fields["exit_reason"], F.col("state")))


def canonical_loans(fields: DataFrame, mapping: TapeMapping) -> DataFrame:
    """Return the lines of loans files as canonical columns, ``text`` and ``reasons``."""
    section = mapping.loans
    if section is None:
        raise ValueError(f"mapping {mapping.name} has no loans")
    typed = [*_typed(section.columns, LOANS), *typed_attributes(section.attributes)]
    lines = fields.select(
        *_line_columns(),
        *_columns(section.columns, LOAN_COLUMNS, LOANS),
        *attribute_maps(section.attributes),
        *_found(section.checks, misfits(fields, typed), not_finite(fields, typed)),
    ).withColumns({name: F.trunc(name, "month").cast("date") for name in MONTHS})
    checks = failed({"future_origination": _is_to_come("origination_date")})
    lines = lines.withColumns({"product": F.lit(mapping.product), "_reject": F.concat("_reject", checks)})
    names = [*LOAN_COLUMNS, "date_attributes", "numeric_attributes"]
    return _judged(lines, LOANS, names).transform(with_vintage)


def with_vintage(loans: DataFrame) -> DataFrame:
    """Add ``vintage``, the quarter of origination as YYYYQn."""
    origination = F.col("origination_date")
    quarter = F.concat(F.year(origination), F.lit("Q"), F.quarter(origination))
    return loans.withColumn("vintage", quarter)


def _line_columns() -> list[Column]:
    return [F.col(f"_{name}").alias(name) for name in LINE_COLUMNS]


def _columns(given: Mapping[str, str], names: Sequence[str], table: Table) -> list[Column]:
    types = {column.name: column.type for column in table.columns}
    values = {
        name: value_expr(given[name], types[name]) if name in given else F.lit(None).cast(types[name])
        for name in names
    }
    if "loan_id" in values:
        values["loan_id"] = F.when(~F.lower(values["loan_id"]).isin(*NO_LOAN), values["loan_id"])
    return [column.alias(name) for name, column in values.items()]


def _typed(given: Mapping[str, str], table: Table) -> list[Typed]:
    types = {column.name: column.type for column in table.columns}
    return [(name, text, types[name]) for name, text in given.items()]


def _found(
    checks: Mapping[str, Check], rejecting: Mapping[str, Column], flagging: Mapping[str, Column]
) -> list[Column]:
    """Return the names of the checks that a line fails, by what follows from them."""
    by_severity = {"reject": dict(rejecting), "flag": dict(flagging), "halt": {}}
    for name, check in checks.items():
        by_severity[check.severity][name] = F.expr(check.when)
    flags = F.concat("_flags", failed(by_severity["flag"]))
    return [
        F.col("_reasons"),
        failed(by_severity["reject"]).alias("_reject"),
        flags.alias("quality_flags"),
        failed(by_severity["halt"]).alias("halts"),
    ]


def _judged(lines: DataFrame, table: Table, names: list[str]) -> DataFrame:
    """Replace the partial reasons by all."""
    table_checks = failed(required_columns(table, names) | table_constraints(table, names))
    reasons = all_reasons(F.col("_reject"), table_checks)
    judged = lines.withColumn("reasons", reasons).drop("_reasons", "_reject")
    return judged.withColumn("text", F.when(F.size("reasons") > 0, F.col("text")))
