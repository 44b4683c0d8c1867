"""TabM: several perceptrons that share their weights, trained together and used as their mean.

Gorishniy, Kotelnikov and Babenko (2024), *TabM: Advancing Tabular Deep Learning with Parameter-Efficient
Ensembling*.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from loanbook.models.backbones.mlp import Activation
from loanbook.models.embeddings import EmbeddingChoice, embedded
from loanbook.settings.section import Section

if TYPE_CHECKING:
    from loanbook.models.inputs.groups import Groups


class Settings(Section):
    """Of TabM."""

    submodels: int = Field(8, ge=1, description="perceptrons; time to train and to score grows with them")
    sharing: Literal["mini", "full"] = Field(
        "mini",
        description="what a submodel has of its own beside its last layer: factors of the inputs (mini), or "
        "of the inputs and units of each layer, and biases (full)",
    )
    keep: Annotated[int, Field(ge=1, strict=True)] | Literal["best"] | None = Field(
        None,
        description="submodels that are kept after training: so many, added one by one by the log loss of "
        "their mean on the rows that stop it, or best: while that falls; null: all",
    )
    units: tuple[int, ...] = Field((96,), min_length=1, description="width of each layer")
    activation: Activation = Field("relu", description="after each layer")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of units zeroed in a training step")
    max_one_hot: int = Field(
        16, ge=1, description="vocabulary size above which an embedding replaces one-hot"
    )
    embedding: EmbeddingChoice | None = Field(
        None, description="a module of loanbook.models.embeddings, and its settings; without it numbers stay"
    )

    @model_validator(mode="after")
    def _keeps_what_there_is(self) -> "Settings":
        if isinstance(self.keep, int) and self.keep > self.submodels:
            raise ValueError(f"keep {self.keep} of {self.submodels} submodels: it must be at most as many")
        return self


def build(groups: "Groups", settings: Settings, seed: int) -> Any:
    """Return the last hidden layers of the submodels, (rows, submodels, units)."""
    import tensorflow as tf

    from loanbook.models.backbones._tabm_layers import FirstLayer, SharedLayer
    from loanbook.models.dropout import Dropout
    from loanbook.models.inputs.dense import dense_parts, side_by_side

    numbers = embedded(groups, settings.embedding, seed + 2000)
    parts = dense_parts(groups, settings.max_one_hot, seed + 1000, embedded=numbers)
    widths = [width for part in parts for width in part.widths]
    first, *others = settings.units
    own = settings.sharing == "full"
    layers = [FirstLayer(first, settings.submodels, widths, numbers is None, own, seed, name="tabm_0")]
    layers += [
        SharedLayer(width, own, seed + position, name=f"tabm_{position}")
        for position, width in enumerate(others, 1)
    ]
    units = side_by_side(parts)
    for position, layer in enumerate(layers):
        units = tf.keras.layers.Activation(settings.activation, name=f"activation_{position}")(layer(units))
        if settings.dropout:
            units = Dropout(settings.dropout, seed + position, name=f"dropout_{position}")(units)
    return units
