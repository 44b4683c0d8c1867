from typing import Any

import numpy as np
import pytest

from loanbook.settings.model import ModelSettings

pytestmark = pytest.mark.train


def settings(**own: Any) -> ModelSettings:
    return ModelSettings.model_validate(
        {"backbone": {"name": "mlp", "units": [4]}, "learning_rate": 0.1, **own}
    )


def rates(steps: int, workers: int = 1, **schedule: Any) -> list[float]:
    from loanbook.training.fit.optimizers import LearningRate

    rate = LearningRate(settings(epochs=4, schedule=schedule), 10, workers)
    return [float(rate(step)) for step in range(steps)]


def test_rates_by_step() -> None:
    assert rates(3, kind="constant") == pytest.approx([0.1] * 3)
    assert rates(801, kind="inverse_time")[800] == pytest.approx(0.05)
    cosine = rates(45, kind="cosine")
    assert cosine[0] == pytest.approx(0.1)
    assert cosine[10] == pytest.approx(0.05 * (1 + np.cos(np.pi / 4)))
    assert cosine[20] == pytest.approx(0.05)
    assert cosine[40:] == pytest.approx([0.0] * 5, abs=1e-9)
    assert rates(7, kind="constant", rise_epochs=0.5) == pytest.approx(
        [0.02, 0.04, 0.06, 0.08, 0.1, 0.1, 0.1]
    )
    assert rates(11, workers=3, warmup_epochs=1)[::5] == pytest.approx([0.1, 0.2, 0.3])


def network() -> Any:
    from loanbook.models.heads import head
    from loanbook.models.network import build_network
    from loanbook.settings.model import load_model_settings
    from tests.models.specs import SPEC

    return build_network(
        SPEC, load_model_settings("tabm").backbone, head("default_12m"), rate=0.1, seed=1
    ).scores


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_weight_decay_is_of_kernels_alone(optimizer: str) -> None:
    import tensorflow as tf

    from loanbook.training.fit.optimizers import build_optimizer

    weights = network().trainable_weights
    for weight in weights:
        weight.assign(tf.ones_like(weight))
    found = build_optimizer(settings(optimizer=optimizer, weight_decay=0.3), 10, 1, weights)
    found.apply_gradients([(tf.zeros_like(weight), weight) for weight in weights])
    left = {weight.name.split(":")[0]: float(weight.numpy().min()) for weight in weights}
    decayed = {name.split("/")[-1]: value for name, value in left.items() if value != 1}
    assert decayed == {"kernel": pytest.approx(1 - 0.1 * 0.3)}
    assert sum(value != 1 for value in left.values()) == len([n for n in left if n.endswith("kernel")])
    assert {"lines", "steps", "bias", "inward"} <= {name.split("/")[-1] for name in left}


def test_gradients_beyond_the_norm_are_scaled_down_together() -> None:
    import tensorflow as tf

    from loanbook.training.fit.optimizers import build_optimizer

    def moved(size: float) -> Any:
        weights = [tf.Variable([0.0, 0.0]), tf.Variable([0.0])]
        chosen = settings(optimizer="sgd", momentum=0.0, clip_norm=1.0)
        build_optimizer(chosen, 10, 1, weights).apply_gradients(
            zip([tf.constant([2.0, 2.0]) * size, tf.constant([1.0]) * size], weights, strict=True)
        )
        return np.concatenate([weight.numpy() for weight in weights])

    np.testing.assert_allclose(moved(5.0), -0.1 * np.array([2, 2, 1]) / 3, rtol=1e-5)
    np.testing.assert_allclose(moved(0.1), -0.1 * np.array([0.2, 0.2, 0.1]), rtol=1e-5)
