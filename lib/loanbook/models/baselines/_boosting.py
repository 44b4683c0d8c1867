"""Boosted trees by LightGBM, for the baselines that grow them; ``tune`` says how many trees."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loanbook.models.inputs.rows import Evidence
from loanbook.models.trees import LEAF, Tree, TreeColumns, leaf_rows, trees_as_onnx

FIXED = {
    "objective": "binary", "metric": "binary_logloss", "deterministic": True, "force_row_wise": True,
    "verbosity": -1,
}  # fmt: skip


@dataclass(frozen=True)
class Grown:
    """Boosted trees.

    Args:
        trees: up to the last that made the tune log loss less.
        losses: on tune, of each number of trees that was tried.
    """

    trees: Sequence[Tree]
    losses: Sequence[float]

    @property
    def loss(self) -> float:
        """Return the least tune log loss."""
        return min(self.losses)


@dataclass(frozen=True)
class Boosting:
    """Rows in LightGBM's bins, which serve any number of fits.

    Args:
        columns: what the trees split on.
        rows: of training.
        train: the training rows.
        tune: the rows that say how many trees.
    """

    columns: TreeColumns
    rows: int
    train: Any
    tune: Any

    @classmethod
    def of(cls, evidence: Evidence, limit: int, **parameters: Any) -> "Boosting":
        """Return at most ``limit`` training rows, and those of ``tune``.

        Args:
            evidence: the rows.
            limit: most training rows.
            parameters: of LightGBM's data sets.
        """
        import lightgbm

        train, tune = evidence.rows("train", limit), evidence.rows("tune")
        columns = TreeColumns.fitted(evidence.spec, train)
        of_train, of_tune = (
            lightgbm.Dataset(columns.matrix(rows), rows.label, weight=rows.weight, params=dict(parameters))
            for rows in (train, tune)
        )
        of_tune.set_reference(of_train)
        return cls(columns, len(train), of_train, of_tune)

    def grown(
        self, parameters: Mapping[str, Any], trees: int, patience: int, *callbacks: Callable[[Any], None]
    ) -> Grown:
        """Return the trees of one fit; the same rows give the same, whatever the number of threads.

        Args:
            parameters: of LightGBM, ``min_data_in_leaf`` among them.
            trees: most of them.
            patience: trees without a gain on tune after which it stops.
            callbacks: called after each tree.
        """
        import lightgbm

        fewest = leaf_rows(parameters["min_data_in_leaf"], self.rows)
        found: dict[str, dict[str, list[float]]] = {}
        booster = lightgbm.train(
            {**parameters, **FIXED, "min_data_in_leaf": fewest}, self.train, trees, valid_sets=[self.tune],
            callbacks=[
                lightgbm.early_stopping(patience, verbose=False),
                lightgbm.record_evaluation(found), *callbacks,
            ],
        )  # fmt: skip
        kept = booster.dump_model(num_iteration=max(1, booster.best_iteration))["tree_info"]
        losses = [float(loss) for loss in found["valid_0"]["binary_logloss"]]
        return Grown([as_tree(item["tree_structure"]) for item in kept], losses)

    def as_onnx(self, grown: Grown) -> bytes:
        """Return an ONNX file of the trees' probabilities."""
        return trees_as_onnx(self.columns, grown.trees, "logit")


def as_tree(root: Mapping[str, Any]) -> Tree:
    """Return a tree of LightGBM's dump as one of ours.

    A column without a missing value in training takes one as 0, as LightGBM does.
    """
    tree = Tree()

    def add(node: Mapping[str, Any]) -> int:
        if "split_feature" not in node:
            return tree.add(LEAF, 0.0, False, float(node["leaf_value"]))
        threshold = float(node["threshold"])
        missing_left = node["default_left"] if node["missing_type"] == "NaN" else threshold >= 0
        place = tree.add(int(node["split_feature"]), threshold, bool(missing_left), 0.0)
        tree.left[place], tree.right[place] = add(node["left_child"]), add(node["right_child"])
        return place

    add(root)
    return tree
