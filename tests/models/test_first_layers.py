from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from loanbook.errors import InputError
from loanbook.models.inputs.spec import InputSpec, TextInput
from loanbook.settings.choice import Choice
from loanbook.settings.model import ModelSettings
from loanbook.settings.train import TrainSettings
from loanbook.training.fit.request import TrainRequest
from loanbook.training.snapshot.read import Snapshot
from loanbook.warehouse.storage import write_json
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
        mean_word(codes[:, places(spec.code_columns, item.columns)], words(item, embeddings))
        for item in spec.text
    ]
    return np.column_stack([*columns, *flags, *encoded, *read, history(numeric, codes, spec)])


def history(numeric: Any, codes: Any, spec: InputSpec) -> Any:
    """The steps of all sequences, one after another; within a step number, flag, one-hot code."""
    (balances,), (states,) = spec.numeric_sequences, spec.categorical_sequences
    numbers = numeric[:, places(spec.numeric_columns, balances.columns)].astype(np.float64)
    standard = (np.clip(numbers, balances.low, balances.high) - balances.mean) / balances.std
    standard[np.isnan(numbers)] = 0
    one_hot = np.eye(states.size)[codes[:, places(spec.code_columns, states.columns)]]
    steps = np.concatenate([np.stack([standard, np.isnan(numbers)], axis=2), one_hot], axis=2)
    return steps.reshape(len(numeric), -1)


def places(columns: list[str], wanted: list[str]) -> list[int]:
    return [columns.index(name) for name in wanted]


def words(item: TextInput, embeddings: dict[str, Any]) -> Any:
    """What stands for each code of a text; without an embedding the word itself, one-hot."""
    return embeddings.get(item.name, np.eye(len(item.vocabulary) + 1)[:, 1:])


def mean_word(codes: Any, table: Any) -> Any:
    known = [row[row > 0] for row in codes]
    return np.array([table[row].mean(axis=0) if len(row) else np.zeros(table.shape[1]) for row in known])


@pytest.mark.parametrize("max_one_hot", [None, 5], ids=["one-hot", "embedding"])
def test_every_operation_in_onnx_runtime_equals_numpy(max_one_hot: int | None) -> None:
    import tensorflow as tf
    import tf2onnx

    from loanbook.models.inputs.dense import dense
    from loanbook.models.inputs.groups import input_groups

    groups = input_groups(SPEC)
    inputs, output = groups.tensors, dense(groups, max_one_hot, seed=4)
    model = tf.keras.Model(inputs, output)
    signature = [tf.TensorSpec((None, *item.shape[1:]), item.dtype, name=item.name) for item in inputs]
    proto, _ = tf2onnx.convert.from_keras(model, input_signature=signature, opset=17)
    session = onnx_session(proto.SerializeToString())
    numeric, codes = some_inputs()
    found = session.run(None, {"numeric": numeric, "codes": codes})[0]
    learned = {"area": "embedding_area", "note": "words_note", "why": "words_why"}
    tables = {name: model.get_layer(layer).get_weights()[0] for name, layer in learned.items() if max_one_hot}
    np.testing.assert_allclose(found, reference(numeric, codes, SPEC, tables), atol=2e-5)
    np.testing.assert_allclose(found, model([numeric, codes]), atol=2e-5)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_groups_have_the_shapes_that_they_promise() -> None:
    import tensorflow as tf

    from loanbook.models.inputs.groups import input_groups

    groups = input_groups(SPEC)
    history = groups.sequences
    assert history is not None
    tensors = [groups.numeric, groups.missing, history.values, history.present, groups.categorical[1].codes]
    batch = some_inputs(40)
    found = [tensor.numpy() for tensor in tf.keras.Model(groups.tensors, tensors)(list(batch))]
    assert [tensor.shape for tensor in found] == [(40, 3), (40, 2), (40, 3, 6), (40, 3), (40,)]
    numbers, codes = batch[0][:, 3:], batch[1][:, -3:]
    np.testing.assert_array_equal(found[3], ~np.isnan(numbers) | (codes > 0))
    assert 0 < found[3].mean() < 1
    assert [(item.name, item.size) for item in groups.categorical] == [("state", 3), ("area", 21)]
    assert [(item.name, item.size, item.codes.shape[1]) for item in groups.text] == [
        ("note", 6, 4),
        ("why", 3, 2),
    ]


def test_a_spec_of_numbers_alone_has_no_other_group() -> None:
    from loanbook.models.inputs.groups import input_groups

    never = SPEC.numeric[0].model_copy(update={"missing_share": 0.0})
    groups = input_groups(InputSpec(numeric=(never,), categorical=()))
    assert (len(groups.tensors), groups.missing, groups.sequences) == (1, None, None)
    assert (groups.categorical, groups.text) == ((), ())


def test_robust_numbers_in_onnx_runtime_equal_numpy_and_end_smoothly() -> None:
    import tensorflow as tf

    from loanbook.models.artefact.export import onnx_bytes
    from loanbook.models.inputs.groups import input_groups

    spec = SPEC.model_copy(update={"categorical": (), "text": (), "categorical_sequences": ()})
    groups, numeric = input_groups(spec, "robust"), some_inputs()[0]
    session = onnx_session(onnx_bytes(tf.keras.Model(groups.tensors, groups.numeric)))
    found = session.run(None, {"numeric": numeric})[0]
    for position, item in enumerate(spec.numeric):
        assert item.median is not None
        assert item.spread is not None
        value = numeric[:, position].astype(np.float64)
        value = np.clip(np.where(np.isnan(value), item.fill, value), item.low, item.high)
        z = ((np.log(1 + value) if item.log else value) - item.median) / item.spread
        np.testing.assert_allclose(found[:, position], z / np.sqrt(1 + (z / 3) ** 2), atol=2e-5)
        assert (np.abs(found[:, position]) < 3).all()
        at_edges = np.tile(numeric[:1], (len(item.edges), 1))
        at_edges[:, position] = item.edges
        there = session.run(None, {"numeric": at_edges})[0][:, position]
        np.testing.assert_allclose(groups.edges[position], there, atol=2e-5)
    assert np.abs(found).max() > 2.5


def onnx_session(content: bytes) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def test_a_model_file_says_how_numbers_are_scaled(tmp_path: Path) -> None:
    from loanbook.training.fit.member import network_of

    found = {}
    write_json(tmp_path / "manifest.json", dict.fromkeys(("samples", "train", "spec", "targets")))
    for scaling in ("standard", "robust"):
        backbone = Choice.model_validate({"name": "mlp", "units": [4]})
        model = ModelSettings(backbone=backbone, head="default_12m", scaling=scaling)
        request = TrainRequest(
            tmp_path, tmp_path, model, TrainSettings(), rate=0.1, trainable=True, resume=False
        )
        net = network_of(request, cast(Snapshot, SimpleNamespace(spec=SPEC)), 0)
        numbers = net.scores.get_layer("numbers")
        found[scaling] = numbers(some_inputs()[0]).numpy()
    assert np.abs(found["standard"][0, 1]) > 3 > np.abs(found["robust"]).max()


def test_a_spec_without_medians_is_refused_where_they_are_needed() -> None:
    from loanbook.models.inputs.first_layers import Numbers

    earlier = SPEC.numeric[0].model_copy(update={"median": None, "spread": None})
    Numbers([earlier])
    with pytest.raises(InputError, match="none of ltv: an earlier version made the training snapshot"):
        Numbers([earlier], "robust")
