from typing import Any

import numpy as np
import pytest

from loanbook.models.artefact.predictor import Predictor
from loanbook.models.calibration import Calibration
from loanbook.models.heads import head
from loanbook.settings.choice import Choice
from loanbook.settings.model import Emphasis
from tests.models.specs import SPEC, some_inputs
from tests.models.vector_head import HEAD as NEXT_MOVE

pytestmark = pytest.mark.train

DEFAULT = head("default_12m")
SUBMODELS = 3


def sigmoid(scores: Any) -> Any:
    return 1 / (1 + np.exp(-scores))


def softmax(scores: Any) -> Any:
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def network(target: Any = DEFAULT, **own: Any) -> Any:
    from loanbook.models.network import build_network

    choice = Choice.model_validate(
        {
            "name": "tabm",
            "submodels": SUBMODELS,
            "units": [5, 4],
            "max_one_hot": 30,
            "embedding": {"name": "piecewise_linear", "size": 2},
            **own,
        }
    )
    return build_network(SPEC, choice, target, rate=0.1, seed=7)


def shuffled(net: Any, seed: int = 2) -> Any:
    rng = np.random.default_rng(seed)
    for weight in net.scores.trainable_weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return net


def test_probabilities_are_the_mean_of_the_submodels() -> None:
    net, inputs = shuffled(network()), list(some_inputs(40))
    scores = net.scores(inputs).numpy().astype(np.float64)
    assert scores.shape == (40, SUBMODELS, 1)
    assert (np.ptp(scores[:, :, 0], axis=1) > 0.01).all()  # they differ
    expected = sigmoid(scores).mean(axis=1)
    np.testing.assert_allclose(net.probabilities(inputs).numpy(), expected, rtol=1e-5)
    moves = shuffled(network(NEXT_MOVE))
    scores = moves.scores(inputs).numpy().astype(np.float64)
    np.testing.assert_allclose(moves.probabilities(inputs).numpy(), softmax(scores).mean(axis=1), rtol=1e-4)


def test_training_takes_the_mean_of_losses_and_stopping_the_loss_of_the_mean() -> None:
    import tensorflow as tf

    from loanbook.models.submodels import losses_of_mean, losses_to_train

    scores = np.array([[[-2.0], [1.0], [0.5]], [[90.0], [95.0], [99.0]], [[-20.0], [-17.0], [-30.0]]])
    targets = tf.constant([[1.0], [0.0], [0.0]])
    right = np.where(targets.numpy()[:, :, None] > 0, scores, -scores)[:, :, 0]
    losses = np.log1p(np.exp(-right))
    given = tf.constant(scores, tf.float32)
    found = losses_to_train(DEFAULT, given, targets).numpy()
    np.testing.assert_allclose(found, losses.mean(axis=1), rtol=1e-5)
    found = losses_of_mean(DEFAULT, given, targets).numpy()
    # sigmoid(-90) is exp(-90), and -log sigmoid(20) is exp(-20), to 8 digits.
    of_mean = [
        -np.log(sigmoid(right[0]).mean()),
        -np.log(np.exp(right[1]).mean()),
        np.exp(scores[2]).mean(),
    ]
    np.testing.assert_allclose(found, of_mean, rtol=1e-5)


def test_losses_of_one_model_are_the_heads() -> None:
    import tensorflow as tf

    from loanbook.models.submodels import losses_of_mean, losses_to_train

    scores, targets = tf.constant([[0.3], [-1.0]]), tf.constant([[1.0], [0.0]])
    for losses in (losses_of_mean, losses_to_train):
        np.testing.assert_array_equal(
            losses(DEFAULT, scores, targets), DEFAULT.losses(scores, targets).numpy()
        )


