"""Gradient boosted trees by LightGBM, with settings that do for most books; ``tune`` says how many trees."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from loanbook.models.baselines import Fitted
from loanbook.models.binary_head import BinaryHead
from loanbook.models.head import Head
from loanbook.models.inputs.rows import Evidence
from loanbook.models.trees import LEAF, Tree, TreeColumns, leaf_rows, trees_as_onnx
from loanbook.settings.section import Section

PACKAGES = ("lightgbm",)


class Settings(Section):
    """Of LightGBM; each but ``rows``, ``trees`` and ``patience`` goes by LightGBM's own name in its help."""

    rows: int = Field(1_000_000, ge=1000, description="most training rows")
    trees: int = Field(2000, ge=1, description="most trees")
    patience: int = Field(50, ge=1, description="trees without a gain on tune after which it stops")
    learning_rate: float = Field(0.05, gt=0, le=1, description="share of each tree that is added")
    num_leaves: int = Field(31, ge=2, description="most leaves of a tree")
    min_data_in_leaf: int = Field(100, ge=1, description="fewest training rows of a leaf")
    feature_fraction: float = Field(0.5, gt=0, le=1, description="share of the columns drawn for each tree")
    lambda_l2: float = Field(1.0, ge=0, description="L2 penalty of the leaves")
    seed: int = Field(17, description="of the columns drawn")
    num_threads: int = Field(1, ge=1, description="threads; they wait for each other where cores are busy")


def supports(target: Head) -> bool:
    """Return whether the head is of an event that comes about or does not."""
    return isinstance(target, BinaryHead)


def fit(evidence: Evidence, target: Head, settings: Settings) -> Fitted:
    """Return the boosted trees up to the last that made the tune log loss less.

    Ke et al. 2017, *LightGBM: A Highly Efficient Gradient Boosting Decision Tree*. The same rows give the
    same trees, whatever the number of threads.
    """
    import lightgbm

    train, tune = evidence.rows("train", settings.rows), evidence.rows("tune")
    columns = TreeColumns.fitted(evidence.spec, train)
    design = columns.matrix(train)
    of_train = lightgbm.Dataset(design, train.label, weight=train.weight, free_raw_data=True)
    of_tune = lightgbm.Dataset(columns.matrix(tune), tune.label, weight=tune.weight, reference=of_train)
    booster = lightgbm.train(
        _parameters(settings, len(train)), of_train, settings.trees, valid_sets=[of_tune],
        callbacks=[lightgbm.early_stopping(settings.patience, verbose=False)],
    )  # fmt: skip
    kept = max(1, booster.best_iteration)
    grown = booster.dump_model(num_iteration=kept)["tree_info"]
    trees = [as_tree(item["tree_structure"]) for item in grown]
    return Fitted(trees_as_onnx(columns, trees, "logit"), {"trees": len(trees)})


def _parameters(settings: Settings, rows: int) -> dict[str, Any]:
    own = settings.model_dump(exclude={"rows", "trees", "patience"})
    return {
        **own, "min_data_in_leaf": leaf_rows(settings.min_data_in_leaf, rows),
        "objective": "binary", "metric": "binary_logloss", "deterministic": True, "force_row_wise": True,
        "verbosity": -1,
    }  # fmt: skip


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
