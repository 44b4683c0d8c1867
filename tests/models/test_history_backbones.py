from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from loanbook.errors import InputError
from loanbook.models.backbones import attention, backbone
from loanbook.models.heads import head
from loanbook.settings.choice import Choice
from tests.models.specs import SPEC, some_inputs

pytestmark = pytest.mark.train

BACKBONES = ("gru", "lstm", "attention")


def network(name: str, **own: Any) -> Any:
    from loanbook.models.network import build_network

    choice = Choice.model_validate({"name": name, "width": 4, "units": [5], **own})
    return build_network(SPEC, choice, head("default_12m"), rate=0.1, seed=7)


def shuffled(weighted: Any, seed: int = 2) -> Any:
    rng = np.random.default_rng(seed)
    for weight in weighted.trainable_weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return weighted


def sigmoid(scores: Any) -> Any:
    return 1 / (1 + np.exp(-scores))


@pytest.mark.parametrize("name", BACKBONES)
def test_the_onnx_file_has_the_operator_and_no_loop(name: str) -> None:
    import onnx

    from loanbook.models.artefact.export import onnx_bytes

    graph = onnx.load_from_string(onnx_bytes(network(name).probabilities)).graph
    operators = {node.op_type for node in graph.node}
    assert not {"Loop", "Scan", "If"} & operators
    assert {"gru": "GRU", "lstm": "LSTM", "attention": "Softmax"}[name] in operators


def test_a_gru_equals_numpy_month_by_month() -> None:
    import tensorflow as tf

    net, inputs = network("gru"), list(some_inputs(30))
    shuffled(net.scores)
    layers = [net.scores.get_layer(name) for name in ("months", "gru", "last_and_mean")]
    found = tf.keras.Model(net.scores.inputs, [layer.output for layer in layers])(inputs)
    months, states, read = (tensor.numpy().astype(np.float64) for tensor in found)
    kernel, recurrent, bias = (weight.numpy() for weight in layers[1].weights)
    state = np.zeros((30, 4))
    for month in range(3):
        x = np.split(months[:, month] @ kernel + bias[0], 3, axis=1)
        h = np.split(state @ recurrent + bias[1], 3, axis=1)
        update, reset = sigmoid(x[0] + h[0]), sigmoid(x[1] + h[1])
        state = update * state + (1 - update) * np.tanh(x[2] + reset * h[2])
        np.testing.assert_allclose(states[:, month], state, atol=1e-5)
    known = months[:, :, -1]
    assert known.sum(axis=1).min() == 0  # of a loan that nothing is known of, the mean is 0
    mean = (states * known[:, :, None]).sum(axis=1) / np.maximum(known.sum(axis=1), 1)[:, None]
    np.testing.assert_allclose(read, np.hstack([state, mean]), atol=1e-5)


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_training_reads_the_months_as_scoring_does(name: str) -> None:
    net, inputs = network(name), list(some_inputs(20))
    shuffled(net.scores)
    weights = len(net.scores.trainable_weights)
    found = net.scores(inputs, training=True).numpy()
    np.testing.assert_allclose(found, net.scores(inputs, training=False).numpy(), atol=1e-5)
    assert len(net.scores.trainable_weights) == weights


def test_attention_is_over_known_months_alone() -> None:
    import tensorflow as tf

    from loanbook.models.backbones._history_layers import Encoder

    rng = np.random.default_rng(4)
    months, other = rng.normal(size=(2, 6, 5, 8)).astype(np.float32)
    present = np.ones((6, 5), np.float32)
    present[:, :2] = 0
    layer = Encoder(8, 2, seed=3)
    layer([months, present])
    shuffled(layer)
    found = layer([months, present]).numpy()[:, 2:]
    alone = layer([months[:, 2:], present[:, 2:]]).numpy()
    np.testing.assert_allclose(found, alone, atol=1e-5)
    changed = np.concatenate([other[:, :2], months[:, 2:]], axis=1)
    np.testing.assert_allclose(found, layer([changed, present]).numpy()[:, 2:], atol=1e-5)
    everywhere = layer([changed, tf.ones((6, 5))]).numpy()[:, 2:]
    assert np.abs(found - everywhere).max() > 0.01
    assert np.isfinite(layer([months, np.zeros((6, 5), np.float32)]).numpy()).all()


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("column", [0, 3, 5], ids=["a number", "the first month", "the last month"])
def test_every_group_of_inputs_is_read(name: str, column: int) -> None:
    net = network(name)
    shuffled(net.scores)
    numeric, codes = some_inputs(50)
    numeric[:, column] = 0.5
    found = net.probabilities([numeric, codes]).numpy()
    numeric[:, column] = 1.0
    assert np.abs(net.probabilities([numeric, codes]).numpy() - found).max() > 1e-4


def test_heads_share_the_width_evenly() -> None:
    assert attention.Settings().heads == 4
    with pytest.raises(ValidationError, match="4 heads cannot share a width of 6 evenly"):
        attention.Settings(width=6)
    with pytest.raises(InputError, match="4 heads cannot share a width of 6 evenly"):
        backbone(Choice.model_validate({"name": "attention", "width": 6}))


def test_where_no_month_is_known_attention_takes_all_alike() -> None:
    from loanbook.models.backbones._history_layers import Encoder

    months = 20 * np.random.default_rng(3).normal(size=(2, 6, 8)).astype(np.float32)
    present = np.array([[0] * 6, [0, 0, 1, 1, 1, 1]], np.float32)
    encoder = Encoder(8, 2, seed=1)
    encoder([months, present])
    mixed = encoder._attention(months, present).numpy()
    np.testing.assert_allclose(mixed[0], np.broadcast_to(mixed[0, 0], (6, 8)), atol=1e-5)
    assert np.ptp(mixed[1], axis=0).max() > 0.1
    hidden = months.copy()
    hidden[1, :2] = 7  # what is not known has no part in the months after it
    np.testing.assert_allclose(encoder._attention(hidden, present).numpy()[1, 2:], mixed[1, 2:], atol=1e-5)