def test_losses_of_several_outputs_are_of_their_mean_too() -> None:
    import tensorflow as tf

    from loanbook.models.submodels import losses_of_mean

    scores, moves = np.random.default_rng(1).normal(size=(6, SUBMODELS, 3)), np.array([0, 1, 2, 0, 1, 2])
    given = tf.constant(scores, tf.float32), tf.constant(moves[:, None], tf.float32)
    expected = -np.log(softmax(scores).mean(axis=1)[np.arange(6), moves])
    np.testing.assert_allclose(losses_of_mean(NEXT_MOVE, *given).numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("sharing", ["mini", "full"])
def test_tabm_equals_numpy_submodel_by_submodel(sharing: str) -> None:
    import tensorflow as tf

    net, inputs = shuffled(network(sharing=sharing)), list(some_inputs(30))
    names = ["prepared", "activation_1"]
    layers = tf.keras.Model(net.scores.inputs, [net.scores.get_layer(name).output for name in names])
    x, found = (tensor.numpy().astype(np.float64) for tensor in layers(inputs))
    for number in range(SUBMODELS):
        units = x
        for layer in (net.scores.get_layer("tabm_0"), net.scores.get_layer("tabm_1")):
            own = {weight.name.split("/")[-1][:-2]: weight.numpy() for weight in layer.weights}
            part = {name: value[min(number, len(value) - 1)] for name, value in own.items()}
            units = (units * part.get("inward", 1)) @ own["kernel"] * part.get("outward", 1) + part["bias"]
            units = np.maximum(units, 0)
        np.testing.assert_allclose(found[:, number], units, rtol=1e-3, atol=1e-4)


def test_submodels_begin_apart_by_one_factor_an_input() -> None:
    factors = network().scores.get_layer("tabm_0").get_weights()[1]
    assert factors.shape[0] == SUBMODELS
    # Two units for each of 3 numbers, 2 flags, 3 and 21 one-hot units, 8 for each text, 6 a step.
    begins = np.cumsum([0, 2, 2, 2, 1, 1, 3, 21, 8, 8, 6, 6])
    assert factors.shape[1] == begins[-1] + 6
    alike = np.repeat(factors[:, begins], np.diff([*begins, factors.shape[1]]), axis=1)
    np.testing.assert_array_equal(factors, alike)
    assert not (factors[0] == factors[1]).any()
    signs = network(embedding=None).scores.get_layer("tabm_0").get_weights()[1]
    assert set(np.unique(signs)) == {-1.0, 1.0}


def test_a_row_teaches_each_submodel_by_its_own_loss() -> None:
    import tensorflow as tf

    from loanbook.models.submodels import losses_to_train

    scores = tf.Variable([[[-2.0], [1.0], [3.0]]])
    with tf.GradientTape() as tape:
        loss = losses_to_train(DEFAULT, scores, tf.constant([[1.0]]))
    found = tape.gradient(loss, scores).numpy()[0, :, 0]
    np.testing.assert_allclose(found, (sigmoid(np.array([-2.0, 1.0, 3.0])) - 1) / SUBMODELS, rtol=1e-5)


def test_members_that_have_submodels_give_their_mean() -> None:
    from loanbook.models.artefact.export import onnx_bytes
    from loanbook.models.artefact.mean_onnx import mean_of

    members = [shuffled(network(), seed=seed) for seed in (1, 2)]
    inputs = some_inputs(50)
    each = np.stack([member.probabilities(list(inputs)).numpy() for member in members], axis=1)
    together = mean_of([onnx_bytes(member.probabilities) for member in members])
    predictor = Predictor(together, SPEC, Calibration(method="none"), DEFAULT)
    np.testing.assert_allclose(predictor.members(*inputs), each, atol=1e-6)
    np.testing.assert_allclose(predictor.predict(*inputs)[0], each.mean(axis=1), atol=1e-6)
    assert np.ptp(each, axis=1).max() > 0.01


@pytest.mark.parametrize("shape", [(6, 1), (6, SUBMODELS, 1)])
def test_emphasis_weighs_positives_and_what_is_hard(shape: tuple[int, ...]) -> None:
    import tensorflow as tf

    from loanbook.models.submodels import losses_to_train

    rng = np.random.default_rng(3)
    scores, label = rng.normal(size=shape), np.array([0, 1, 0, 1, 1, 0])
    given = tf.constant(scores, tf.float32), tf.constant(label[:, None], tf.float32)
    emphasis = Emphasis(positive_weight=5.0, focal=2.0)
    found = losses_to_train(DEFAULT, *given, emphasis).numpy()
    for row, came in enumerate(label):
        p = 1 / (1 + np.exp(-(scores[row].ravel() + np.log(5.0))))
        right = p if came else 1 - p
        each = (1 - right) ** 2 * -np.log(right) * (5.0 if came else 1.0)
        assert found[row] == pytest.approx(each.mean(), rel=1e-4)
    np.testing.assert_array_equal(
        losses_to_train(DEFAULT, *given, Emphasis()).numpy(), losses_to_train(DEFAULT, *given).numpy()
    )


def test_a_row_that_is_certain_leaves_a_focal_loss_its_gradient() -> None:
    import tensorflow as tf

    from loanbook.models.submodels import losses_to_train

    scores, label = tf.Variable([[200.0], [-200.0], [1.0]]), tf.constant([[1.0], [0.0], [1.0]])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(losses_to_train(DEFAULT, scores, label, Emphasis(focal=0.5)))
    found = tape.gradient(loss, scores).numpy()[:, 0]
    p = float(sigmoid(1.0))
    expected = 0.5 * p * (1 - p) ** 0.5 * np.log(p) - (1 - p) ** 1.5
    np.testing.assert_allclose(found, [0, 0, expected], rtol=1e-5, atol=1e-12)


def test_a_weight_of_positives_leaves_the_level() -> None:
    import tensorflow as tf

    from loanbook.models.submodels import losses_to_train

    label = tf.constant(np.repeat([1.0, 0.0], [3, 97])[:, None], tf.float32)
    score = tf.Variable([[0.0]])
    optimizer = tf.keras.optimizers.Adam(0.1)
    for _ in range(400):
        with tf.GradientTape() as tape:
            losses = losses_to_train(
                DEFAULT, tf.repeat(score, 100, axis=0), label, Emphasis(positive_weight=10.0)
            )
            loss = tf.reduce_mean(losses)
        optimizer.apply_gradients([(tape.gradient(loss, score), score)])
    assert sigmoid(score.numpy().item()) == pytest.approx(0.03, rel=0.01)
