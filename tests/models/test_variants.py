"""Settings of backbones that no shipped architecture uses."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loanbook.models.artefact.predictor import Predictor
from loanbook.models.calibration import Calibration
from loanbook.models.heads import head
from tests.models.specs import SPEC, some_inputs
from tests.models.trained import network, undisturbed_and_resumed

pytestmark = pytest.mark.train

TARGET = head("default_12m")


VARIANTS = {
    "layer": "{name: mlp, units: [16, 16, 12], dropout: 0.1, residual: true, normalisation: layer}",
    "batch": "{name: mlp, units: [16, 16, 12], dropout: 0.1, residual: true, normalisation: batch}",
    "full": "{name: tabm, sharing: full, submodels: 3, units: [16, 12], embedding: {name: periodic}}",
}


def file(folder: Path, backbone: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(f"backbone: {backbone}\nlearning_rate: 0.01\nweight_decay: 0.01\nclip_norm: 1.0\n")
    return str(path)


def kept(net: Any) -> list[Any]:
    return [weight.numpy() for weight in net.kept]


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_trains_resumes_saves_and_exports(variant: str, tmp_path: Path) -> None:
    from loanbook.models.artefact.export import load_weights, onnx_bytes, weight_bytes

    mine = file(tmp_path, VARIANTS[variant])
    first = kept(network(mine, TARGET))
    (whole, undisturbed), (resumed, after) = undisturbed_and_resumed(mine, TARGET, tmp_path)
    assert len(whole.kept) - len(whole.scores.trainable_weights) == (6 if variant == "batch" else 0)
    assert after.history == undisturbed.history
    assert undisturbed.best_epoch > 0
    for before, one, other in zip(first, kept(whole), kept(resumed), strict=True):
        np.testing.assert_array_equal(one, other)
        assert (before != one).any()

    inputs, again = some_inputs(64), network(mine, TARGET)
    load_weights(again, weight_bytes(whole))
    found = whole.probabilities(list(inputs)).numpy()
    np.testing.assert_array_equal(again.probabilities(list(inputs)).numpy(), found)
    raw, _ = Predictor(onnx_bytes(whole.probabilities), SPEC, Calibration(method="none"), TARGET).predict(
        *inputs
    )
    np.testing.assert_allclose(raw, found, atol=1e-6)


def test_a_residual_layer_adds_what_it_takes_where_both_are_as_wide(tmp_path: Path) -> None:
    import tensorflow as tf

    net = network(file(tmp_path, "{name: mlp, units: [16, 16, 12], residual: true}"), TARGET)
    names = ["dense_0", "dense_1", "dense_2"]
    before = [net.scores.get_layer(name).input for name in names]
    inputs = list(some_inputs(20))
    tensors = tf.keras.Model(net.scores.inputs, [*before, net.scores.get_layer("score").input])(inputs)
    taken = [tensor.numpy() for tensor in tensors]
    for place, name in enumerate(names):
        kernel, bias = net.scores.get_layer(name).get_weights()
        made = np.maximum(taken[place] @ kernel + bias, 0)
        expected = made + taken[place] if name == "dense_1" else made
        np.testing.assert_allclose(taken[place + 1], expected, rtol=1e-4, atol=1e-5)
