from typing import Any

import numpy as np
import pytest

from loanbook.models.spec import InputSpec
from tests.models.specs import SPEC, some_inputs

pytestmark = pytest.mark.train


def reference(numeric: Any, codes: Any, spec: InputSpec, embeddings: dict[str, Any]) -> Any:
    """The first layers again, in float64 NumPy, straight from their definition."""
    columns = []
    for position, item in enumerate(spec.numeric):
        value = numeric[:, position].astype(np.float64)
        value = np.clip(np.where(np.isnan(value), item.fill, value), item.low, item.high)
        columns.append(((np.log(1 + value) if item.log else value) - item.mean) / item.std)
    flags = [
        np.isnan(numeric[:, position]) for position, item in enumerate(spec.numeric) if item.missing_share
    ]
    tables = {item.name: np.eye(len(item.vocabulary) + 1) for item in spec.categorical} | embeddings
    encoded = [tables[item.name][codes[:, position]] for position, item in enumerate(spec.categorical)]
    return np.column_stack([*columns, *flags, *encoded])


@pytest.mark.parametrize("max_one_hot", [None, 5], ids=["one-hot", "embedding"])
def test_every_operation_in_onnx_runtime_equals_numpy(max_one_hot: int | None) -> None:
    import onnxruntime
    import tensorflow as tf
    import tf2onnx

    from loanbook.models.preprocessing import prepared

    inputs, output = prepared(SPEC, max_one_hot, seed=4)
    model = tf.keras.Model(inputs, output)
    signature = [tf.TensorSpec((None, *item.shape[1:]), item.dtype, name=item.name) for item in inputs]
    proto, _ = tf2onnx.convert.from_keras(model, input_signature=signature, opset=17)
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    numeric, codes = some_inputs()
    found = session.run(None, {"numeric": numeric, "codes": codes})[0]
    embeddings = {} if max_one_hot is None else {"area": model.get_layer("embedding_area").get_weights()[0]}
    np.testing.assert_allclose(found, reference(numeric, codes, SPEC, embeddings), atol=2e-5)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
