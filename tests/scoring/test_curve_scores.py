"""A model with a curve, and the baseline beside it, in ``scores``."""

from collections.abc import Iterator
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
from tests.makers import run_maker
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


@pytest.fixture(scope="module")
def month_and_model(scored_template: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """A month's features, each loan with 12 months left, and a model with a curve."""
    make_run = run_maker(scored_template[0].parent)
    month = make_run().read(FEATURES, made_by="x").where(F.col("as_of_date") == F.lit(MONTHS[1]))
    elsewhere = run_maker(tmp_path_factory.mktemp("curve"))()
    artefact = save_model(elsewhere, head=HEAD, measured=MEASURED, network=curve_network())
    return month.withColumn("remaining_term", F.lit(12)), artefact


@pytest.fixture(scope="module")
def of_model(month_and_model: tuple[Any, Any]) -> Iterator[Any]:
    """The scores of the curve, computed once."""
    found = scored_book(*month_and_model, "model", 16).cache()
    yield found
    found.unpersist()


def test_a_curve_fills_the_scores_and_its_calibration_moves_it_as_a_whole(
    month_and_model: Any, of_model: Any
) -> None:
    assert month_and_model[1].head.outputs == 36
    rows = of_model.collect()
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


def test_a_baseline_beside_it_scores_without_a_curve(month_and_model: tuple[Any, Any]) -> None:
    scores = scored_book(*month_and_model, "logistic", 16).collect()
    rows = [row for row in scores if row["default_status"] == "performing"]
    assert {row["pd_method"] for row in rows} == {"direct"}
    assert {(row["pd_curve"], row["pd_lifetime"], row["prepayment_12m"]) for row in rows} == {
        (None, None, None)
    }
    assert all(0 < row["pd_12m"] < 1 for row in rows)


def test_a_curve_with_a_number_that_is_none_is_refused(month_and_model: Any, of_model: Any) -> None:
    found = of_model.withColumn("rank_only", F.lit(False))
    broken = found.withColumn("pd_curve", F.array(F.lit(None).cast("double"), F.lit(0.1)))
    table = by_state(broken, month_and_model[1].head)
    with pytest.raises(GateRefused):
        assert_probabilities(table)
    assert_probabilities(by_state(found, month_and_model[1].head))
