"""Gradient boosted trees by LightGBM, with settings that do for most books; ``tune`` says how many trees."""

from pydantic import Field

from loanbook.models.baselines import BY_TREE, Fitted
from loanbook.models.baselines._boosting import Boosting
from loanbook.models.binary_head import BinaryHead
from loanbook.models.head import Head
from loanbook.models.inputs.rows import Evidence
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
    boosting = Boosting.of(evidence, settings.rows)
    parameters = settings.model_dump(exclude={"rows", "trees", "patience"})
    grown = boosting.grown(parameters, settings.trees, settings.patience)
    return Fitted(boosting.as_onnx(grown), {"trees": len(grown.trees), BY_TREE: grown.losses})
