"""Layers of TabM: submodel m computes ((x * r_m) W) * s_m + b_m with one W for all of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf


def _near_zero(inputs: int, seed: int) -> Any:
    return tf.keras.initializers.RandomUniform(-(inputs**-0.5), inputs**-0.5, seed=seed)


class FirstLayer(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """Inputs to the units of each submodel, as one product with the matrices r_m W side by side.

    That is as many multiplications as (x * r_m) W, and faster, as its matrices are larger. The factors r of
    all units that stand for one input begin alike: as a sign, or normally distributed.

    Args:
        units: of each submodel.
        submodels: how many.
        widths: how many units of the layer's input each input of the model has.
        signs: whether factors begin as signs, as where numbers are not embedded.
        own: whether each submodel has its own s and b; s begins at 1, b alike.
        seed: of the first weights.
    """

    def __init__(
        self,
        units: int,
        submodels: int,
        widths: Sequence[int],
        signs: bool,
        own: bool,
        seed: int,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        inputs = sum(widths)
        self._shape = (submodels, units)
        self._kernel = self.add_weight("kernel", (inputs, units), initializer=_near_zero(inputs, seed))
        factors = np.repeat(_factors((submodels, len(widths)), signs, seed), widths, axis=1)
        first = tf.keras.initializers.Constant(factors)
        self._inward = self.add_weight("inward", (submodels, inputs), initializer=first)
        outward = (submodels if own else 1, units)
        bias = _alike(_near_zero(inputs, seed + 1), outward)
        self._bias = self.add_weight("bias", outward, initializer=bias)
        self._outward = self.add_weight("outward", outward, initializer="ones") if own else None

    def call(self, inputs: Any) -> Any:
        """Return float32 of shape (rows, submodels, units)."""
        kernels = tf.transpose(self._inward)[:, :, None] * self._kernel[:, None, :]
        if self._outward is not None:
            kernels *= self._outward
        wide = tf.matmul(inputs, tf.reshape(kernels, (-1, self._shape[0] * self._shape[1])))
        return tf.reshape(wide, (-1, *self._shape)) + self._bias


class SharedLayer(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """A later layer of the submodels, of which only r, s and b may be their own.

    Args:
        units: of each submodel.
        own: whether each submodel has its own r, s and b; r and s begin at 1, b alike.
        seed: of the first weights.
    """

    def __init__(self, units: int, own: bool, seed: int, **options: Any) -> None:
        super().__init__(**options)
        self._units, self._own, self._seed = units, own, seed

    def build(self, shape: Any) -> None:
        """Make the weights."""
        _, submodels, inputs = shape
        self._kernel = self.add_weight(
            "kernel", (inputs, self._units), initializer=_near_zero(inputs, self._seed)
        )
        outward = (submodels if self._own else 1, self._units)
        bias = _alike(_near_zero(inputs, self._seed + 1), outward)
        self._bias = self.add_weight("bias", outward, initializer=bias)
        if self._own:
            self._inward = self.add_weight("inward", (submodels, inputs), initializer="ones")
            self._outward = self.add_weight("outward", outward, initializer="ones")
        super().build(shape)

    def call(self, units: Any) -> Any:
        """Return float32 of shape (rows, submodels, units)."""
        _, submodels, inputs = units.shape
        taken = units * self._inward if self._own else units
        made = tf.matmul(tf.reshape(taken, (-1, inputs)), self._kernel)
        made = tf.reshape(made, (-1, submodels, self._units))
        return (made * self._outward if self._own else made) + self._bias


def _factors(shape: tuple[int, int], signs: bool, seed: int) -> Any:
    drawn = np.random.default_rng(seed).standard_normal(shape)
    return np.sign(drawn) if signs else drawn


def _alike(initializer: Any, shape: tuple[int, int]) -> Any:
    """Return an initializer that gives every submodel the same first values."""
    return tf.keras.initializers.Constant(np.tile(initializer((1, shape[1])).numpy(), (shape[0], 1)))
