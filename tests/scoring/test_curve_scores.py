"""A model with a curve, and the baseline beside it, in ``scores``."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from pyspark.sql import functions as F

from loanbook.errors import GateRefused
from loanbook.features.catalogue.table import FEATURES
from loanbook.scoring.book import by_state, scored_book
from loanbook.scoring.gates import assert_probabilities
from tests.tiny_book import MODEL_WEIGHTS, MONTHS, PLATT, network, save_model

HEAD = {"name": "term_structure", "curve_months": 24}
MEASURED = {"period_months": 1, "followed_months": 18, "prepayment": 0.01}  # so that the curve has 18 months


def curve_network(periods: int = 18, share: float = 0.5) -> bytes:
    """A PD like that of the tiny network, of which each period has a share, and 1 % of prepayment."""
    model = onnx.load_from_string(network(MODEL_WEIGHTS))
    shares = np.array([[share / periods] * periods + [0.0] * periods], np.float32)
    rest = np.array([[0.0] * periods + [0.01] * periods], np.float32)
    model.graph.initializer.extend(
        [numpy_helper.from_array(shares, "shares"), numpy_helper.from_array(rest, "rest")]
    )
    model.graph.node.extend(
        [
            helper.make_node("MatMul", ["pd", "shares"], ["default"]),
            helper.make_node("Add", ["default", "rest"], ["curve"]),
        ]
    )
    del model.graph.output[:]
    model.graph.output.append(
        helper.make_tensor_value_info("curve", onnx.TensorProto.FLOAT, ["n", 2 * periods])
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def scores_by(run: Any, artefact: Any, predictor: str) -> list[Any]:
    month = run.read(FEATURES, made_by="x").where(F.col("as_of_date") == F.lit(MONTHS[1]))
    features = month.withColumn("remaining_term", F.lit(12))
    return scored_book(features, artefact, predictor, 16).collect()


def test_a_curve_fills_the_scores_and_its_calibration_moves_it_as_a_whole(make_run: Any, scored: Any) -> None:
    run = make_run()
    artefact = save_model(run, head=HEAD, measured=MEASURED, network=curve_network())
    assert artefact.head.outputs == 36
    rows = scores_by(run, artefact, "model")
    performing = [row for row in rows if row["default_status"] == "performing"]
    assert performing
    for row in performing:
        assert row["pd_method"] == "hazard"
        assert len(row["pd_curve"]) == len(row["prepayment_curve"]) == 18
        assert row["pd_12m"] == pytest.approx(float(PLATT.apply([row["pd_12m_raw"]])[0]), rel=1e-6)
        assert row["pd_12m"] == pytest.approx(sum(row["pd_curve"][:12]))
        assert row["pd_lifetime"] == pytest.approx(row["pd_12m"])  # 12 months are left
        assert row["prepayment_12m"] == pytest.approx(sum(row["prepayment_curve"][:12]))
        assert sum(row["pd_curve"]) + sum(row["prepayment_curve"]) <= 1
    defaulted = [row for row in rows if row["default_status"] != "performing"]
    assert {(row["pd_12m"], row["pd_lifetime"], row["pd_curve"]) for row in defaulted} == {(1.0, 1.0, None)}


def test_a_baseline_beside_it_scores_without_a_curve(make_run: Any, scored: Any) -> None:
    run = make_run()
    artefact = save_model(run, head=HEAD, measured=MEASURED, network=curve_network())
    rows = [row for row in scores_by(run, artefact, "logistic") if row["default_status"] == "performing"]
    assert {row["pd_method"] for row in rows} == {"direct"}
    assert {(row["pd_curve"], row["pd_lifetime"], row["prepayment_12m"]) for row in rows} == {
        (None, None, None)
    }
    assert all(0 < row["pd_12m"] < 1 for row in rows)


def test_a_curve_with_a_number_that_is_none_is_refused(make_run: Any, scored: Any) -> None:
    run = make_run()
    artefact = save_model(run, head=HEAD, measured=MEASURED, network=curve_network())
    month = run.read(FEATURES, made_by="x").where(F.col("as_of_date") == F.lit(MONTHS[1]))
    found = scored_book(month.withColumn("remaining_term", F.lit(12)), artefact, "model", 16)
    broken = found.withColumns(
        {"rank_only": F.lit(False), "pd_curve": F.array(F.lit(None).cast("double"), F.lit(0.1))}
    )
    table = by_state(broken, artefact.head)
    with pytest.raises(GateRefused):
        assert_probabilities(table)
    assert_probabilities(by_state(found.withColumn("rank_only", F.lit(False)), artefact.head))
