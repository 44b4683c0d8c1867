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
        description="loan-months of the source's own default and prepayment rates that those of a region, "
        "postal area or vintage are mixed with",
    )
    macro_sources: tuple[str, ...] = Field((), description="sources of macro to use; empty: all in the table")
