"""What a backbone takes: the inputs of a spec as tensors, in named groups."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from loanbook.models.inputs.clip_points import Floats
from loanbook.models.inputs.first_layers import (
    Column,
    Missing,
    Numbers,
    Present,
    StepCodes,
    Steps,
    Tokens,
    scaled_edges,
)
from loanbook.models.inputs.spec import InputSpec
from loanbook.settings.model import Scaling


@dataclass(frozen=True)
class Category:
    """A category: ``codes`` int32 (rows,), from 0 (unknown) on, then those of its vocabulary."""

    name: str
    codes: Any
    vocabulary: tuple[str, ...]

    @property
    def size(self) -> int:
        """Return how many codes there are."""
        return len(self.vocabulary) + 1


@dataclass(frozen=True)
class Words:
    """A text: ``codes`` int32 (rows, places) of its words, from 1 to ``size`` - 1, 0 where there is none."""

    name: str
    codes: Any
    size: int


@dataclass(frozen=True)
class History:
    """The sequences side by side, the latest step last.

    Args:
        values: float32 (rows, steps, channels): standardised numbers, flags of missing ones, one-hot codes.
        present: float32 (rows, steps): 1 where anything was known at that step. It is the mask: steps are
            missing at the front, where a loan was not yet in the book, and where it was not reported.
    """

    values: Any
    present: Any


@dataclass(frozen=True)
class Groups:
    """The prepared inputs of a model by kind; a backbone takes those that it can use.

    Args:
        tensors: the Keras inputs, ``numeric`` and, if there are codes, ``codes``.
        numeric: float32 (rows, numbers), filled, clipped and scaled.
        edges: of each number's bins in the scale of ``numeric``, ascending; none of an earlier version's.
        missing: float32 (rows, flags) of numbers that may be missing; None where none may.
        categorical: in the spec's order.
        sequences: None where there are none.
        text: in the spec's order.
    """

    tensors: list[Any]
    numeric: Any
    edges: tuple[Floats, ...]
    missing: Any | None
    categorical: tuple[Category, ...]
    sequences: History | None
    text: tuple[Words, ...]


def input_groups(spec: InputSpec, scaling: Scaling = "standard") -> Groups:
    """Return the groups of a spec, over new Keras inputs.

    Args:
        spec: the inputs.
        scaling: of the numbers.
    """
    raw = tf.keras.Input((len(spec.numeric_columns),), dtype=tf.float32, name="numeric")
    codes = tf.keras.Input((len(spec.code_columns),), dtype=tf.int32, name="codes")
    flagged = any(item.missing_share > 0 for item in spec.numeric)
    categorical = [
        Category(item.name, Column(position, name=f"column_{item.name}")(codes), item.vocabulary)
        for position, item in enumerate(spec.categorical)
    ]
    text = [
        Words(
            item.name,
            Tokens(_first(spec, item), item.tokens, name=f"tokens_{item.name}")(codes),
            len(item.vocabulary) + 1,
        )
        for item in spec.text
    ]
    return Groups(
        tensors=[raw, codes] if spec.code_columns else [raw],
        numeric=Numbers(spec.numeric, scaling, name="numbers")(raw),
        edges=tuple(scaled_edges(item, scaling) for item in spec.numeric),
        missing=Missing(spec.numeric, name="missing")(raw) if flagged else None,
        categorical=tuple(categorical),
        sequences=_history(spec, raw, codes) if spec.sequences else None,
        text=tuple(text),
    )


def _first(spec: InputSpec, item: Any) -> int:
    """Return where the columns of an item begin in its tensor."""
    columns = spec.numeric_columns if item.columns[0] in spec.numeric_columns else spec.code_columns
    return columns.index(item.columns[0])


def _history(spec: InputSpec, raw: Any, codes: Any) -> History:
    numbers = [_first(spec, item) for item in spec.numeric_sequences]
    coded = [_first(spec, item) for item in spec.categorical_sequences]
    parts = [
        Steps(first, item, name=f"steps_{item.name}")(raw)
        for first, item in zip(numbers, spec.numeric_sequences, strict=True)
    ]
    parts += [
        StepCodes(first, item.steps, item.size, name=f"steps_{item.name}")(codes)
        for first, item in zip(coded, spec.categorical_sequences, strict=True)
    ]
    values = tf.keras.layers.Concatenate(axis=2, name="history")(parts) if len(parts) > 1 else parts[0]
    present = Present(numbers, coded, spec.sequences[0].steps, name="present")
    return History(values, present([raw, codes] if coded else [raw]))
