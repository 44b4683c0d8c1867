"""The last layers of a network, also of one with submodels (see ``submodels.py``)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf


def last_layer(hidden: Any, start: Sequence[float]) -> Any:
    """Return the scores, (rows, units) or (rows, submodels, units), with weights that are zero at first.

    Args:
        hidden: (rows, hidden units), or (rows, submodels, hidden units).
        start: the bias of each unit at first.
    """
    if len(hidden.shape) == 3:
        return SubmodelScores(start, name="score")(hidden)
    bias = tf.keras.initializers.Constant(start)
    layer = tf.keras.layers.Dense(len(start), kernel_initializer="zeros", bias_initializer=bias, name="score")
    return layer(hidden)


class SubmodelScores(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """The last layer of each submodel: scores (rows, submodels, units) of (rows, submodels, hidden units).

    Args:
        start: the bias of each unit of each at first; other weights are zero.
    """

    def __init__(self, start: Sequence[float], **options: Any) -> None:
        super().__init__(**options)
        self._units, self._start = len(start), start

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


class Sigmoid(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """Scores to probabilities by the exponential, whose file is precise where they are small.

    See ``sigmoid_nodes.py``.
    """

    def call(self, scores: Any) -> Any:
        """Return 1 / (1 + exp(-score))."""
        return tf.math.reciprocal(1.0 + tf.exp(-scores))


class MeanOfSubmodels(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """Probabilities, (rows x submodels, outputs), to their mean over the submodels, (rows, outputs)."""

    def __init__(self, submodels: int, outputs: int, **options: Any) -> None:
        super().__init__(**options)
        self._shape = (-1, submodels, outputs)

    def call(self, probabilities: Any) -> Any:
        """Return the means."""
        return tf.reduce_mean(tf.reshape(probabilities, self._shape), axis=1)
