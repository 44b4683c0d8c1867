"""Columns of money that read a field without the form of money, whose text would be rounded unseen."""

import re
from collections.abc import Mapping

from loanbook.settings.section import Key
from loanbook.sources.mapping.file_spec import FieldType, FileSpec
from loanbook.tables.base import Table
from loanbook.tables.columns import MONEY

ONE_FIELD = re.compile(r"[\s(-]*(?:(?P<plain>\w+(?:\.\w+)?)|`(?P<quoted>[^`]+)`)[\s)]*")


def fields_of(spec: FileSpec, files: tuple[FileSpec, ...]) -> dict[str, FieldType]:
    """Return the fields that expressions over a file may name, those of the lookups that it joins too."""
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
