"""Layers that backbones share."""

from typing import Any

import tensorflow as tf


class Dropout(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """Dropout whose mask follows from the seed and the step, so that a resumed training repeats it."""

    def __init__(self, rate: float, seed: int, **options: Any) -> None:
        super().__init__(**options)
        self._rate, self._seed = rate, seed
        self.step = self.add_weight(
            name="step", shape=(2,), dtype=tf.int32, initializer="zeros", trainable=False
        )

    def call(self, units: Any, training: bool = False) -> Any:
        """Return the units, in training with a share of them zeroed and the rest scaled up."""
        if not training:
            return units
        self.step.assign_add([0, 1])
        seed = self.step + tf.constant([self._seed, 0], tf.int32)
        return tf.nn.experimental.stateless_dropout(units, self._rate, seed=seed)

    def restart(self, stream: int) -> None:
        """Begin the masks of another stream, such as those of a rank and epoch."""
        self.step.assign([stream, 0])
