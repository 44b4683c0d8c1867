"""Layers that backbones share."""

from typing import Any

import tensorflow as tf

PARTS = 256  # a byte decides of each unit
BYTES = 4  # of a random word


class Dropout(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """Dropout whose mask follows from the seed and the step, so that a resumed training repeats it.

    A random byte for each unit, where TensorFlow's own dropout draws a whole number, takes a quarter of the
    time: the share is that of the nearest 256th, at least one.

    >>> Dropout(0.1, seed=1).share
    0.1015625
    """

    def __init__(self, rate: float, seed: int, **options: Any) -> None:
        super().__init__(**options)
        self._zeroed, self._seed = max(1, round(rate * PARTS)) if rate else 0, seed
        self.step = self.add_weight(
            name="step", shape=(2,), dtype=tf.int32, initializer="zeros", trainable=False
        )

    @property
    def share(self) -> float:
        """Return the share of units that are zeroed in training."""
        return self._zeroed / PARTS

    def call(self, units: Any, training: bool = False) -> Any:
        """Return the units, in training with a share of them zeroed and the rest scaled up."""
        if not training:
            return units
        self.step.assign_add([0, 1])
        seed = self.step + tf.constant([self._seed, 0], tf.int32)
        kept = _bytes(tf.shape(units), seed) >= tf.constant(self._zeroed, tf.uint8)
        return (units * (1 / (1 - self.share))) * tf.cast(kept, units.dtype)

    def restart(self, stream: int) -> None:
        """Begin the masks of another stream, such as those of a rank and epoch."""
        self.step.assign([stream, 0])


def _bytes(shape: Any, seed: Any) -> Any:
    """Return random bytes."""
    count = tf.reduce_prod(shape)
    words = tf.random.stateless_uniform([-(-count // BYTES)], seed, minval=None, maxval=None, dtype=tf.uint32)
    return tf.reshape(tf.reshape(tf.bitcast(words, tf.uint8), [-1])[:count], shape)
