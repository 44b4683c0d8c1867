"""Maps of the tape's own attributes, from the expressions that a mapping declares."""

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F

from loanbook.quality.misfits import Typed, finite
from loanbook.sources.mapping.attributes import Attribute
from loanbook.tables.performance import PERFORMANCE

TYPES = {"numeric": "double", "categorical": "string", "date": "date", "text": "string"}


def value_expr(expression: str, spark_type: str) -> Column:
    """Return the value of an expression as its column's type, null where it is none or not finite."""
    value = F.expr(expression).try_cast(spark_type)
    return finite(value) if spark_type.lower() == "double" else value


def attribute_maps(attributes: Mapping[str, Attribute]) -> list[Column]:
    """Return a map of each type, and one of the roles."""
    maps = [
        _map({name: value_expr(item.expression, spark_type) for name, item in attributes.items()
              if item.type == kind}, spark_type).alias(f"{kind}_attributes")
        for kind, spark_type in TYPES.items()
    ]  # fmt: skip
    roles = _map({name: F.lit(item.role) for name, item in attributes.items()}, "string")
    return [*maps, roles.alias("attribute_roles")]


def month_attribute_maps(attributes: Mapping[str, Attribute]) -> list[Column]:
    """Return the maps of attributes that change with the month, null where the tape has none."""
    if attributes:
        return attribute_maps(attributes)
    return [
        F.lit(None).cast(column.type).alias(column.name)
        for column in PERFORMANCE.columns
        if column.filled_by == "attributes"
    ]


def typed_attributes(attributes: Mapping[str, Attribute]) -> list[Typed]:
    """Return name, expression and type of each attribute."""
    return [(name, item.expression, TYPES[item.type]) for name, item in attributes.items()]


def _map(values: Mapping[str, Column], spark_type: str) -> Column:
    pairs = [part for name, value in values.items() for part in (F.lit(name), value)]
    return F.create_map(*pairs).cast(f"map<string,{spark_type}>")
