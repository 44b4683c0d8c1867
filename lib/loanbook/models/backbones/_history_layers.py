"""Layers that read the months of a history."""

from typing import Any, Literal

import tensorflow as tf

UNKNOWN = -1e4  # added to the score of a month that nothing is known of: its share becomes 0, in float16 too


class LastAndMean(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """The states of the months to that of the last one, and the mean over those that are known."""

    def call(self, inputs: Any) -> Any:
        """Return float32 (rows, 2 width), from (rows, months, width) and (rows, months)."""
        states, present = inputs
        total = tf.reduce_sum(states * present[:, :, None], axis=1)
        mean = total / tf.maximum(tf.reduce_sum(present, axis=1, keepdims=True), 1.0)
        return tf.concat([states[:, -1], mean], axis=1)


class Recurrent(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """The state of a recurrent cell after each month.

    In training the months are laid out one after another, which takes 0.6 of the loop's time; without it the
    loop stays, which ONNX has an operator for.

    Args:
        kind: of the cell.
        width: of its state.
        seed: of the first weights.
    """

    def __init__(self, kind: Literal["GRU", "LSTM"], width: int, seed: int, **options: Any) -> None:
        super().__init__(**options)
        self._looped = getattr(tf.keras.layers, kind)(
            width,
            return_sequences=True,
            kernel_initializer=tf.keras.initializers.GlorotUniform(seed=seed),
            recurrent_initializer=tf.keras.initializers.Orthogonal(seed=seed + 1),
        )
        self._laid_out = tf.keras.layers.RNN(self._looped.cell, return_sequences=True, unroll=True)

    def call(self, months: Any, training: bool = False) -> Any:
        """Return float32 (rows, months, width)."""
        return self._laid_out(months) if training else self._looped(months)


class Positions(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """Adds a learned vector of each month, as attention by itself knows no order."""

    def __init__(self, seed: int, **options: Any) -> None:
        super().__init__(**options)
        self._near = tf.keras.initializers.RandomNormal(stddev=0.02, seed=seed)

    def build(self, shape: Any) -> None:
        """Make the vectors."""
        self._vectors = self.add_weight(name="vectors", shape=shape[1:], initializer=self._near)
        super().build(shape)

    def call(self, months: Any) -> Any:
        """Return float32 (rows, months, width)."""
        return months + self._vectors


class Encoder(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """A block of a transformer's encoder: self-attention over the known months, then two dense layers.

    Each takes its input normalised and is added to it (Xiong et al. 2020, *On Layer Normalization in the
    Transformer Architecture*).

    Args:
        width: of a month.
        heads: of the attention, of ``width / heads`` numbers each.
        seed: of the first weights.
    """

    def __init__(self, width: int, heads: int, seed: int, **options: Any) -> None:
        super().__init__(**options)
        self._heads, self._size = heads, width // heads
        # Dense layers of one seed would begin alike, and a query would be its own key.
        self._query, self._key, self._value, self._joined = (
            _dense(width, seed + place, name=name)
            for place, name in enumerate(("query", "key", "value", "joined"))
        )
        self._wide = _dense(2 * width, seed + 4, name="wide", activation="relu")
        self._narrow = _dense(width, seed + 5, name="narrow")
        # A greater epsilon would let Keras take an operation that no ONNX file has.
        self._before_attention, self._before_dense = (
            tf.keras.layers.LayerNormalization(epsilon=1e-5, name=f"before_{name}")
            for name in ("attention", "dense")
        )

    def call(self, inputs: Any) -> Any:
        """Return float32 (rows, months, width), from (rows, months, width) and (rows, months)."""
        months, present = inputs
        months = months + self._attention(self._before_attention(months), present)
        return months + self._narrow(self._wide(self._before_dense(months)))

    def _attention(self, months: Any, present: Any) -> Any:
        query, key, value = (self._by_head(layer(months)) for layer in (self._query, self._key, self._value))
        scores = tf.matmul(query, key, transpose_b=True) * self._size**-0.5
        known = present[:, None, None, :]
        shares = tf.nn.softmax(scores * known + (1.0 - known) * UNKNOWN)  # alike where nothing is known
        mixed = tf.transpose(tf.matmul(shares, value), [0, 2, 1, 3])
        return self._joined(tf.reshape(mixed, (-1, months.shape[1], self._heads * self._size)))

    def _by_head(self, months: Any) -> Any:
        """Return (rows, heads, months, size)."""
        apart = tf.reshape(months, (-1, months.shape[1], self._heads, self._size))
        return tf.transpose(apart, [0, 2, 1, 3])


def _dense(units: int, seed: int, **options: Any) -> Any:
    first = tf.keras.initializers.GlorotUniform(seed=seed)
    return tf.keras.layers.Dense(units, kernel_initializer=first, **options)
