"""A network's first layers, from the spec: flag and fill missing, clip, log(1 + x), standardise, encode.

Every operation here converts to ONNX and loads in ONNX Runtime; ``log1p`` converts but does not load.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from loanbook.models.spec import InputSpec

MAX_EMBEDDING = 8


class Numbers(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """Raw numbers, NaN for missing, to standardised numbers followed by the flags of missing ones.

    An input never missing in training has no flag: its weight could not have been learned.
    """

    def __init__(self, spec: InputSpec, **options: Any) -> None:
        super().__init__(**options)
        items = spec.numeric
        constants = np.array([[i.low, i.high, i.fill, i.mean, i.std] for i in items], np.float32)
        self._low, self._high, self._fill, self._mean, self._std = constants.reshape(-1, 5).T
        self._log = np.array([item.log for item in items], bool)
        self._flagged = np.flatnonzero([item.missing_share > 0 for item in items]).astype(np.int32)

    def call(self, numeric: Any) -> Any:
        """Return float32 of shape (rows, numbers + flagged numbers)."""
        missing = tf.math.is_nan(numeric)
        clipped = tf.clip_by_value(tf.where(missing, self._fill, numeric), self._low, self._high)
        logged = tf.math.log(1.0 + tf.maximum(clipped, 0.0))
        standard = (tf.where(self._log, logged, clipped) - self._mean) / self._std
        flags = tf.gather(tf.cast(missing, tf.float32), self._flagged, axis=1)
        return tf.concat([standard, flags], axis=1)


class OneHot(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """One column of codes to a one-hot row; code 0 (unknown) has its own place."""

    def __init__(self, position: int, size: int, **options: Any) -> None:
        super().__init__(**options)
        self._position, self._size = position, size

    def call(self, codes: Any) -> Any:
        """Return float32 of shape (rows, size)."""
        return tf.one_hot(codes[:, self._position], self._size)


class Column(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """One column of codes."""

    def __init__(self, position: int, **options: Any) -> None:
        super().__init__(**options)
        self._position = position

    def call(self, codes: Any) -> Any:
        """Return int32 of shape (rows,)."""
        return codes[:, self._position]


def prepared(spec: InputSpec, max_one_hot: int | None, seed: int = 0) -> tuple[list[Any], Any]:
    """Return the Keras inputs (``numeric`` and, if there are categories, ``codes``) and the prepared tensor.

    Args:
        spec: the inputs.
        max_one_hot: vocabularies larger than this get a learned embedding; None encodes all one-hot, as the
            logistic regression takes them.
        seed: of the embeddings' first weights.
    """
    numeric = tf.keras.Input((len(spec.numeric),), dtype=tf.float32, name="numeric")
    parts, inputs = [Numbers(spec, name="numbers")(numeric)], [numeric]
    if spec.categorical:
        codes = tf.keras.Input((len(spec.categorical),), dtype=tf.int32, name="codes")
        inputs.append(codes)
        parts += [
            _encoded(codes, spec, position, max_one_hot, seed) for position in range(len(spec.categorical))
        ]
    return inputs, tf.keras.layers.Concatenate(name="prepared")(parts) if len(parts) > 1 else parts[0]


def _encoded(codes: Any, spec: InputSpec, position: int, max_one_hot: int | None, seed: int) -> Any:
    item = spec.categorical[position]
    size = len(item.vocabulary) + 1
    if max_one_hot is None or size - 1 <= max_one_hot:
        return OneHot(position, size, name=f"one_hot_{item.name}")(codes)
    width = min(MAX_EMBEDDING, int(np.ceil(np.sqrt(size))))
    initializer = tf.keras.initializers.RandomUniform(-0.05, 0.05, seed=seed + position)
    embedding = tf.keras.layers.Embedding(size, width, initializer, name=f"embedding_{item.name}")
    return embedding(Column(position, name=f"column_{item.name}")(codes))
