"""The inputs that a model may take: the feature catalogue, and the tape's own attributes."""

from collections.abc import Callable, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.features.catalogue.registry import FEATURES, themes
from loanbook.models.inputs.spec import Candidate, column_of
from loanbook.settings.section import nearest

MAPS = {"numeric_inputs": "numeric", "categorical_inputs": "categorical", "text_inputs": "text"}
RoleOf = Callable[[str], str | None]


def all_candidates(
    features: DataFrame,
    added: Sequence[str] = (),
    left_out: Sequence[str] = (),
    role_of: RoleOf = lambda _: None,
) -> list[Candidate]:
    """Return the catalogue's features, then every attribute with the role ``input`` that the rows carry.

    Args:
        features: of the source.
        added: features that are no input by default.
        left_out: names of features or attributes, or themes of the catalogue.
        role_of: returns the role of an attribute of the tape, None where it has none of that name.

    Raises:
        InputError: a name is of no feature that a model could take; for an attribute its role is given.
    """
    by_name = {item.name: item for item in FEATURES}
    chosen = [item for item in by_name.values() if item.default_input or item.name in added]
    every = [Candidate(name=item.name, expression=item.name, kind=item.kind, log=item.log) for item in chosen]
    every += attribute_candidates(features, {item.name for item in chosen} | set(themes()))
    names = [*by_name, *themes(), *(item.name for item in every)]
    _require_known([name for name in added if name not in by_name], list(by_name), role_of)
    _require_known([name for name in left_out if name not in names], names, role_of)
    theme_of = {item.name: item.theme for item in chosen}
    return [item for item in every if not {item.name, theme_of.get(item.name)} & set(left_out)]


def _require_known(unknown: Sequence[str], names: Sequence[str], role_of: RoleOf) -> None:
    if not unknown:
        return
    name = unknown[0]
    role = role_of(name)
    raise InputError(
        required="features of the catalogue in train.inputs_added and train.inputs_left_out",
        found=repr(name)
        + (f", an attribute of the tape with the role {role}" if role else nearest(name, list(names))),
        do="take it out: of a tape's own attributes only those with the role input are inputs"
        if role
        else "name one that exists",
    )


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
