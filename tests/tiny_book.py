"""A tiny trained model and a tiny book, without TensorFlow and without the feature job."""

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from loanbook.features.catalogue.registry import catalogue_id
from loanbook.features.catalogue.table import FEATURES
from loanbook.models.artefact.artefact import Artefact
from loanbook.models.artefact.bins import DevelopmentBins
from loanbook.models.artefact.saved_artefacts import REQUIRED, canonical, save_artefact
from loanbook.models.calibration import Calibration
from loanbook.models.inputs.spec import CategoricalInput, InputSpec, NumericInput
from loanbook.models.sigmoid_nodes import sigmoid_nodes
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.runs import RUNS
from loanbook.warehouse import delta

SOURCE = "tiny"
MONTHS = (date(2020, 1, 31), date(2020, 2, 29))


def number(name: str, missing_share: float = 0.0, **support: float) -> NumericInput:
    shape = {"log": False, "low": 0, "high": 1e9, "fill": 0, "mean": 0, "std": 1, **support}
    return NumericInput(name=name, expression=name, missing_share=missing_share, **shape)


SPEC = InputSpec(
    numeric=(number("credit_score"), number("ltv", missing_share=0.5)),
    categorical=(CategoricalInput(name="purpose", expression="purpose", vocabulary=("P", "C")),),
)
MODEL_WEIGHTS = (-0.01, 0.02, 0.3)
LOGISTIC_WEIGHTS = (-0.008, 0.01, 0.1)
PLATT = Calibration(
    method="platt", intercept=0.2, slope=0.9, rows=10, loans=10, defaults=1, defaulting_loans=1
)


