from typing import Any

import numpy as np
import pytest

from loanbook.errors import InputError, LoanbookError
from loanbook.models.artefact.predictor import Predictor
from loanbook.models.calibration import Calibration
from loanbook.models.heads import head
from loanbook.models.inputs.spec import InputSpec
from loanbook.settings.model import load_model_settings
from tests.models.specs import SPEC, some_inputs

pytestmark = pytest.mark.train

SLOPED = Calibration(method="platt", intercept=0.3, slope=1.5)
UNCHANGED = Calibration(method="none")
DEFAULT = head("default_12m")


def network(architecture: str = "mlp_64_32", spec: InputSpec = SPEC, seed: int = 1) -> Any:
    from loanbook.models.network import build_network

    choice = load_model_settings(architecture).backbone
    return build_network(spec, choice, head("default_12m"), rate=0.03, seed=seed)


def with_output(net: Any, seed: int = 2) -> Any:
    kernel = np.random.default_rng(seed).normal(
        scale=0.1, size=net.scores.get_layer("score").get_weights()[0].shape
    )
    net.scores.get_layer("score").set_weights([kernel, np.array([-3.0])])
    return net


# 3 numbers, 2 flags, 3 one-hot states, 5 embedded areas, 8 for each of two texts, and 3 steps of a balance,
# its flag and 4 one-hot codes: 47 prepared inputs; embeddings of 21 areas in 5, and of 6 and 3 words in 8.
EMBEDDINGS = 21 * 5 + (6 + 3) * 8


@pytest.mark.parametrize(
    ("architecture", "parameters"),
    [
        ("mlp_64_32", 47 * 64 + 64 + 64 * 32 + 32 + 33 + EMBEDDINGS),
        ("deep_five_layer", 47 * 200 + 200 + 200 * 140 + 140 + 3 * (140 * 140 + 140) + 141 + EMBEDDINGS),
    ],
)
def test_parameter_count(architecture: str, parameters: int) -> None:
    assert network(architecture).parameters == parameters


@pytest.mark.parametrize("architecture", ["mlp_64_32", "deep_five_layer"])
def test_onnx_equals_keras(architecture: str) -> None:
    from loanbook.models.artefact.export import onnx_bytes

    net, (numeric, codes) = with_output(network(architecture)), some_inputs(20_000)
    found, calibrated = Predictor(onnx_bytes(net.probabilities), SPEC, UNCHANGED, DEFAULT).predict(
        numeric, codes
    )
    np.testing.assert_allclose(found, net.probabilities([numeric, codes]).numpy(), atol=1e-6)
    np.testing.assert_array_equal(calibrated, found)
    assert np.ptp(found) > 0.01


def test_equal_networks_give_equal_files() -> None:
    from loanbook.models.artefact.export import onnx_bytes

    one, same, other = (
        onnx_bytes(with_output(network("deep_five_layer", seed=seed)).probabilities) for seed in (1, 1, 2)
    )
    assert one == same != other


def test_an_untrained_network_gives_the_rate() -> None:
    numeric, codes = some_inputs()
    pd = network().probabilities([numeric, codes]).numpy()
    np.testing.assert_allclose(pd, 0.03, rtol=1e-6)


def test_a_spec_without_categories() -> None:
    from loanbook.models.artefact.export import onnx_bytes

    spec = SPEC.model_copy(update={"categorical": (), "text": (), "categorical_sequences": ()})
    numeric, codes = some_inputs()
    predictor = Predictor(onnx_bytes(with_output(network(spec=spec)).probabilities), spec, UNCHANGED, DEFAULT)
    assert predictor.predict(numeric)[0].shape == (500, 1)
    with pytest.raises(InputError, match="6 columns of numbers and 0 of codes"):
        predictor.predict(numeric, codes)
    with pytest.raises(InputError, match="found:    2 and 0"):
        predictor.predict(numeric[:, :2])


