"""Numbers on the axes of their bins, which a linear map embeds: any piecewise linear function of each.

Gorishniy, Rubachev and Babenko (2022), *On Embeddings for Numerical Features in Tabular Deep Learning*.
"""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from loanbook.settings.section import Section

if TYPE_CHECKING:
    from loanbook.models.inputs.groups import Groups

NEEDS_EDGES = True


class Settings(Section):
    """Of piecewise linear embeddings."""

    bins: int = Field(24, ge=1, le=48, description="of each number, at most; of about as many rows each")
    size: int = Field(8, ge=1, description="numbers that stand for one")


def build(groups: "Groups", settings: Settings, seed: int) -> Any:
    """Return the embedded numbers."""
    from loanbook.models.embeddings._layers import PiecewiseLinear

    layer = PiecewiseLinear(groups.edges, settings.bins, settings.size, seed, name="piecewise_linear")
    return layer(groups.numeric)
