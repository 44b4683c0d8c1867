"""Values that the type of their column cannot hold: rejected, as the cast would make them missing."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

Typed = tuple[str, str, str]  # name of a column, its expression, and the Spark SQL type it must fit

INTEGERS = ("tinyint", "smallint", "int")
HOLD_INTEGERS = ("int", "bigint", "double")


def misfits(fields: DataFrame, typed: Sequence[Typed]) -> dict[str, Column]:
    """Return a check for each column whose expression may give a value that its type cannot hold.

    Args:
        fields: what the expressions read.
        typed: the columns; those whose expression has the type already, or a narrower one, get no check.
    """
    given = dict(fields.select(*(F.expr(text).alias(str(k)) for k, (_, text, _) in enumerate(typed))).dtypes)
    return {
        f"unfit_{name}": F.expr(text).isNotNull() & F.expr(text).try_cast(wanted).isNull()
        for k, (name, text, wanted) in enumerate(typed)
        if not fits(given[str(k)], wanted.lower())
    }


def fits(given: str, wanted: str) -> bool:
    """Return whether every value of one Spark SQL type is a value of another.

    >>> fits("int", "bigint"), fits("double", "decimal(8,5)"), fits("date", "string")
    (True, False, True)
    """
    is_number = given in INTEGERS or given.startswith("decimal")
    return (
        given in (wanted, "void")
        or wanted == "string"
        or (given in INTEGERS and wanted in HOLD_INTEGERS)
        or (is_number and wanted == "double")
    )
