"""Columns of money that read a field without the form of money.

The text ``1.250`` of a field of type double is 1.25, where it may be a thousand and more; and a double can
round an amount. Neither would be seen, so a mapping that does so is refused.
"""

import re
from collections.abc import Mapping

from loanbook.settings.section import Key
from loanbook.sources.mapping.file_spec import FieldType, FileSpec
from loanbook.tables.base import Table
from loanbook.tables.columns import MONEY

ONE_FIELD = re.compile(r"[\s(-]*(?:(?P<plain>\w+(?:\.\w+)?)|`(?P<quoted>[^`]+)`)[\s)]*")


def fields_of(spec: FileSpec, files: tuple[FileSpec, ...]) -> dict[str, FieldType]:
    """Return the fields that expressions over a file may name, those of the lookups that it joins too.

    >>> fields = {"id": "text", "rate": "double"}
    >>> rates = FileSpec(kind="lookup", name="rates", key="id", pattern="r.*", fields=fields)
    >>> loans = FileSpec(kind="loans", pattern="l.*", fields={"id": "text"}, joins={"rates": "id"})
    >>> list(fields_of(loans, (loans, rates)))
    ['id', 'rates.id', 'rates.rate']
    """
    joined = {
        f"{other.name}.{name}": field
        for other in files
        if other.kind == "lookup" and other.name in spec.joins
        for name, field in other.all_fields.items()
    }
    return {**spec.all_fields, **joined}


def unlike_money(
    expressions: Mapping[Key, str], table: Table, fields: Mapping[str, FieldType]
) -> dict[Key, str]:
    """Return what is wrong with each column of money that is a field of type double or text as it stands.

    Args:
        expressions: place in the mapping, which ends with the column, to its expression.
        table: has the columns.
        fields: name to type.

    >>> from loanbook.tables.performance import PERFORMANCE
    >>> wrong = unlike_money({("upb",): "balance"}, PERFORMANCE, {"balance": FieldType(type="double")})
    >>> wrong["upb",].partition(":")[0]
    'money is read from balance, a field of type double'
    >>> unlike_money({("upb",): "try_cast(balance AS DOUBLE)"}, PERFORMANCE, {"balance": FieldType()})
    {}
    """
    money = {column.name for column in table.columns if column.type == MONEY}
    found: dict[Key, str] = {}
    for key, expression in expressions.items():
        match = ONE_FIELD.fullmatch(expression) if key[-1] in money else None
        name = "" if match is None else match["plain"] or match["quoted"]
        if name in fields and fields[name].type in ("double", "text"):
            found[key] = (
                f"money is read from {name}, a field of type {fields[name].type}: give it the type money, "
                "with 'decimals' where it has more than 2, so that no amount is misread or rounded unseen"
            )
    return found
