"""Sines and cosines of each number at learned frequencies, which a linear map and a ReLU embed.

Gorishniy, Rubachev and Babenko (2022), *On Embeddings for Numerical Features in Tabular Deep Learning*.
"""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from loanbook.settings.section import Section

if TYPE_CHECKING:
    from loanbook.models.inputs.groups import Groups


class Settings(Section):
    """Of periodic embeddings."""

    frequencies: int = Field(16, ge=1, description="of each number")
    spread: float = Field(0.1, gt=0, description="standard deviation of the first frequencies")
    size: int = Field(8, ge=1, description="numbers that stand for one")


def build(groups: "Groups", settings: Settings, seed: int) -> Any:
    """Return the embedded numbers."""
    from loanbook.models.embeddings._layers import Periodic

    layer = Periodic(settings.frequencies, settings.spread, settings.size, seed, name="periodic")
    return layer(groups.numeric)
