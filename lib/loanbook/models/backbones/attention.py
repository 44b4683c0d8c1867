"""Attention among the months of the history, then dense layers over it and all other inputs.

Vaswani et al. (2017), *Attention Is All You Need*: the encoder.
"""

from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from loanbook.models.backbones import _history

if TYPE_CHECKING:
    from loanbook.models.inputs.groups import Groups

NEEDS = ("sequences",)


class Settings(_history.Settings):
    """Of an encoder and the layers after it."""

    blocks: int = Field(1, ge=1, description="of attention and two dense layers, one after another")
    heads: int = Field(4, ge=1, description="of each attention, which share the width")

    @model_validator(mode="after")
    def _shared_evenly(self) -> "Settings":
        if self.width % self.heads:
            raise ValueError(f"{self.heads} heads cannot share a width of {self.width} evenly")
        return self


def build(groups: "Groups", settings: Settings, seed: int) -> Any:
    """Return the last hidden layer."""
    import tensorflow as tf

    from loanbook.models.backbones._history_layers import Encoder, Positions

    first = tf.keras.initializers.GlorotUniform(seed=seed + 3000)
    present = _history.history_of(groups).present
    months = tf.keras.layers.Dense(settings.width, kernel_initializer=first, name="month")(
        _history.months(groups)
    )
    months = Positions(seed + 3001, name="positions")(months)
    for block in range(settings.blocks):
        layer = Encoder(settings.width, settings.heads, seed + 3100 + 10 * block, name=f"encoder_{block}")
        months = layer([months, present])
    return _history.over_history(groups, months, settings, seed)