def network(weights: tuple[float, float, float], bias: float = 3.0) -> bytes:
    """sigmoid(bias + w1 score + w2 ltv + w3 code), NaN counted as 0."""
    constants = {
        "w": np.array(weights[:2], np.float32)[:, None],
        "v": np.array([[weights[2]]], np.float32),
        "b": np.array([bias], np.float32),
        "zero": np.array(0, np.float32),
    }
    last, ones = sigmoid_nodes("score", "pd")
    nodes = [
        helper.make_node("IsNaN", ["numeric"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "numeric"], ["filled"]),
        helper.make_node("MatMul", ["filled", "w"], ["numbers"]),
        helper.make_node("Cast", ["codes"], ["code"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["code", "v"], ["categories"]),
        helper.make_node("Sum", ["numbers", "categories", "b"], ["score"]),
        *last,
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info("numeric", TensorProto.FLOAT, ["n", 2]),
            helper.make_tensor_value_info("codes", TensorProto.INT32, ["n", 1]),
        ],
        [helper.make_tensor_value_info("pd", TensorProto.FLOAT, ["n", 1])],
        [*(numpy_helper.from_array(value, name) for name, value in constants.items()), *ones],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def save_model(run: Any, stamp: str = "20200131", **changes: Any) -> Artefact:
    """Register a model; ``changes`` are its spec, calibration, status, bias, network, or of inputs.json."""
    spec = changes.pop("spec", SPEC)
    calibration = changes.pop("calibration", PLATT)
    status = changes.pop("status", "ok")
    shortfalls, best = changes.pop("shortfalls", []), changes.pop("best", "model")
    bias = changes.pop("bias", 3.0)
    fold, own = changes.pop("fold", "fold0"), changes.pop("network", None)
    head, method = changes.pop("head", "default_12m"), changes.pop("method", "trained")
    inputs = {
        "tables": {"features": 1, "labels": 1}, "snapshot": "snap", "source": SOURCE,
        "catalogue_id": catalogue_id(), "default_definition_id": run.settings.default_definition.id,
        "knowledge": "latest", "period_months": 1, "sampling": "population",
        **changes,
    }  # fmt: skip
    both = {"model": calibration.model_dump(mode="json"), "logistic": calibration.model_dump(mode="json")}
    content: dict[str, Any] = {
        "inputs.json": inputs,
        "metrics.json": {
            "status": status,
            "shortfalls": {"model": shortfalls},
            "best": {"predictor": best, "because": "the least log loss"},
            "reasons": [],
            "method": method,
            "parameters": 4,
            "members": 1,
        },
        "calibration.json": both,
        "splits.json": {"trained_fold": fold, "folds": []},
        "schema.json": [],
        "settings.json": {"model": {"head": head}, "train": {"baselines": [{"name": "logistic"}]}},
    }
    files = {name: canonical(value) for name, value in content.items()} | {
        "spec.json": spec.model_dump_json().encode(),
        "bins.json": DevelopmentBins(inputs={}, scores={}).model_dump_json().encode(),
        "model.onnx": own or network(MODEL_WEIGHTS, bias),
        "logistic.onnx": network(LOGISTIC_WEIGHTS, bias),
        "member_0.weights.h5": b"",
    }
    assert set(files) >= set(REQUIRED)
    return save_artefact(run.storage, f"{SOURCE}-net", stamp, files)


def feature_rows(loans: int = 40) -> list[dict[str, Any]]:
    """Loans of two months: some in default, in probation, stale, or without a score."""
    rows = []
    for month in MONTHS:
        for k in range(loans):
            status = {7: "in_default", 9: "probation"}.get(k, "performing")
            rows.append(
                {
                    "source": SOURCE, "loan_id": f"L{k:03d}", "as_of_date": month, "reported": k % 5 != 0,
                    "months_since_report": 1 if k % 5 == 0 else 0, "default_status": status,
                    "state": {7: "dpd90"}.get(k, "dpd30" if k % 6 == 0 else "current"),
                    "upb": None if k == 11 else Decimal(1000 + k) / 4, "vintage": f"2019Q{1 + k % 4}",
                    "region": "US",
                    "credit_score": None if k == 3 else 560 + 7 * k, "ltv": None if k == 4 else 50.0 + k,
                    "purpose": ("P", "C", "N")[k % 3], "knowledge": "latest", "catalogue_id": catalogue_id(),
                    "quality_flags": ["gap"] if k == 12 else [],
                }
            )  # fmt: skip
    return rows


def publish_features(run: Any, rows: list[dict[str, Any]], **constants: Any) -> None:
    """Publish features in which what ``rows`` does not say is null."""
    definition = {"default_definition_id": run.settings.default_definition.id}
    schema = FEATURES.schema
    tuples = [
        tuple(_typed(field, {**definition, **row, **constants}.get(field.name)) for field in schema)
        for row in rows
    ]
    run.replace(FEATURES, run.spark.createDataFrame(tuples, schema), "true")
    run.finish({})


def _typed(field: Any, value: Any) -> Any:
    if value is None or field.dataType.simpleString() not in ("int", "double"):
        return value
    return int(value) if field.dataType.simpleString() == "int" else float(value)


def publish_tape(run: Any, **declared: Any) -> None:
    """Publish a delivery that declares what is given, and performance of which one month has an outcome."""
    delivery = {
        "source": SOURCE, "delivery": "d", "slice": "all", "file": "f", "kind": "performance", "sha256": "0",
        "scope": "full", "period_months": 1, "slice_holds": "cohorts", "history": "reported",
        "sampling": "population", "run_id": run.run_id,
        **dict.fromkeys(("lines", "rows", "published", "delinquent"), 0),
        **dict.fromkeys(("quarantined", "superseded", "set_aside", "erased"), 0), **declared,
    }  # fmt: skip
    rows = [
        {
            "source": SOURCE, "loan_id": f"L{k:03d}", "as_of_date": MONTHS[0], "slice": "all",
            "delivery": "d", "line": k, "known_on": MONTHS[0], "state": "current", "loss_event": False,
            "tape_outcome": k % 2, "quality_flags": [], "default_status": "performing",
            "default_episode": 0, "default_entry": False,
            "default_exit": False, "default_definition_id": run.settings.default_definition.id,
        }
        for k in range(10)
    ]  # fmt: skip
    for table, content in ((DELIVERIES, [delivery]), (PERFORMANCE, rows)):
        schema = table.schema
        tuples = [tuple(row.get(name) for name in table.column_names) for row in content]
        run.replace(table, run.spark.createDataFrame(tuples, schema), "true")
    run.finish({})


def publish_training(run: Any, artefact: Artefact) -> None:
    """Record a published run of train_model."""
    run.source, run.inputs = artefact.json("inputs.json")["source"], {"features": 0}
    run.finish({"model": artefact.name, "model_version": artefact.version})


def run_rows(run: Any) -> list[Any]:
    """Return the rows of runs, the newest last."""
    version = delta.latest_version(run.spark, run.storage, RUNS)
    assert version is not None
    return list(delta.read(run.spark, run.storage, RUNS, version).orderBy("finished_at").collect())
