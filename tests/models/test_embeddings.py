from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loanbook.errors import InputError
from loanbook.models.backbones import backbone, require_groups
from loanbook.models.embeddings import embedding
from loanbook.settings.choice import Choice
from tests.models.specs import SPEC, some_inputs

pytestmark = pytest.mark.train

PLE = {"name": "piecewise_linear", "bins": 4, "size": 3}


def layer_model(choice: dict[str, Any]) -> tuple[Any, Any]:
    """The standardised numbers, and the embedded ones, of a network's inputs."""
    import tensorflow as tf

    from loanbook.models.embeddings import embedded
    from loanbook.models.inputs.groups import input_groups

    groups = input_groups(SPEC)
    units = embedded(groups, Choice.model_validate(choice), seed=4)
    return tf.keras.Model(groups.tensors, [groups.numeric, units]), units


def edges_of(item: Any, bins: int) -> Any:
    """Every so many of the edges, in the scale of the network."""
    edges = np.array(item.edges)
    if len(edges) > bins + 1:
        edges = edges[np.round(np.linspace(0, len(edges) - 1, bins + 1)).astype(int)]
    return ((np.log1p(edges) if item.log else edges) - item.mean) / item.std


def piecewise(x: Any, edges: Any, lines: Any, steps: Any) -> Any:
    """The embedding from its definition, a bin at a time."""
    total = x[:, None] * lines[0] + lines[1]
    for place, (low, high) in enumerate(pairwise(edges)):
        total = total + np.clip((x - low) / (high - low), 0, 1)[:, None] * steps[place]
    return total


def test_piecewise_linear_embeddings_equal_numpy() -> None:
    model, _ = layer_model(PLE)
    layer, rng = model.get_layer("piecewise_linear"), np.random.default_rng(1)
    weights = [rng.normal(size=weight.shape) for weight in layer.get_weights()]
    layer.set_weights(weights)
    x, found = (tensor.numpy() for tensor in model(list(some_inputs())))
    assert found.shape == (500, 3, 3)
    for number, item in enumerate(SPEC.numeric):
        lines, steps = (weight[number] for weight in weights)
        expected = piecewise(x[:, number].astype(np.float64), edges_of(item, 4), lines, steps)
        np.testing.assert_allclose(found[:, number], expected, atol=2e-5)


def test_they_are_linear_until_trained_and_a_bin_moves_what_is_above_it() -> None:
    model, _ = layer_model(PLE)
    layer = model.get_layer("piecewise_linear")
    lines, steps = layer.get_weights()
    x, found = (tensor.numpy() for tensor in model(list(some_inputs())))
    np.testing.assert_allclose(found, x[:, :, None] * lines[:, 0] + lines[:, 1], atol=1e-5)
    steps[0, 1] = 1.0
    layer.set_weights([lines, steps])
    moved = model(list(some_inputs()))[1].numpy() - found
    low, high = edges_of(SPEC.numeric[0], 4)[1:3]
    assert (moved[x[:, 0] <= low, 0] == 0).all()
    np.testing.assert_allclose(moved[x[:, 0] >= high, 0], 1, atol=1e-5)
    assert (moved[:, 1:] == 0).all()


def test_periodic_embeddings_equal_numpy() -> None:
    model, _ = layer_model({"name": "periodic", "frequencies": 5, "size": 3, "spread": 0.5})
    frequencies, waves, bias = model.get_layer("periodic").get_weights()
    x, found = (tensor.numpy() for tensor in model(list(some_inputs())))
    for number in range(len(SPEC.numeric)):
        angle = 2 * np.pi * x[:, number, None].astype(np.float64) * frequencies[number].T
        expected = np.concatenate([np.cos(angle), np.sin(angle)], axis=1) @ waves[number] + bias[number]
        np.testing.assert_allclose(found[:, number], np.maximum(expected, 0), atol=2e-5)


@pytest.mark.parametrize("choice", [PLE, {"name": "periodic"}], ids=lambda item: item["name"])
def test_embeddings_in_onnx_runtime_equal_keras(choice: dict[str, Any]) -> None:
    import onnxruntime
    import tensorflow as tf
    import tf2onnx

    model, units = layer_model(choice)
    for layer in model.layers:
        rng = np.random.default_rng(1)
        layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
    alone = tf.keras.Model(model.inputs[0], units)
    signature = [tf.TensorSpec((None, model.inputs[0].shape[1]), tf.float32, name="numeric")]
    proto, _ = tf2onnx.convert.from_keras(alone, input_signature=signature, opset=17)
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    numeric, _ = some_inputs()
    found = session.run(None, {"numeric": numeric})[0]
    np.testing.assert_allclose(found, alone(numeric).numpy(), atol=2e-4)


def test_an_unknown_embedding_or_setting_is_refused_with_the_backbone() -> None:
    def chosen(**own: Any) -> Choice:
        return Choice.model_validate({"name": "mlp", "units": [8], "embedding": own})

    assert embedding(Choice(name="piecewise_linear"))[1].model_dump() == {"bins": 24, "size": 8}
    with pytest.raises(InputError, match="did you mean 'piecewise_linear'"):
        backbone(chosen(name="piecewise_linea"))
    with pytest.raises(InputError, match=r"unknown key 'bin' \(did you mean 'bins'\?\)"):
        backbone(chosen(name="piecewise_linear", bin=3))


def test_a_spec_without_bins_is_refused_where_they_are_needed(tmp_path: Path) -> None:
    earlier = [item.model_copy(update={"edges": ()}) for item in SPEC.numeric]
    spec = SPEC.model_copy(update={"numeric": tuple(earlier)})
    needing, periodic = (
        Choice.model_validate({"name": "mlp", "units": [8], "embedding": {"name": name}})
        for name in ("piecewise_linear", "periodic")
    )
    require_groups(needing, SPEC)
    require_groups(periodic, spec)
    with pytest.raises(InputError, match="none of ltv: an earlier version made the training snapshot"):
        require_groups(needing, spec)
