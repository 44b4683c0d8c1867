"""Dense layers with an activation and, if asked for, normalisation before it and dropout after it."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from loanbook.models.embeddings import EmbeddingChoice, embedded
from loanbook.settings.section import Section

if TYPE_CHECKING:
    from loanbook.models.inputs.groups import Groups

Activation = Literal["relu", "elu", "gelu", "tanh"]


class Settings(Section):
    """Of a multi-layer perceptron."""

    units: tuple[int, ...] = Field(min_length=1, description="width of each layer")
    activation: Activation = Field("relu", description="after each layer")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of units zeroed in a training step")
    max_one_hot: int = Field(
        16, ge=1, description="vocabulary size above which an embedding replaces one-hot"
    )
    normalisation: Literal["layer", "batch"] | None = Field(
        None, description="of each layer's units before the activation: over a row's, or over a batch's rows"
    )
    residual: bool = Field(
        False, description="whether what goes into a layer is added to what comes out, where both are as wide"
    )
    embedding: EmbeddingChoice | None = Field(
        None, description="a module of loanbook.models.embeddings, and its settings; without it numbers stay"
    )


def build(groups: "Groups", settings: Settings, seed: int) -> Any:
    """Return the last hidden layer over all groups of inputs."""
    return layers(prepared(groups, settings, seed), settings, seed)


def prepared(groups: "Groups", settings: Settings, seed: int, *, sequences: bool = True) -> Any:
    """Return the groups of inputs side by side, (rows, units), numbers embedded where the settings say so.

    Args:
        groups: the prepared inputs.
        settings: of the perceptron.
        seed: of the embeddings' first weights.
        sequences: whether the steps of the history are among them.
    """
    from loanbook.models.inputs.dense import dense

    numbers = embedded(groups, settings.embedding, seed + 2000)
    return dense(groups, settings.max_one_hot, seed + 1000, sequences=sequences, embedded=numbers)


def layers(units: Any, settings: Settings, seed: int) -> Any:
    """Return the last of the dense layers; He weights, which keep the variance through ReLU layers.

    Args:
        units: what the first takes, (rows, units).
        settings: of the perceptron.
        seed: of the first weights and of dropout.
    """
    for position, width in enumerate(settings.units):
        layer = _layer(units, settings, position, seed + position)
        units = units + layer if settings.residual and units.shape[-1] == width else layer
    return units


def _layer(units: Any, settings: Settings, position: int, seed: int) -> Any:
    import tensorflow as tf

    from loanbook.models.dropout import Dropout

    normalised = settings.normalisation is not None
    units = tf.keras.layers.Dense(
        settings.units[position],
        None if normalised else settings.activation,
        kernel_initializer=tf.keras.initializers.HeNormal(seed=seed),
        name=f"dense_{position}",
    )(units)
    if normalised:
        units = _normalisation(settings, position)(units)
        units = tf.keras.layers.Activation(settings.activation, name=f"activation_{position}")(units)
    if settings.dropout:
        units = Dropout(settings.dropout, seed, name=f"dropout_{position}")(units)
    return units


def _normalisation(settings: Settings, position: int) -> Any:
    import tensorflow as tf

    if settings.normalisation == "layer":
        # A greater epsilon would let Keras take an operation that no ONNX file has.
        return tf.keras.layers.LayerNormalization(epsilon=1e-5, name=f"normalised_{position}")
    # A short training ends before means that move more slowly arrive.
    return tf.keras.layers.BatchNormalization(momentum=0.9, name=f"normalised_{position}")
