"""Values that the type of their column cannot hold: rejected, as the cast would make them missing."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

Typed = tuple[str, str, str]  # name of a column, its expression, and the Spark SQL type it must fit

NOT_FINITE = "not_finite_"  # flag of a row with a number beyond all bounds, which is missing
INTEGERS = ("tinyint", "smallint", "int")
HOLD_INTEGERS = ("int", "bigint", "double")


def misfits(fields: DataFrame, typed: Sequence[Typed]) -> dict[str, Column]:
    """Return a check for each column whose expression may give a value that its type cannot hold.

    A cast would make such a value missing without a word; the check rejects the line instead. An integer
    column holds no fraction.

    Args:
        fields: what the expressions read.
        typed: the columns; those whose expression has the type already, or a narrower one, get no check.
    """
    given = dict(fields.select(*(F.expr(text).alias(str(k)) for k, (_, text, _) in enumerate(typed))).dtypes)
    return {
        f"unfit_{name}": _is_unfit(F.expr(text), given[str(k)], wanted.lower())
        for k, (name, text, wanted) in enumerate(typed)
        if not fits(given[str(k)], wanted.lower())
    }


def _is_unfit(value: Column, given: str, wanted: str) -> Column:
    """Return whether a value is lost by the cast, or its fraction, where an integer is wanted."""
    cast = value.try_cast(wanted)
    has_fraction = given in ("float", "double") or given.startswith("decimal")
    if wanted not in INTEGERS or not has_fraction:
        return value.isNotNull() & cast.isNull()
    return value.isNotNull() & (cast.isNull() | (cast != value))


def not_finite(fields: DataFrame, typed: Sequence[Typed]) -> dict[str, Column]:
    """Return a flag for each double column whose expression may give Infinity or NaN, stored as missing.

    Args:
        fields: what the expressions read.
        typed: the columns.
    """
    wanted = [(name, text) for name, text, type_ in typed if type_.lower() == "double"]
    given = dict(fields.select(*(F.expr(text).alias(name) for name, text in wanted)).dtypes)
    return {
        f"{NOT_FINITE}{name}": (number := F.expr(text).try_cast("double")).isNotNull()
        & finite(number).isNull()
        for name, text in wanted
        if not (given[name] in INTEGERS or given[name].startswith("decimal") or given[name] == "void")
    }


def finite(number: Column) -> Column:
    """Return the values of a double column, null where they are infinite or NaN."""
    return F.when(F.abs(number) < F.lit(float("inf")), number)


def fits(given: str, wanted: str) -> bool:
    """Return whether every value of one Spark SQL type is a value of another, so that no cast can lose one.

    >>> fits("int", "bigint"), fits("date", "string"), fits("void", "date")
    (True, True, True)
    >>> fits("double", "decimal(8,5)"), fits("bigint", "int")
    (False, False)
    """
    is_number = given in INTEGERS or given.startswith("decimal")
    return (
        given in (wanted, "void")
        or wanted == "string"
        or (given in INTEGERS and wanted in HOLD_INTEGERS)
        or (is_number and wanted == "double")
    )
