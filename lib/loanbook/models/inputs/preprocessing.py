"""A network's first layers, from the spec: flag and fill missing, clip, log(1 + x), standardise, encode.

Every operation here converts to ONNX and loads in ONNX Runtime; ``log1p`` converts but does not load.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from loanbook.models.inputs.spec import InputSpec

MAX_EMBEDDING = 8
WORD_WIDTH = 8


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


class Tokens(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """The columns of codes of one text."""

    def __init__(self, first: int, tokens: int, **options: Any) -> None:
        super().__init__(**options)
        self._places = slice(first, first + tokens)

    def call(self, codes: Any) -> Any:
        """Return int32 of shape (rows, tokens)."""
        return codes[:, self._places]


class WordMean(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """Embedded words of a text and their codes to the mean over the words; zeros where there are none."""

    def call(self, inputs: Any) -> Any:
        """Return float32 of shape (rows, width) from (rows, tokens, width) and (rows, tokens)."""
        embedded, tokens = inputs
        known = tf.cast(tokens > 0, tf.float32)
        total = tf.reduce_sum(embedded * known[:, :, None], axis=1)
        return total / tf.maximum(tf.reduce_sum(known, axis=1, keepdims=True), 1.0)


class WordShares(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """The codes of a text to the share of each of ``words`` among them; zeros where there are none."""

    def __init__(self, words: int, **options: Any) -> None:
        super().__init__(**options)
        self._words = words

    def call(self, tokens: Any) -> Any:
        """Return float32 of shape (rows, words)."""
        # Place by place: one array of (rows, tokens, words) would not fit.
        total = tf.one_hot(tokens[:, 0], 1 + self._words)
        for place in range(1, tokens.shape[1]):
            with tf.control_dependencies([total]):  # or TensorFlow makes all of them before it adds any
                total += tf.one_hot(tokens[:, place], 1 + self._words)
        known = tf.cast(tokens > 0, tf.float32)
        return total[:, 1:] / tf.maximum(tf.reduce_sum(known, axis=1, keepdims=True), 1.0)


def prepared(spec: InputSpec, max_one_hot: int | None, seed: int = 0) -> tuple[list[Any], Any]:
    """Return the Keras inputs (``numeric`` and, if there are codes, ``codes``) and the prepared tensor.

    Args:
        spec: the inputs.
        max_one_hot: vocabularies larger than this get a learned embedding, as do a text's words; None encodes
            all one-hot, and a text as the shares of its words, as the logistic regression takes them.
        seed: of the embeddings' first weights.
    """
    numeric = tf.keras.Input((len(spec.numeric),), dtype=tf.float32, name="numeric")
    parts, inputs = [Numbers(spec, name="numbers")(numeric)], [numeric]
    if spec.code_columns:
        codes = tf.keras.Input((len(spec.code_columns),), dtype=tf.int32, name="codes")
        inputs.append(codes)
        parts += [
            _encoded(codes, spec, position, max_one_hot, seed) for position in range(len(spec.categorical))
        ]
        parts += [_read(codes, spec, position, max_one_hot, seed) for position in range(len(spec.text))]
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


def _read(codes: Any, spec: InputSpec, position: int, max_one_hot: int | None, seed: int) -> Any:
    item = spec.text[position]
    tokens = Tokens(spec.first_place(position), item.tokens, name=f"tokens_{item.name}")(codes)
    if max_one_hot is None:
        return WordShares(len(item.vocabulary), name=f"shares_{item.name}")(tokens)
    initializer = tf.keras.initializers.RandomUniform(
        -0.05, 0.05, seed=seed + len(spec.categorical) + position
    )
    size = len(item.vocabulary) + 1
    embedded = tf.keras.layers.Embedding(size, WORD_WIDTH, initializer, name=f"words_{item.name}")(tokens)
    return WordMean(name=f"mean_{item.name}")([embedded, tokens])
