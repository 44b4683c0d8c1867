"""Checking every expression of a mapping before a line is read."""

from collections.abc import Mapping

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, NullType

from loanbook.errors import InputError
from loanbook.sources.canonical.fields import assert_rows
from loanbook.sources.canonical.lookups import assert_lookups, empty_with_lookups
from loanbook.sources.mapping.expressions import assert_valid
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.sources.mapping.sections import LoanMapping
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.terminations import TERMINATIONS


def assert_mapping(spark: SparkSession, mapping: TapeMapping) -> None:
    """Check every expression of a mapping, on frames without rows.

    Raises:
        InputError: names the key of the first that Spark does not understand.
    """
    assert_rows(spark, mapping.files, mapping.lines)
    assert_lookups(spark, mapping.files, mapping.lines)
    for spec in mapping.files:
        frame = empty_with_lookups(spark, spec, mapping.files)
        named = _performance_expressions(mapping) if spec.kind == "performance" else {}
        if mapping.loans is not None and mapping.loans.of == spec.kind:
            named |= _loan_expressions(mapping.loans)
        assert_valid(frame, named, f"the {spec.kind} file", mapping.lines)
        _assert_kinds(frame, named, mapping.lines)


def _assert_kinds(frame: DataFrame, named: Mapping[str, str], lines: Mapping[str, str]) -> None:
    """Check that conditions are conditions, and that no column of another type is filled from one.

    Raises:
        InputError: names the key of the first that is not so.
    """
    tables = (PERFORMANCE, TERMINATIONS, LOANS)
    types = {column.name: column.type for table in tables for column in table.columns}
    found = frame.select(*(F.expr(text) for text in named.values())).schema
    for (key, text), field in zip(named.items(), found, strict=True):
        kind, name = key.split(".")[-2:]
        is_condition, given = field.dataType == BooleanType(), field.dataType.simpleString()
        place = f"{key!r}" + (f", line {lines[key]}" if key in lines else "")
        if kind == "checks" and not is_condition and field.dataType != NullType():
            required = f"a condition, true or false, at {place}"
        elif kind in ("columns", "exits") and is_condition and types[name] != "BOOLEAN":
            required = f"a value of type {types[name]} at {place}"
        else:
            continue
        raise InputError(
            required=required, found=f"{text!r}, which is of type {given}", do="correct the expression"
        )


def _performance_expressions(mapping: TapeMapping) -> dict[str, str]:
    section, outcome = mapping.performance, mapping.outcome
    return {
        **({} if outcome is None else {"outcome.expression": outcome.expression}),
        **{f"performance.columns.{key}": text for key, text in section.columns.items()},
        **{f"performance.attributes.{key}": item.expression for key, item in section.attributes.items()},
        **{f"performance.exits.{key}": text for key, text in section.exits.items()},
        **{f"performance.checks.{key}": check.when for key, check in section.checks.items()},
    }


def _loan_expressions(section: LoanMapping) -> dict[str, str]:
    return {
        **{f"loans.columns.{key}": text for key, text in section.columns.items()},
        **{f"loans.attributes.{key}": item.expression for key, item in section.attributes.items()},
        **{f"loans.checks.{key}": check.when for key, check in section.checks.items()},
    }
