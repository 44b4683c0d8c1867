"""The inputs that a model may take: the feature catalogue, and the tape's own attributes."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.features.catalogue import FEATURES
from loanbook.models.spec import Candidate, column_of

MAPS = {"numeric_inputs": "numeric", "categorical_inputs": "categorical"}


def all_candidates(features: DataFrame) -> list[Candidate]:
    """Return the catalogue's features, then every attribute with the role ``input`` that the rows carry."""
    catalogue = [
        Candidate(name=item.name, expression=item.name, kind=item.kind, log=item.log)
        for item in FEATURES
        if item.default_input and item.kind in ("numeric", "categorical")
    ]
    return [*catalogue, *attribute_candidates(features, {item.name for item in catalogue})]


def attribute_candidates(features: DataFrame, taken: set[str]) -> list[Candidate]:
    """Return the entries of the attribute maps, by name; one that a feature has already gets a prefix."""
    found = [
        Candidate(name=_free(key, taken), expression=f"{column}['{key}']", kind=kind)
        for column, kind in MAPS.items()
        for key in _keys(features, column)
    ]
    return sorted(found, key=lambda item: (column_of(item.expression), item.name))


def _keys(features: DataFrame, column: str) -> Sequence[str]:
    keys = features.select(F.explode(F.map_keys(column)).alias("key")).distinct().collect()
    return sorted(str(row["key"]) for row in keys)


def _free(key: str, taken: set[str]) -> str:
    return f"attribute_{key}" if key in taken else key
