"""Settings of the features."""

from typing import Literal

from pydantic import Field

from loanbook.settings.section import Section


class FeatureSettings(Section):
    """What the feature panel may know."""

    knowledge: Literal["latest", "as_known"] = Field(
        "latest",
        description="today's version of each month, or what was known when it was first reported",
    )
    neighbourhood_weight: int = Field(
        2400,
        ge=0,
        description="loan-months at which the default and prepayment rates of a region, postal area or "
        "vintage count as much as those of the whole source",
    )
    macro_sources: tuple[str, ...] = Field((), description="sources of macro to use; empty: all in the table")
