"""All groups of inputs side by side in one tensor: what dense networks and linear baselines take."""

from typing import Any

import numpy as np
import tensorflow as tf

from loanbook.models.inputs.first_layers import OneHot, WordMean, WordShares
from loanbook.models.inputs.groups import Category, Groups, Words

MAX_EMBEDDING = 8
WORD_WIDTH = 8
FIRST_WEIGHTS = 0.05  # the largest of an embedding


def dense(groups: Groups, max_one_hot: int | None = None, seed: int = 0, *, sequences: bool = True) -> Any:
    """Return float32 of shape (rows, units).

    Args:
        groups: numbers and their flags come first, then categories, texts, and the steps of the history.
        max_one_hot: vocabularies larger than this get a learned embedding, as do a text's words; None encodes
            all one-hot, and a text as the shares of its words, as a linear model takes them.
        seed: of the embeddings' first weights, one more for each category and text.
        sequences: whether the steps of the history are among them.
    """
    parts = [groups.numeric] if groups.missing is None else [groups.numeric, groups.missing]
    seeds = iter(range(seed, seed + len(groups.categorical) + len(groups.text)))
    parts += [_encoded(item, max_one_hot, next(seeds)) for item in groups.categorical]
    parts += [_read(item, max_one_hot is None, next(seeds)) for item in groups.text]
    if sequences and groups.sequences is not None:
        parts.append(tf.keras.layers.Flatten(name="flat_history")(groups.sequences.values))
    return tf.keras.layers.Concatenate(name="prepared")(parts) if len(parts) > 1 else parts[0]


def _encoded(item: Category, max_one_hot: int | None, seed: int) -> Any:
    if max_one_hot is None or item.size - 1 <= max_one_hot:
        return OneHot(item.size, name=f"one_hot_{item.name}")(item.codes)
    width = min(MAX_EMBEDDING, int(np.ceil(np.sqrt(item.size))))
    return _embedding(f"embedding_{item.name}", item.size, width, seed)(item.codes)


def _read(item: Words, linear: bool, seed: int) -> Any:
    if linear:
        return WordShares(item.size - 1, name=f"shares_{item.name}")(item.codes)
    embedded = _embedding(f"words_{item.name}", item.size, WORD_WIDTH, seed)(item.codes)
    return WordMean(name=f"mean_{item.name}")([embedded, item.codes])


def _embedding(name: str, size: int, width: int, seed: int) -> Any:
    first = tf.keras.initializers.RandomUniform(-FIRST_WEIGHTS, FIRST_WEIGHTS, seed=seed)
    return tf.keras.layers.Embedding(size, width, first, name=name)
