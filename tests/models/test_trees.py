"""Trees as ONNX files agree with the libraries that grew them, row by row, missing values included."""

from typing import Any

import numpy as np
import pytest

from loanbook.models.artefact.predictor import Predictor
from loanbook.models.baselines._boosting import as_tree as boosted_tree
from loanbook.models.baselines.cart import as_tree as cart_tree
from loanbook.models.baselines.cart import first_nodes
from loanbook.models.calibration import Calibration
from loanbook.models.heads import head
from loanbook.models.inputs.rows import Rows
from loanbook.models.trees import Tree, TreeColumns, trees_as_onnx
from tests.models.specs import SPEC, some_inputs

pytestmark = pytest.mark.train  # scikit-learn and LightGBM

ROWS = 3000


def given(missing: bool = True) -> Rows:
    numeric, codes = some_inputs(ROWS)
    if not missing:
        numeric = np.nan_to_num(numeric, nan=0.5)
    score = (
        np.nan_to_num(np.clip(numeric[:, 0], -3, 3), nan=1.0) + (codes[:, 0] == 2) + (codes[:, 1] % 3 == 0)
    )
    label = (np.random.default_rng(8).random(ROWS) < 1 / (1 + np.exp(3 - score))).astype(np.float32)
    return Rows(numeric, codes, label[:, None], label, np.where(label > 0, 1, 3).astype(np.float32))


def predicted(network: bytes, rows: Rows) -> Any:
    return Predictor(network, SPEC, Calibration(method="none"), head("default_12m")).predict(*rows.inputs)[0][
        :, 0
    ]


def later() -> Rows:
    """Rows that training has not seen, with values missing where training may have had none."""
    numeric, codes = some_inputs(ROWS, seed=9)
    return Rows(numeric, codes, codes[:, :1], codes[:, 0], codes[:, 0])


@pytest.mark.parametrize("missing", [True, False])
def test_boosted_trees_agree_with_lightgbm(missing: bool) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    train, rows = given(missing), later()
    columns = TreeColumns.fitted(SPEC, train)
    data = lightgbm.Dataset(columns.matrix(train), train.label, weight=train.weight)
    booster = lightgbm.train({"objective": "binary", "verbosity": -1, "learning_rate": 0.3}, data, 40)
    trees = [boosted_tree(item["tree_structure"]) for item in booster.dump_model()["tree_info"]]
    found = predicted(trees_as_onnx(columns, trees, "logit"), rows)
    np.testing.assert_allclose(found, booster.predict(columns.matrix(rows)), atol=1e-6)
    assert np.ptp(found) > 0.3


@pytest.mark.parametrize("missing", [True, False])
def test_a_tree_agrees_with_scikit_learn(missing: bool) -> None:
    from sklearn.tree import DecisionTreeClassifier

    train, rows = given(missing), later()
    columns = TreeColumns.fitted(SPEC, train)
    model = DecisionTreeClassifier(max_leaf_nodes=60, random_state=1)
    model.fit(columns.matrix(train), train.label > 0, sample_weight=train.weight)
    rates = np.asarray(model.tree_.value[:, 0, 1] / model.tree_.value[:, 0].sum(axis=1))
    found = predicted(trees_as_onnx(columns, [cart_tree(model.tree_, rates)], "probability"), rows)
    np.testing.assert_allclose(found, model.predict_proba(columns.matrix(rows))[:, 1], rtol=1e-6)
    assert len(np.unique(found)) > 10


def test_a_tree_of_one_leaf_gives_its_value() -> None:
    tree = Tree()
    tree.add(-1, 0.0, False, 0.25)
    columns = TreeColumns.fitted(SPEC, given())
    np.testing.assert_array_equal(predicted(trees_as_onnx(columns, [tree], "probability"), later()), 0.25)


def test_categories_rank_by_their_rate_and_words_are_not_read() -> None:
    train = given()
    places = dict(TreeColumns.fitted(SPEC, train).ranks)
    read = {SPEC.code_columns[place] for place in places}
    assert read == {name for name in SPEC.code_columns if not name.startswith("t_")}
    area = SPEC.code_columns.index("c_area")
    rate = [np.average(train.label[train.codes[:, area] == k]) for k in range(21)]
    third = [k for k in range(21) if k % 3 == 0]
    assert min(places[area][third]) > max(set(places[area]) - set(places[area][third])), rate
    assert sorted(places[area]) == list(range(21))


def test_a_value_at_a_threshold_that_float32_cannot_hold_goes_where_the_library_sends_it() -> None:
    at = float(np.float32(0.1))  # a little above 0.1, which no float32 equals
    tree = Tree()
    tree.add(0, 0.1, False, 0.0)
    tree.left[0], tree.right[0] = tree.add(-1, 0.0, False, 0.2), tree.add(-1, 0.0, False, 0.8)
    rows = later()
    rows.numeric[:] = at
    columns = TreeColumns.fitted(SPEC, given())
    np.testing.assert_allclose(predicted(trees_as_onnx(columns, [tree], "probability"), rows), 0.8, rtol=1e-6)


@pytest.mark.parametrize("leaves", [2, 5, 17, 40])
def test_a_tree_of_fewer_leaves_is_the_beginning_of_a_larger_one(leaves: int) -> None:
    from sklearn.tree import DecisionTreeClassifier

    random = np.random.default_rng(3)
    design = random.normal(size=(4000, 6))
    design[random.random(design.shape) < 0.1] = np.nan
    odds = np.nan_to_num(design[:, 0]) + np.nan_to_num(design[:, 1] * design[:, 2]) - 1.5
    label = random.random(len(design)) < 1 / (1 + np.exp(-odds))

    def fitted(most: int) -> Any:
        model = DecisionTreeClassifier(
            criterion="log_loss", max_leaf_nodes=most, min_samples_leaf=20, random_state=1
        )
        return model.fit(design, label)

    large, small = fitted(64), fitted(leaves)
    nodes = small.tree_.node_count
    assert nodes == 2 * leaves - 1
    within = first_nodes(large.tree_, nodes)[large.apply(design)]
    np.testing.assert_array_equal(within, small.apply(design))
    inner = small.tree_.children_left >= 0
    np.testing.assert_array_equal(large.tree_.feature[:nodes][inner], small.tree_.feature[inner])
    np.testing.assert_array_equal(large.tree_.threshold[:nodes][inner], small.tree_.threshold[inner])
