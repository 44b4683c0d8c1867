"""A Keras network to the bytes of an ONNX file and of its weights."""

import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf

from loanbook.models.artefact.onnx_names import canonical_graph
from loanbook.models.network import Network

OPSET = 17


def onnx_bytes(model: Any) -> bytes:
    """Return a Keras model of probabilities as an ONNX model with inputs ``numeric`` and ``codes``."""
    import tf2onnx

    signature = [
        tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype, name=tensor.name) for tensor in model.inputs
    ]
    proto, _ = tf2onnx.convert.from_keras(model, input_signature=signature, opset=OPSET)
    return bytes(canonical_graph(proto).SerializeToString())


def weight_bytes(network: Network) -> bytes:
    """Return the weights as an HDF5 file, for ``load_weights`` of a network built from the same settings.

    Of a network that kept some of its submodels, that is one of so many (``backbones.with_submodels``).
    """
    network.restart_dropout(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.weights.h5")
        network.scores.save_weights(path)
        return path.read_bytes()


def load_weights(network: Network, content: bytes) -> Any:
    """Set the network's weights to those of ``weight_bytes``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.weights.h5")
        path.write_bytes(content)
        network.scores.load_weights(path)
