"""All groups of inputs side by side in one tensor: what dense networks and linear baselines take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from loanbook.models.inputs.first_layers import OneHot, WordMean, WordShares
from loanbook.models.inputs.groups import Category, Groups, Words

MAX_EMBEDDING = 8
WORD_WIDTH = 8
FIRST_WEIGHTS = 0.05  # the largest of an embedding


@dataclass(frozen=True)
class Part:
    """Some of the units, float32 (rows, units), and how many of them each input has, in order."""

    units: Any
    widths: Sequence[int]


def dense(
    groups: Groups,
    max_one_hot: int | None = None,
    seed: int = 0,
    *,
    sequences: bool = True,
    embedded: Any | None = None,
) -> Any:
    """Return float32 of shape (rows, units).

    Args:
        groups: numbers and their flags come first, then categories, texts, and the steps of the history.
        max_one_hot: vocabularies larger than this get a learned embedding, as do a text's words; None encodes
            all one-hot, and a text as the shares of its words, as a linear model takes them.
        seed: of the embeddings' first weights, one more for each category and text.
        sequences: whether the steps of the history are among them.
        embedded: what stands for the numbers, of shape (rows, numbers, size); None: they themselves.
    """
    return side_by_side(dense_parts(groups, max_one_hot, seed, sequences=sequences, embedded=embedded))


def side_by_side(parts: Sequence[Part]) -> Any:
    """Return the units of all parts in one tensor."""
    units = [part.units for part in parts]
    return tf.keras.layers.Concatenate(name="prepared")(units) if len(units) > 1 else units[0]


def dense_parts(
    groups: Groups, max_one_hot: int | None, seed: int, *, sequences: bool = True, embedded: Any | None = None
) -> list[Part]:
    """Return what ``dense`` puts side by side."""
    parts = [_numbers(groups) if embedded is None else _embedded(embedded)]
    if groups.missing is not None:
        parts.append(Part(groups.missing, [1] * groups.missing.shape[1]))
    seeds = iter(range(seed, seed + len(groups.categorical) + len(groups.text)))
    units = [_encoded(item, max_one_hot, next(seeds)) for item in groups.categorical]
    units += [_read(item, max_one_hot is None, next(seeds)) for item in groups.text]
    parts += [Part(each, [each.shape[1]]) for each in units]
    if sequences and groups.sequences is not None:
        _, steps, channels = groups.sequences.values.shape
        flat = tf.keras.layers.Flatten(name="flat_history")(groups.sequences.values)
        parts.append(Part(flat, [channels] * steps))
    return parts


def _numbers(groups: Groups) -> Part:
    return Part(groups.numeric, [1] * groups.numeric.shape[1])


def _embedded(numbers: Any) -> Part:
    _, count, size = numbers.shape
    return Part(tf.keras.layers.Flatten(name="flat_numbers")(numbers), [size] * count)


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
