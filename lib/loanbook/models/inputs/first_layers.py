"""A network's first layers, from the spec: flag and fill missing, clip, log(1 + x), scale, encode.

Every operation here converts to ONNX and loads in ONNX Runtime; ``log1p`` converts but does not load.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from loanbook.errors import InputError
from loanbook.models.inputs.clip_points import Floats
from loanbook.models.inputs.spec import NumericInput, NumericSequence
from loanbook.settings.model import Scaling

REACH = 3.0  # what robust numbers come near to and never reach


class Numbers(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """The first columns of raw numbers, NaN for missing, to scaled numbers.

    Args:
        items: the numbers.
        scaling: (x - mean) / std, or robust: z / sqrt(1 + (z / 3)^2) with z = (x - median) / spread, which
            keeps the middle as it is and no number beyond 3 (Holzmüller, Grinsztajn and Steinwart 2024,
            *Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data*).
    """

    def __init__(self, items: Sequence[NumericInput], scaling: Scaling = "standard", **options: Any) -> None:
        super().__init__(**options)
        constants = np.array([[i.low, i.high, i.fill, *_centre(i, scaling)] for i in items], np.float32)
        self._low, self._high, self._fill, self._middle, self._width = constants.reshape(-1, 5).T
        self._log = np.array([item.log for item in items], bool)
        self._robust = scaling == "robust"

    def call(self, raw: Any) -> Any:
        """Return float32 of shape (rows, items)."""
        numeric = raw[:, : len(self._log)]
        filled = tf.where(tf.math.is_nan(numeric), self._fill, numeric)
        clipped = tf.clip_by_value(filled, self._low, self._high)
        logged = tf.math.log(1.0 + tf.maximum(clipped, 0.0))
        scaled = (tf.where(self._log, logged, clipped) - self._middle) / self._width
        return scaled / tf.sqrt(1.0 + tf.square(scaled / REACH)) if self._robust else scaled


def scaled_edges(item: NumericInput, scaling: Scaling = "standard") -> Floats:
    """Return the edges of a number's bins as ``Numbers`` gives them: logged and scaled.

    >>> number = {"name": "x", "expression": "x", "low": 0, "high": 4, "fill": 1, "missing_share": 0}
    >>> item = NumericInput(**number, log=False, mean=1, std=2, edges=(0, 1, 4), median=0, spread=1)
    >>> scaled_edges(item).tolist(), scaled_edges(item, "robust").tolist()[::2]
    ([-0.5, 0.0, 1.5], [0.0, 2.4])
    """
    edges, (middle, width) = np.asarray(item.edges, np.float64), _centre(item, scaling)
    scaled = ((np.log1p(edges) if item.log else edges) - middle) / width
    return scaled / np.sqrt(1 + np.square(scaled / REACH)) if scaling == "robust" else scaled


def _centre(item: NumericInput, scaling: Scaling) -> tuple[float, float]:
    """Return what a number is taken less of, and what it is then divided by.

    Raises:
        InputError: the spec does not say it.
    """
    if scaling == "standard":
        return item.mean, item.std
    if item.median is None or item.spread is None:
        raise InputError(
            required="median and spread of every number, for scaling: robust",
            found=f"none of {item.name}: an earlier version made the training snapshot",
            do="remove the snapshot's folder and train again",
        )
    return item.median, item.spread


class Missing(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """The raw numbers to a flag for each that was missing in some training row.

    One never missing in training has no flag: its weight could not have been learned.
    """

    def __init__(self, items: Sequence[NumericInput], **options: Any) -> None:
        super().__init__(**options)
        self._flagged = np.flatnonzero([item.missing_share > 0 for item in items]).astype(np.int32)

    def call(self, raw: Any) -> Any:
        """Return float32 of shape (rows, flagged items), 1 where missing."""
        return tf.gather(tf.cast(tf.math.is_nan(raw), tf.float32), self._flagged, axis=1)


class Steps(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """A sequence's columns of raw numbers to standardised ones; missing steps become 0, the mean."""

    def __init__(self, first: int, item: NumericSequence, **options: Any) -> None:
        super().__init__(**options)
        self._places, self._item = slice(first, first + item.steps), item

    def call(self, raw: Any) -> Any:
        """Return float32 of shape (rows, steps, 1); (rows, steps, 2) with the flags of missing steps."""
        numbers, item = raw[:, self._places], self._item
        missing = tf.math.is_nan(numbers)
        standard = (tf.clip_by_value(numbers, item.low, item.high) - item.mean) / item.std
        filled = tf.where(missing, tf.zeros_like(standard), standard)
        flags = [tf.cast(missing, tf.float32)] if item.missing_share > 0 else []
        return tf.stack([filled, *flags], axis=2)


class StepCodes(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """A sequence's columns of codes to a one-hot row for each step."""

    def __init__(self, first: int, steps: int, size: int, **options: Any) -> None:
        super().__init__(**options)
        self._places, self._size = slice(first, first + steps), size

    def call(self, codes: Any) -> Any:
        """Return float32 of shape (rows, steps, size)."""
        return tf.one_hot(codes[:, self._places], self._size)


class Present(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """The raw columns of all sequences to whether anything was known at a step."""

    def __init__(self, numbers: Sequence[int], codes: Sequence[int], steps: int, **options: Any) -> None:
        super().__init__(**options)
        self._numbers, self._codes, self._steps = numbers, codes, steps

    def call(self, raw: Any) -> Any:
        """Return float32 of shape (rows, steps), 1 where something was known.

        Args:
            raw: the tensor of numbers and, where sequences have codes, that of codes.
        """
        numeric, *codes = raw
        known = [~tf.math.is_nan(numeric[:, first : first + self._steps]) for first in self._numbers]
        known += [codes[0][:, first : first + self._steps] > 0 for first in self._codes]
        return tf.reduce_max(tf.stack([tf.cast(item, tf.float32) for item in known]), axis=0)


class OneHot(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """A category's codes to one-hot rows; code 0 (unknown) has its own place."""

    def __init__(self, size: int, **options: Any) -> None:
        super().__init__(**options)
        self._size = size

    def call(self, codes: Any) -> Any:
        """Return float32 of shape (rows, size)."""
        return tf.one_hot(codes, self._size)


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
        known = tf.cast(tokens > 0, embedded.dtype)
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
