"""Whole networks in Keras: prepared inputs, a backbone's hidden units, a head's output."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from loanbook.models.backbones import backbone
from loanbook.models.head import Head
from loanbook.models.inputs.groups import Groups, input_groups
from loanbook.models.inputs.spec import InputSpec
from loanbook.models.submodels import probabilities
from loanbook.settings.choice import Choice
from loanbook.settings.model import Scaling

FLOAT32, MIXED = "float32", "mixed_float16"  # policies of Keras: weights are float32 in both


@dataclass(frozen=True)
class Network:
    """Two views of the same weights: ``scores``, which losses are made of, and ``probabilities``.

    Scores are (rows, units), or (rows, submodels, units) of a backbone with several (``submodels.py``).
    """

    scores: Any
    probabilities: Any

    @property
    def parameters(self) -> int:
        """Return the number of trainable weights."""
        return sum(int(np.prod(weight.shape)) for weight in self.scores.trainable_weights)

    @property
    def kept(self) -> list[Any]:
        """Return all that predictions follow from: the weights, then the moving means of normalisation."""
        moving = [item for item in self.scores.non_trainable_weights if item.dtype.is_floating]
        return [*self.scores.trainable_weights, *moving]

    @property
    def row_specs(self) -> list[Any]:
        """Return the shapes and types of ``feed``'s arguments, for any number of rows."""
        widths = [tensor.shape[1] for tensor in self.scores.inputs]
        numbers, codes = widths if len(widths) > 1 else (*widths, 0)
        return [tf.TensorSpec((None, numbers), tf.float32), tf.TensorSpec((None, codes), tf.int32)]

    def feed(self, numeric: Any, codes: Any) -> list[Any]:
        """Return the tensors in the order of the network's inputs."""
        return [numeric, codes][: len(self.scores.inputs)]

    def take(self, other: "Network", submodels: Sequence[int] = ()) -> None:
        """Set all that predictions follow from to what it is in a network of the same layers.

        Args:
            other: of as many submodels, or of more.
            submodels: places in the other of those that this one has, if it has fewer.
        """
        for own, found in zip(self.kept, other.kept, strict=True):
            own.assign(found if own.shape == found.shape else tf.gather(found, submodels))

    def restart_dropout(self, stream: int) -> None:
        """Begin the dropout masks of a rank and epoch."""
        for layer in self.scores.layers:
            if hasattr(layer, "restart"):
                layer.restart(stream)


def build_network(
    spec: InputSpec,
    choice: Choice,
    target: Head,
    *,
    rate: float,
    seed: int,
    scaling: Scaling = "standard",
    policy: str = FLOAT32,
) -> Network:
    """Return a network that gives ``rate`` for every row until it is trained.

    Args:
        spec: the inputs.
        choice: the backbone with its settings.
        target: the head.
        rate: of the label in the training rows.
        seed: of first weights and dropout.
        scaling: of the numbers.
        policy: of Keras, by which the backbone's layers are computed; inputs are prepared, and scores made of
            its last units, in float32.

    Raises:
        InputError: no such backbone, a setting that it does not have, or inputs that it cannot do without.
    """
    module, settings = backbone(choice)
    groups = input_groups(spec, scaling)
    with _computed_by(policy):
        hidden = module.build(groups, settings, seed)
    return with_output(groups, hidden, target, rate)


@contextmanager
def _computed_by(policy: str) -> Iterator[None]:
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        yield
    finally:
        tf.keras.mixed_precision.set_global_policy(before)


def constant(spec: InputSpec, target: Head, rate: float) -> Network:
    """Return a network that gives ``rate`` whatever the inputs, for a book that supports no training."""
    groups = input_groups(spec)
    return with_output(groups, groups.numeric, target, rate)


def with_output(groups: Groups, hidden: Any, target: Head, rate: float) -> Network:
    """Return the network of a head over hidden units."""
    score = target.output(hidden, rate, groups)
    # Named, because Keras would number the models of a process, and the ONNX file carries the name.
    scores = tf.keras.Model(groups.tensors, score, name="scores")
    says = tf.keras.Model(groups.tensors, probabilities(target, score), name="probabilities")
    return Network(scores, says)
