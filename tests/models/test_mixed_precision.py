"""Mixed precision, on a CPU: what it computes, not how fast."""

from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loanbook.errors import InputError
from loanbook.models.artefact.predictor import Predictor
from loanbook.models.calibration import Calibration
from loanbook.models.heads import head
from loanbook.settings.model import load_model_settings
from loanbook.training.fit.alone import Alone
from loanbook.training.fit.worker import require_devices
from tests.models.specs import SPEC, some_inputs

pytestmark = pytest.mark.train

DEFAULT = head("default_12m")
ROWS = 64


def network(architecture: str, policy: str, seed: int = 3) -> Any:
    import tensorflow as tf

    from loanbook.models.network import build_network

    tf.keras.backend.clear_session()
    net = build_network(
        SPEC, load_model_settings(architecture).backbone, DEFAULT, rate=0.2, seed=seed, policy=policy
    )
    rng = np.random.default_rng(1)
    for weight in net.scores.get_layer("score").trainable_weights[:1]:  # else all rows would be alike
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    return net


@pytest.mark.parametrize(
    ("architecture", "policy"),
    [
        *((name, "mixed_float16") for name in ("mlp_64_32", "tabm", "gru", "lstm", "attention")),
        ("tabm", "mixed_bfloat16"),
    ],
)
def test_scores_and_the_exported_file_are_float32(architecture: str, policy: str) -> None:
    import onnx
    import tensorflow as tf

    from loanbook.models.artefact.export import onnx_bytes

    mixed, inputs = network(architecture, policy), list(some_inputs(ROWS))
    found = mixed.scores(inputs)
    assert found.dtype == mixed.probabilities(inputs).dtype == tf.float32
    assert mixed.scores.get_layer("score").input.dtype.name == policy.removeprefix("mixed_")
    assert np.isfinite(found.numpy()).all()
    assert {weight.dtype.base_dtype for weight in mixed.kept} == {tf.float32}
    assert tf.keras.mixed_precision.global_policy().name == "float32"

    plain = network(architecture, "float32", seed=4)
    plain.take(mixed)
    content = onnx_bytes(plain.probabilities)
    types = {item.data_type for item in onnx.load_from_string(content).graph.initializer}
    assert not types & {onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16}
    pds = Predictor(content, SPEC, Calibration(method="none"), DEFAULT).predict(*inputs)[0]
    assert np.ptp(pds) > 0.02
    np.testing.assert_allclose(pds, plain.probabilities(inputs).numpy(), atol=1e-6)
    np.testing.assert_allclose(pds, mixed.probabilities(inputs).numpy(), atol=0.02)


@pytest.mark.parametrize("mixed", [True, False])
def test_a_scaled_loss_teaches_as_a_plain_one(mixed: bool, tmp_path: Path) -> None:
    import tensorflow as tf

    from loanbook.training.fit.loop import Loop

    numeric, codes = some_inputs(ROWS)
    label = (codes[:, :1] == 2).astype(np.float32)
    rows = tf.data.Dataset.from_tensors((numeric, codes, label, np.ones(ROWS, np.float32)))
    settings = load_model_settings("tabm").model_copy(update={"mixed_precision": mixed, "batch_size": ROWS})

    @contextmanager
    def epoch(number: int) -> Any:
        yield rows

    net = network("tabm", "mixed_float16" if mixed else "float32")
    loop = Loop(net, DEFAULT, settings, Alone(), rows=ROWS, checkpoint=tmp_path / "none", seed=1)
    losses = [loop.epoch(epoch, number) for number in range(1, 31)]
    assert losses[-1] < 0.7 * losses[0]
    assert hasattr(loop._optimizer, "loss_scale") == mixed


def test_mixed_precision_without_a_gpu_is_refused() -> None:
    model = load_model_settings("tabm")
    require_devices(model)
    with pytest.raises(InputError, match="(?s)required: a GPU for each training worker.*found: +none"):
        require_devices(model.model_copy(update={"mixed_precision": True}))
