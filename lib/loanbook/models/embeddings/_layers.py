"""Layers of embeddings. They compute a number at a time: its product is small, and all are made at once."""

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
    """Return where each bin begins and 1 / its width, both of shape (numbers, bins).

    A number with fewer bins than another has some of width infinity: none of its values is in them.
    """
    chosen = [chosen_edges(each, bins) for each in edges]
    widest = max(len(each) for each in chosen) - 1
    begins, shares = np.zeros((2, len(chosen), widest), np.float32)
    for number, each in enumerate(chosen):
        begins[number, : len(each) - 1] = each[:-1]
        shares[number, : len(each) - 1] = 1 / np.diff(each)
    return begins, shares


class PiecewiseLinear(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """e(x) = a x + c + sum over bins t of z_t K_t, where z_t = clip((x - b_t) / (b_t+1 - b_t), 0, 1).

    K is zero at first: training begins at a linear embedding (version B of Gorishniy et al. 2024, *TabM*).
    Beyond the first and the last edge only a x goes on; the numbers are clipped there anyway.

    Args:
        edges: of each number's bins, ascending, at least two.
        bins: at most, of each.
        size: of the embedding.
        seed: of a and c.
    """

    def __init__(self, edges: Sequence[Floats], bins: int, size: int, seed: int, **options: Any) -> None:
        super().__init__(**options)
        self._begins, self._shares = (axes[:, None, :] for axes in bin_axes(edges, bins))
        numbers, _, bins = self._begins.shape
        near = tf.keras.initializers.RandomUniform(-(size**-0.5), size**-0.5, seed=seed)
        self._lines = self.add_weight(name="lines", shape=(numbers, 2, size), initializer=near)
        self._steps = self.add_weight(name="steps", shape=(numbers, bins, size), initializer="zeros")

    def call(self, numbers: Any) -> Any:
        """Return float32 of shape (rows, numbers, size), from (rows, numbers)."""
        x = tf.transpose(numbers)[:, :, None]
        inside = tf.clip_by_value((x - self._begins) * self._shares, 0.0, 1.0)
        axes = tf.concat([x, tf.ones_like(x), inside], axis=2)
        return tf.transpose(tf.matmul(axes, tf.concat([self._lines, self._steps], axis=1)), [1, 0, 2])


class Periodic(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """e(x) = relu(W [cos(2 pi f x), sin(2 pi f x)] + b), with frequencies f, W and b of each number.

    Args:
        frequencies: how many of each number.
        spread: standard deviation of the first frequencies.
        size: of the embedding.
        seed: of the first frequencies and weights.
    """

    def __init__(self, frequencies: int, spread: float, size: int, seed: int, **options: Any) -> None:
        super().__init__(**options)
        self._shape = (frequencies, size)
        self._first = tf.keras.initializers.RandomNormal(stddev=spread, seed=seed)
        limit = (2 * frequencies) ** -0.5
        self._near = tf.keras.initializers.RandomUniform(-limit, limit, seed=seed + 1)

    def build(self, shape: Any) -> None:
        """Make the weights of each number."""
        (many, size), numbers = self._shape, shape[1]
        self._frequencies = self.add_weight(
            name="frequencies", shape=(numbers, 1, many), initializer=self._first
        )
        self._waves = self.add_weight(name="waves", shape=(numbers, 2 * many, size), initializer=self._near)
        self._bias = self.add_weight(name="bias", shape=(numbers, 1, size), initializer=self._near)
        super().build(shape)

    def call(self, numbers: Any) -> Any:
        """Return float32 of shape (rows, numbers, size), from (rows, numbers)."""
        angle = 2 * np.pi * tf.transpose(numbers)[:, :, None] * self._frequencies
        waves = tf.concat([tf.cos(angle), tf.sin(angle)], axis=2)
        return tf.transpose(tf.nn.relu(tf.matmul(waves, self._waves) + self._bias), [1, 0, 2])
