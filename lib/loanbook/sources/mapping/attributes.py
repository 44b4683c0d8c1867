"""The tape's own attributes, as a mapping declares them."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from loanbook.settings.section import Key, Section
from loanbook.sources.mapping.expressions import Expression

Role = Literal["input", "protected", "monitoring", "identifier", "post_outcome"]


class Attribute(Section):
    """An attribute beyond the canonical columns; only the role ``input`` may reach a model."""

    expression: Expression = Field(description="its value, over the fields of the line")
    type: Literal["numeric", "categorical", "date", "text"] = Field(description="how a model reads it")
    role: Role = Field(description="what it may be used for; features take inputs alone")


# It becomes the name of a column and of a network's layer.
AttributeName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


def expressions_of(
    attributes: Mapping[str, Attribute], *place: str, role: Role | None = None
) -> dict[Key, str]:
    """Return the expressions of attributes, by their keys in the mapping.

    Args:
        attributes: by name.
        place: keys of the section that they stand in.
        role: only those of this role; None: all.

    >>> gender = Attribute(expression="sex", type="categorical", role="protected")
    >>> expressions_of({"gender": gender}, "loans"), expressions_of({"gender": gender}, "loans", role="input")
    ({('loans', 'attributes', 'gender', 'expression'): 'sex'}, {})
    """
    return {
        (*place, "attributes", name, "expression"): item.expression
        for name, item in attributes.items()
        if role in (None, item.role)
    }
