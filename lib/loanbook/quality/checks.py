"""Checks as named Column conditions: true rejects the row, with the name as its reason."""

import re
from collections.abc import Mapping, Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from loanbook.tables.base import Table

WRONG_LAYOUT = "number_of_fields"


def failed(checks: Mapping[str, Column]) -> Column:
    """Return the names of the checks that a row fails: those whose condition is true.

    A condition that is null, because a value that it needs is missing, passes: a check of presence is one of
    its own.
    """
    if not checks:
        return F.array().cast("array<string>")
    return F.array_compact(F.array(*(F.when(condition, F.lit(name)) for name, condition in checks.items())))


def all_reasons(*later: Column) -> Column:
    """Return ``_reasons``, which reading found, and those of later checks.

    Of a line of the wrong layout only that reason is returned, as its fields mean nothing.
    """
    read = F.col("_reasons")
    return F.when(F.array_contains(read, WRONG_LAYOUT), read).otherwise(F.concat(read, *later))


def unreadable(text: Column, value: Column, missing: Sequence[str]) -> Column:
    """Return whether a text, given and no sentinel, was lost on its way to a value: the value is null.

    Args:
        text: as read; null where blank.
        value: what became of it.
        missing: texts that the mapping declares to mean missing.
    """
    given = text.isNotNull() & ~text.isin(*missing) if missing else text.isNotNull()
    return given & value.isNull()


def required_columns(table: Table, names: Sequence[str]) -> dict[str, Column]:
    """Return a check for each column of ``names`` that every row of ``table`` must have."""
    required = [column.name for column in table.columns if column.required and column.name in names]
    return {f"missing_{name}": F.col(name).isNull() for name in required}


def table_constraints(table: Table, names: Sequence[str]) -> dict[str, Column]:
    """Return a table's constraints as checks: a row that would break one is rejected before it is written.

    Args:
        table: has the constraints.
        names: columns that are read; constraints on none of them are left out.
    """
    return {
        name: ~F.expr(condition)
        for name, condition in table.constraints.items()
        if any(re.search(rf"\b{column}\b", condition) for column in names)
    }
