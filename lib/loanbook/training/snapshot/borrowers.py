"""Whose loans are one borrower's, by what the tape says of them."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.settings.section import nearest
from loanbook.tables.loans import LOANS

MAPS = tuple(name for name in LOANS.filled_by("attributes") if name != "attribute_roles")


def borrowers_of(loans: DataFrame, names: Sequence[str]) -> DataFrame:
    """Return ``loan_id`` and ``borrower``, equal where all of the named values are, null where all lack.

    | loan_id | customer | borrower |
    |---|---|---|
    | A | 17 | 5f1c... |
    | B | 17 | 5f1c... |
    | C | | |

    Args:
        loans: of one source.
        names: columns of ``loans``, or attributes of the tape with any role.

    Raises:
        InputError: no loan has such an attribute; those that there are, are named.
    """
    attributes = _attributes(loans)
    for name in names:
        if name not in (*LOANS.column_names, *attributes):
            known = [*attributes, *LOANS.column_names]
            raise InputError(
                required="attributes of the tape, or columns of loans, in train.borrower",
                found=repr(name) + nearest(name, known),
                do=f"name a column, or an attribute ({', '.join(attributes) or 'this tape has none'})",
            )
    values = [_value(name, name in attributes) for name in names]
    lacks = F.coalesce(*values).isNull()
    # The hash passes over nulls: without a text in their place, (17, null) would be (null, 17).
    placed = [F.coalesce(value, F.lit("\0")) for value in values]
    borrower = F.when(~lacks, F.hex(F.xxhash64(*placed)))
    return loans.select("loan_id", borrower.alias("borrower"))


def _attributes(loans: DataFrame) -> list[str]:
    keys = loans.select(F.explode(F.map_keys("attribute_roles")).alias("key")).distinct().collect()
    return sorted(str(row["key"]) for row in keys)


def _value(name: str, is_attribute: bool) -> Column:
    if not is_attribute:
        return F.col(name).cast("string")
    return F.coalesce(*[F.element_at(column, F.lit(name)).cast("string") for column in MAPS])
