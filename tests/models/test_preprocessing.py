from typing import Any

import numpy as np
import pytest

from loanbook.models.inputs.spec import InputSpec, TextInput
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
    read = [
        mean_word(codes[:, spec.first_place(position) :][:, : item.tokens], words(item, embeddings))
        for position, item in enumerate(spec.text)
    ]
    return np.column_stack([*columns, *flags, *encoded, *read])


def words(item: TextInput, embeddings: dict[str, Any]) -> Any:
    """What stands for each code of a text; without an embedding the word itself, one-hot."""
    return embeddings.get(item.name, np.eye(len(item.vocabulary) + 1)[:, 1:])


def mean_word(codes: Any, table: Any) -> Any:
    known = [row[row > 0] for row in codes]
    return np.array([table[row].mean(axis=0) if len(row) else np.zeros(table.shape[1]) for row in known])


@pytest.mark.parametrize("max_one_hot", [None, 5], ids=["one-hot", "embedding"])
def test_every_operation_in_onnx_runtime_equals_numpy(max_one_hot: int | None) -> None:
    import onnxruntime
    import tensorflow as tf
    import tf2onnx

    from loanbook.models.inputs.preprocessing import prepared

    inputs, output = prepared(SPEC, max_one_hot, seed=4)
    model = tf.keras.Model(inputs, output)
    signature = [tf.TensorSpec((None, *item.shape[1:]), item.dtype, name=item.name) for item in inputs]
    proto, _ = tf2onnx.convert.from_keras(model, input_signature=signature, opset=17)
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    numeric, codes = some_inputs()
    found = session.run(None, {"numeric": numeric, "codes": codes})[0]
    learned = {"area": "embedding_area", "note": "words_note", "why": "words_why"}
    tables = {name: model.get_layer(layer).get_weights()[0] for name, layer in learned.items() if max_one_hot}
    np.testing.assert_allclose(found, reference(numeric, codes, SPEC, tables), atol=2e-5)
    np.testing.assert_allclose(found, model([numeric, codes]), atol=2e-5)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
