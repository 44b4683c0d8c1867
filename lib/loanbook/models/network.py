"""Whole networks in Keras: prepared inputs, backbone, output."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from loanbook.models.backbones import backbone
from loanbook.models.inputs.preprocessing import prepared
from loanbook.models.inputs.spec import InputSpec
from loanbook.settings.model import ModelSettings


@dataclass(frozen=True)
class Network:
    """Two views of the same weights: ``scores`` before the sigmoid, for the loss, and ``probabilities``."""

    scores: Any
    probabilities: Any

    @property
    def parameters(self) -> int:
        """Return the number of trainable weights."""
        return sum(int(np.prod(weight.shape)) for weight in self.scores.trainable_weights)

    @property
    def row_specs(self) -> list[Any]:
        """Return the shapes and types of ``feed``'s arguments, for any number of rows."""
        widths = [tensor.shape[1] for tensor in self.scores.inputs] + [0]
        return [
            tf.TensorSpec((None, width), dtype)
            for width, dtype in zip(widths, (tf.float32, tf.int32), strict=False)
        ]

    def feed(self, numeric: Any, codes: Any) -> list[Any]:
        """Return the tensors in the order of the network's inputs."""
        return [numeric, codes][: len(self.scores.inputs)]

    def restart_dropout(self, stream: int) -> None:
        """Begin the dropout masks of a rank and epoch."""
        for layer in self.scores.layers:
            if hasattr(layer, "restart"):
                layer.restart(stream)


def build_network(
    spec: InputSpec, settings: ModelSettings, *, rate: float, seed: int, max_one_hot: int
) -> Network:
    """Return a network that gives ``rate`` for every row until it is trained.

    The output starts with zero weights and the bias logit(rate): training begins at the best constant.
    """
    inputs, units = prepared(spec, max_one_hot, seed + 1000)
    return _with_output(
        inputs, backbone(settings.backbone).build(units, settings, seed), math.log(rate / (1 - rate))
    )


def build_logit(spec: InputSpec, weights: npt.NDArray[np.float64], bias: float) -> Network:
    """Return the logistic regression of the prepared inputs with the given weights."""
    inputs, units = prepared(spec, None)
    network = _with_output(inputs, units, bias)
    network.scores.get_layer("score").set_weights(
        [weights[:, None].astype(np.float32), np.array([bias], np.float32)]
    )
    return network


def _with_output(inputs: list[Any], units: Any, bias: float) -> Network:
    start = tf.keras.initializers.Constant(bias)
    score = tf.keras.layers.Dense(1, kernel_initializer="zeros", bias_initializer=start, name="score")(units)
    probability = tf.keras.layers.Activation("sigmoid", name="pd")(score)
    # Named, because Keras would number the models of a process, and the ONNX file carries the name.
    scores = tf.keras.Model(inputs, score, name="scores")
    return Network(scores, tf.keras.Model(inputs, probability, name="probabilities"))


def design_matrix(
    spec: InputSpec, numeric: npt.NDArray[np.float32], codes: npt.NDArray[np.int32], batch: int = 65_536
) -> npt.NDArray[np.float32]:
    """Return what the logistic regression takes: the output of the first layers, all categories one-hot."""
    inputs, units = prepared(spec, None)
    layers = tf.function(tf.keras.Model(inputs, units))
    parts = [
        layers([numeric[start : start + batch], codes[start : start + batch]][: len(inputs)]).numpy()
        for start in range(0, len(numeric), batch)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, units.shape[1]), np.float32)
