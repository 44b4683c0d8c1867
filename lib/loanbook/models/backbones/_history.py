"""What backbones that read the history share: the other inputs beside it, then dense layers."""

from typing import TYPE_CHECKING, Any, cast

from pydantic import Field

from loanbook.models.backbones import mlp

if TYPE_CHECKING:
    from loanbook.models.inputs.groups import Groups, History


class Settings(mlp.Settings):
    """Of what reads the history, and of the dense layers over it and all other inputs."""

    units: tuple[int, ...] = Field((96,), min_length=1, description="width of each dense layer")
    width: int = Field(32, ge=1, description="numbers that stand for a month and what came before it")


def history_of(groups: "Groups") -> "History":
    """Return the history, which a backbone that needs ``sequences`` is never without."""
    return cast("History", groups.sequences)


def months(groups: "Groups") -> Any:
    """Return float32 (rows, months, channels): the history, beside it whether anything was known of a month.

    A network that is told so needs no mask, with which ONNX would have a loop in the place of its operator.
    """
    import tensorflow as tf

    history = history_of(groups)
    known = tf.keras.layers.Reshape((history.present.shape[1], 1), name="known")(history.present)
    return tf.keras.layers.Concatenate(axis=2, name="months")([history.values, known])


def over_history(groups: "Groups", states: Any, settings: Settings, seed: int) -> Any:
    """Return the last hidden layer over the state of the last month, their mean, and all other inputs.

    Args:
        groups: the prepared inputs.
        states: of the months, (rows, months, width); the mean is over the months that are known.
        settings: of the dense layers.
        seed: of their first weights.
    """
    import tensorflow as tf

    from loanbook.models.backbones._history_layers import LastAndMean

    read = LastAndMean(name="last_and_mean")([states, history_of(groups).present])
    rest = mlp.prepared(groups, settings, seed, sequences=False)
    return mlp.layers(tf.keras.layers.Concatenate(name="with_history")([read, rest]), settings, seed)
