from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from loanbook.models.artefact.predictor import Predictor
from loanbook.models.calibration import Calibration
from loanbook.models.heads import head
from loanbook.models.inputs.model_inputs import model_inputs
from loanbook.models.inputs.rows import matrices
from loanbook.scoring.udf import WorkerModel, predicted
from tests.models import vector_head
from tests.tiny_book import LOGISTIC_WEIGHTS, MODEL_WEIGHTS, PLATT, SPEC, network

UNCHANGED = Calibration(method="none")
DEFAULT = head("default_12m")
OTHER_SPEC = SPEC.model_copy(
    update={"categorical": (SPEC.categorical[0].model_copy(update={"vocabulary": ("N", "P")}),)}
)


def three_outputs() -> bytes:
    """softmax of three scores that the first number shifts."""
    weights = np.array([[0.01, 0.0, -0.01], [0, 0, 0]], np.float32)
    constants = {"w": weights, "zero": np.array(0, np.float32)}
    nodes = [
        helper.make_node("IsNaN", ["numeric"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "numeric"], ["filled"]),
        helper.make_node("MatMul", ["filled", "w"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["moves"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "three",
        [helper.make_tensor_value_info("numeric", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("moves", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def worker_model(key: str, content: bytes, spec: Any, calibration: Any, target: Any) -> WorkerModel:
    return WorkerModel(key, content, spec.model_dump_json(), calibration.model_dump_json(), 16, target)


@pytest.fixture
def features(spark: Any) -> Any:
    rows = [(f"L{k}", 500 + 5 * k, None if k % 7 == 0 else 40.0 + k, "PCN"[k % 3]) for k in range(60)]
    return spark.createDataFrame(rows, "loan_id string, credit_score int, ltv double, purpose string")


def test_several_models_are_predicted_in_one_pass(features: Any, capsys: Any) -> None:
    asked = {
        "champion": (network(MODEL_WEIGHTS), SPEC, PLATT, DEFAULT),
        "its baseline": (network(LOGISTIC_WEIGHTS), SPEC, UNCHANGED, DEFAULT),
        "challenger": (network(MODEL_WEIGHTS), OTHER_SPEC, UNCHANGED, DEFAULT),
        "moves": (three_outputs(), SPEC, UNCHANGED, vector_head.HEAD),
    }
    models = {name: worker_model(name, *given) for name, given in asked.items()}
    frame, columns = predicted(features, models)
    assert frame.columns[: len(features.columns)] == features.columns
    flat = [
        column.alias(f"{form}:{name}:{output}")
        for name, found in columns.items()
        for form, each in (("raw", found.raw), ("calibrated", found.calibrated))
        for output, column in enumerate(each)
    ]
    wide = frame.select("loan_id", *flat)
    wide.explain()
    assert capsys.readouterr().out.count("ArrowEvalPython") == 1
    rows = wide.toPandas().set_index("loan_id")
    for name, (content, spec, calibration, target) in asked.items():
        inputs = model_inputs(features, spec, keep=["loan_id"]).toPandas()
        both = Predictor(content, spec, calibration, target, 16).predict(*matrices(inputs, spec))
        for form, expected in zip(("raw", "calibrated"), both, strict=True):
            found = rows.loc[
                inputs["loan_id"], [f"{form}:{name}:{k}" for k in range(target.outputs)]
            ].to_numpy()
            np.testing.assert_array_equal(found, expected)
    moves = rows[[f"raw:moves:{k}" for k in range(3)]].to_numpy()
    np.testing.assert_allclose(moves.sum(axis=1), 1, atol=1e-6)
    champion, challenger = rows["raw:champion:0"], rows["raw:challenger:0"]
    assert (champion != challenger).any()  # the same network, another vocabulary


def test_no_row_gives_no_row(features: Any) -> None:
    frame, columns = predicted(
        features.limit(0), {"moves": worker_model("m", three_outputs(), SPEC, UNCHANGED, vector_head.HEAD)}
    )
    assert frame.select(*columns["moves"].raw).count() == 0