def test_a_spec_with_texts_and_no_category() -> None:
    from loanbook.models.artefact.export import onnx_bytes

    spec = SPEC.model_copy(update={"categorical": ()})
    numeric, codes = some_inputs()
    words, net = codes[:, len(SPEC.categorical) :], with_output(network(spec=spec))
    found, _ = Predictor(onnx_bytes(net.probabilities), spec, UNCHANGED, DEFAULT).predict(numeric, words)
    np.testing.assert_allclose(found, net.probabilities([numeric, words]).numpy(), atol=1e-6)


def test_weights_travel_as_bytes() -> None:
    from loanbook.models.artefact.export import load_weights, weight_bytes

    net, numeric_codes = with_output(network("deep_five_layer")), list(some_inputs())
    content = weight_bytes(net)
    assert weight_bytes(net) == content
    other = network("deep_five_layer", seed=9)
    load_weights(other, content)
    np.testing.assert_array_equal(other.scores(numeric_codes), net.scores(numeric_codes))


def test_members_give_their_mean() -> None:
    from loanbook.models.artefact.export import onnx_bytes
    from loanbook.models.artefact.mean_onnx import mean_of

    members = [with_output(network(seed=seed), seed) for seed in (1, 2, 3)]
    numeric, codes = some_inputs()
    mean = np.mean([member.probabilities([numeric, codes]).numpy() for member in members], axis=0)
    files = [onnx_bytes(member.probabilities) for member in members]
    together = Predictor(mean_of(files), SPEC, UNCHANGED, DEFAULT)
    np.testing.assert_allclose(together.predict(numeric, codes)[0], mean, atol=1e-6)
    own = [Predictor(content, SPEC, SLOPED, DEFAULT).predict(numeric, codes)[1] for content in files]
    calibrated = Predictor(mean_of(files), SPEC, SLOPED, DEFAULT).predict(numeric, codes)[1]
    np.testing.assert_allclose(calibrated, np.mean(own, axis=0), atol=1e-6)
    for number, content in enumerate(files):
        alone = Predictor(content, SPEC, UNCHANGED, DEFAULT).members(numeric, codes)
        np.testing.assert_allclose(together.members(numeric, codes, number), alone, atol=1e-7)
    assert mean_of(files[:1]) is files[0]


def test_dropout_acts_in_training_only_and_repeats() -> None:
    net, batch = with_output(network("deep_five_layer")), list(some_inputs())
    plain = net.scores(batch).numpy()
    np.testing.assert_array_equal(plain, net.scores(batch, training=False))

    def dropped(stream: int) -> Any:
        net.restart_dropout(stream)
        return [net.scores(batch, training=True).numpy() for _ in range(2)]

    first, second = dropped(5)
    assert not np.array_equal(first, plain)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(dropped(5), [first, second])
    assert not np.array_equal(dropped(6)[0], first)


@pytest.mark.parametrize("shape", [(4000, 3), (101, 5, 7)])
@pytest.mark.parametrize(("rate", "share"), [(0.1, 26 / 256), (0.5, 0.5), (0.001, 1 / 256), (0.0, 0.0)])
def test_dropout_zeroes_its_share_and_keeps_the_mean(shape: Any, rate: float, share: float) -> None:
    import tensorflow as tf

    from loanbook.models.dropout import Dropout

    layer = Dropout(rate, seed=1)
    found = layer(tf.ones(shape), training=True).numpy()
    assert layer.share == share
    assert np.mean(found == 0) == pytest.approx(share, abs=0.02)
    np.testing.assert_allclose(found[found != 0], 1 / (1 - share), rtol=1e-6)
    assert found.shape == shape


def test_a_layer_that_becomes_a_loop_is_refused_by_name() -> None:
    import tensorflow as tf

    from loanbook.models.artefact.export import onnx_bytes

    steps = tf.keras.Input((3, 2), name="numeric")
    masked = tf.keras.layers.GRU(2)(tf.keras.layers.Masking()(steps))
    with pytest.raises(LoanbookError, match="ONNX makes a Loop of one of its layers.*unroll=True"):
        onnx_bytes(tf.keras.Model(steps, masked))
    unrolled = tf.keras.layers.GRU(2, unroll=True)(tf.keras.layers.Masking()(steps))
    assert onnx_bytes(tf.keras.Model(steps, unrolled))
