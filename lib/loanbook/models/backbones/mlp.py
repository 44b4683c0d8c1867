"""Dense layers with an activation and, if asked for, dropout after each."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from loanbook.settings.section import Section

if TYPE_CHECKING:
    from loanbook.models.inputs.groups import Groups


class Settings(Section):
    """Of a multi-layer perceptron."""

    units: tuple[int, ...] = Field(min_length=1, description="width of each layer")
    activation: Literal["relu", "elu", "gelu", "tanh"] = Field("relu", description="after each layer")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of units zeroed in a training step")
    max_one_hot: int = Field(
        16, ge=1, description="vocabulary size above which an embedding replaces one-hot"
    )


def build(groups: "Groups", settings: Settings, seed: int) -> Any:
    """Return the last hidden layer; He weights, which keep the variance through ReLU layers."""
    import tensorflow as tf

    from loanbook.models.dropout import Dropout
    from loanbook.models.inputs.dense import dense

    units = dense(groups, settings.max_one_hot, seed + 1000)
    for position, width in enumerate(settings.units):
        initializer = tf.keras.initializers.HeNormal(seed=seed + position)
        units = tf.keras.layers.Dense(
            width, settings.activation, kernel_initializer=initializer, name=f"dense_{position}"
        )(units)
        if settings.dropout:
            units = Dropout(settings.dropout, seed + position, name=f"dropout_{position}")(units)
    return units
