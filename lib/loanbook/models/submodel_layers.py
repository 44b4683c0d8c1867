"""The last layers of a network with submodels (see ``submodels.py``)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf


class SubmodelScores(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """The last layer of each submodel: scores (rows, submodels, units) of (rows, submodels, hidden units).

    Args:
        units: of each.
        start: the bias of each at first; other weights are zero.
    """

    def __init__(self, units: int, start: Sequence[float], **options: Any) -> None:
        super().__init__(**options)
        self._units, self._start = units, start

    def build(self, shape: Any) -> None:
        """Make the weights."""
        _, submodels, hidden = shape
        self._kernel = self.add_weight("kernel", (submodels, hidden, self._units), initializer="zeros")
        start = tf.keras.initializers.Constant(np.tile(self._start, (submodels, 1, 1)))
        self._bias = self.add_weight("bias", (submodels, 1, self._units), initializer=start)
        super().build(shape)

    def call(self, hidden: Any) -> Any:
        """Return the scores."""
        scores = tf.matmul(tf.transpose(hidden, [1, 0, 2]), self._kernel) + self._bias
        return tf.transpose(scores, [1, 0, 2])


class MeanOfSubmodels(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """Probabilities, (rows x submodels, outputs), to their mean over the submodels, (rows, outputs)."""

    def __init__(self, submodels: int, outputs: int, **options: Any) -> None:
        super().__init__(**options)
        self._shape = (-1, submodels, outputs)

    def call(self, probabilities: Any) -> Any:
        """Return the means."""
        return tf.reduce_mean(tf.reshape(probabilities, self._shape), axis=1)
