"""Layers of embeddings. Rows come last until the end: what each does to all rows of a number is then fast.

They are computed in float32 whatever the policy: float16 could not tell the edges of narrow bins apart.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from loanbook.models.inputs.clip_points import Floats

Matrix = npt.NDArray[np.float32]


def chosen_edges(edges: Floats, bins: int) -> Matrix:
    """Return at most ``bins`` + 1 of the edges, evenly among them, as float32 without repeats.

    >>> chosen_edges(np.array([0.0, 1.0, 2.0, 3.0, 9.0]), 2).tolist()
    [0.0, 2.0, 9.0]
    """
    places = np.linspace(0, len(edges) - 1, min(bins + 1, len(edges))).round().astype(np.int64)
    return np.unique(edges[places].astype(np.float32))


def bin_axes(edges: Sequence[Floats], bins: int) -> tuple[Matrix, Matrix]:
    """Return where each bin begins and how wide it is, both of shape (numbers, bins).

    A number with fewer bins than another has some of no width at its end.
    """
    chosen = [chosen_edges(each, bins) for each in edges]
    widest = max(len(each) for each in chosen) - 1
    begins, widths = np.zeros((2, len(chosen), widest), np.float32)
    for number, each in enumerate(chosen):
        begins[number, : len(each) - 1] = each[:-1]
        widths[number, : len(each) - 1] = np.diff(each)
    return begins, widths


class PiecewiseLinear(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """e(x) = a x + c + sum over bins t of z_t K_t, where z_t = clip((x - b_t) / w_t, 0, 1), w_t the width.

    K is zero at first: training begins at a linear embedding (version B of Gorishniy et al. 2024, *TabM*).
    Beyond the first and the last edge only a x goes on; the numbers are clipped there anyway.

    Args:
        edges: of each number's bins, ascending, at least two.
        bins: at most, of each.
        size: of the embedding.
        seed: of a and c.
    """

    def __init__(self, edges: Sequence[Floats], bins: int, size: int, seed: int, **options: Any) -> None:
        super().__init__(dtype="float32", **options)
        self._begins, self._widths = (axes[:, :, None] for axes in bin_axes(edges, bins))
        numbers, bins, _ = self._begins.shape
        near = tf.keras.initializers.RandomUniform(-(size**-0.5), size**-0.5, seed=seed)
        self._lines = self.add_weight(name="lines", shape=(numbers, 2, size), initializer=near)
        self._steps = self.add_weight(name="steps", shape=(numbers, bins, size), initializer="zeros")

    def call(self, numbers: Any) -> Any:
        """Return float32 of shape (rows, numbers, size), from (rows, numbers)."""
        x = tf.transpose(numbers)[:, None, :]
        inside = tf.minimum(tf.nn.relu(x - self._begins), self._widths)  # w_t z_t
        slopes = tf.math.divide_no_nan(self._steps, self._widths)
        axes = tf.concat([x, tf.ones_like(x), inside], axis=1)
        return _rows_first(tf.concat([self._lines, slopes], axis=1), axes)


class Periodic(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """e(x) = relu(W [cos(2 pi f x), sin(2 pi f x)] + b), with frequencies f, W and b of each number.

    Args:
        frequencies: how many of each number.
        spread: standard deviation of the first frequencies.
        size: of the embedding.
        seed: of the first frequencies and weights.
    """

    def __init__(self, frequencies: int, spread: float, size: int, seed: int, **options: Any) -> None:
        super().__init__(dtype="float32", **options)
        self._shape = (frequencies, size)
        self._first = tf.keras.initializers.RandomNormal(stddev=spread, seed=seed)
        limit = (2 * frequencies) ** -0.5
        self._near = tf.keras.initializers.RandomUniform(-limit, limit, seed=seed + 1)

    def build(self, shape: Any) -> None:
        """Make the weights of each number."""
        (many, size), numbers = self._shape, shape[1]
        self._frequencies = self.add_weight(
            name="frequencies", shape=(numbers, many, 1), initializer=self._first
        )
        self._waves = self.add_weight(name="waves", shape=(numbers, 2 * many, size), initializer=self._near)
        self._bias = self.add_weight(name="bias", shape=(numbers, size), initializer=self._near)
        super().build(shape)

    def call(self, numbers: Any) -> Any:
        """Return float32 of shape (rows, numbers, size), from (rows, numbers)."""
        angle = 2 * np.pi * tf.transpose(numbers)[:, None, :] * self._frequencies
        waves = tf.concat([tf.cos(angle), tf.sin(angle)], axis=1)
        return tf.nn.relu(_rows_first(self._waves, waves) + self._bias)


def _rows_first(weights: Any, axes: Any) -> Any:
    """Return (rows, numbers, size), of weights (numbers, axes, size) and (numbers, axes, rows)."""
    numbers, _, size = weights.shape
    made = tf.matmul(weights, axes, transpose_a=True)
    return tf.reshape(tf.transpose(tf.reshape(made, (numbers * size, -1))), (-1, numbers, size))
