"""One classification tree, its size chosen on ``tune``."""

from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from loanbook.models.baselines import Fitted
from loanbook.models.binary_head import BinaryHead
from loanbook.models.head import Head
from loanbook.models.inputs.rows import Evidence, Rows
from loanbook.models.log_loss import log_loss
from loanbook.models.trees import LEAF, Tree, TreeColumns, leaf_rows, trees_as_onnx
from loanbook.settings.section import Section


class Settings(Section):
    """Of a classification tree."""

    rows: int = Field(1_000_000, ge=1000, description="most training rows")
    leaves: tuple[Annotated[int, Field(ge=2)], ...] = Field(
        (8, 16, 32, 64, 128), min_length=1, description="most leaves tried, chosen on tune"
    )
    rows_of_leaf: int = Field(100, ge=1, description="fewest training rows of a leaf")
    prior_rows: float = Field(20.0, gt=0, description="rows of the mean rate that a leaf's rate leans on")
    seed: int = Field(17, description="of the choice between equally good splits")


def supports(target: Head) -> bool:
    """Return whether the head is of an event that comes about or does not."""
    return isinstance(target, BinaryHead)


def fit(evidence: Evidence, target: Head, settings: Settings) -> Fitted:
    """Return the tree with the least tune log loss over the numbers of leaves.

    Grown best split first by log loss (Breiman et al. 1984 for the tree; scikit-learn's growth), so that a
    tree of fewer leaves is the beginning of a larger one. A leaf's probability is
    (events + prior_rows * rate) / (rows + prior_rows), so that none is 0.
    """
    from sklearn.tree import DecisionTreeClassifier

    train, tune = evidence.rows("train", settings.rows), evidence.rows("tune")
    columns = TreeColumns.fitted(evidence.spec, train)
    design = columns.matrix(train)
    model = DecisionTreeClassifier(
        criterion="log_loss",
        max_leaf_nodes=max(settings.leaves),
        min_samples_leaf=leaf_rows(settings.rows_of_leaf, len(train)),
        random_state=settings.seed,
    ).fit(design, train.label > 0, sample_weight=train.weight)
    leaf, leaf_of_tune = model.apply(design), model.apply(columns.matrix(tune))
    grown: dict[float, tuple[int, Tree]] = {}
    for leaves in sorted(settings.leaves):
        nodes = min(2 * leaves - 1, model.tree_.node_count)
        within = first_nodes(model.tree_, nodes)
        rates = leaf_rates(within[leaf], train, nodes, settings.prior_rows)
        loss = log_loss(tune.label, rates[within[leaf_of_tune]], tune.weight)
        grown.setdefault(loss, ((nodes + 1) // 2, as_tree(model.tree_, rates)))
    leaves, tree = grown[min(grown)]
    return Fitted(trees_as_onnx(columns, [tree], "probability"), {"leaves": leaves})


def first_nodes(grown: Any, nodes: int) -> npt.NDArray[np.int64]:
    """Return, for each node, itself or its last ancestor among the first ``nodes`` that were grown."""
    within = np.arange(grown.node_count)
    for place in range(grown.node_count):
        for child in (grown.children_left[place], grown.children_right[place]):
            if child >= nodes:
                within[child] = within[place]
    return within


def leaf_rates(
    leaf: npt.NDArray[np.int64], rows: Rows, nodes: int, prior_rows: float
) -> npt.NDArray[np.float64]:
    """Return the probability of each node that is a leaf of some row.

    Args:
        leaf: place of each row's leaf.
        rows: that the tree was grown on.
        nodes: of the tree.
        prior_rows: what a leaf's rate leans on, in rows of the mean rate.
    """
    rate = float(np.average(rows.label, weights=rows.weight))
    weights = np.bincount(leaf, rows.weight, nodes)
    events = np.bincount(leaf, rows.weight * rows.label, nodes)
    return np.asarray((events + prior_rows * rate) / (weights + prior_rows))


def as_tree(grown: Any, rates: npt.NDArray[np.float64]) -> Tree:
    """Return the beginning of scikit-learn's tree as one of ours.

    Args:
        grown: its ``tree_``; where no training row lacks a feature, missing values go to the larger side.
        rates: of each node that is kept, the first ones grown.
    """
    tree = Tree()
    feature, threshold = grown.feature, grown.threshold
    for place in range(len(rates)):
        is_leaf = grown.children_left[place] == LEAF or grown.children_left[place] >= len(rates)
        tree.add(
            LEAF if is_leaf else int(feature[place]),
            float(threshold[place]),
            bool(grown.missing_go_to_left[place]),
            float(rates[place]),
        )
        if not is_leaf:
            tree.left[place] = int(grown.children_left[place])
            tree.right[place] = int(grown.children_right[place])
    return tree
