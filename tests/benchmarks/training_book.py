"""A training snapshot of the demo's shape, made without Spark: random inputs, a label that some tell of."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from loanbook.models.inputs.spec import CategoricalInput, InputSpec, NumericInput
from loanbook.settings.train import TrainSettings
from loanbook.training.snapshot.fold import Fold, shares_of
from loanbook.training.snapshot.read import Snapshot

NUMBERS, CATEGORIES, MISSING = 68, 10, 0.1
GROUPS, ROWS_OF_GROUP = 12, 4_400  # of each part; a member is fitted on four of five parts
EDGES = tuple(np.linspace(-3.0, 3.0, 49).tolist())


def write_snapshot(folder: Path, seed: int = 1) -> Snapshot:
    """Write and return a snapshot of five parts."""
    spec, drawn = _spec(), np.random.default_rng(seed)
    shares = shares_of(TrainSettings())
    fold = Fold(
        name="bench", development_from=date(2012, 1, 31), development_to=date(2019, 1, 31),
        test_from=None, test_to=None, shares=shares,
    )  # fmt: skip
    for role in shares:
        for group in range(GROUPS):
            file = folder / f"role={role}" / f"row_group={group}" / "part.parquet"
            file.parent.mkdir(parents=True)
            _rows(spec, drawn).to_parquet(file, index=False)
    rows = dict.fromkeys(shares, GROUPS * ROWS_OF_GROUP)
    content = {
        "spec": spec.model_dump(mode="json"),
        "splits": {"trained_fold": fold.name, "folds": [fold.model_dump(mode="json")]},
        "manifest": {
            "samples": {}, "spec": spec.content_hash(), "targets": ["label"],
            "train": {"rows_by_role": rows, "rows_of_group": ROWS_OF_GROUP},
        },
    }  # fmt: skip
    for name, item in content.items():
        (folder / f"{name}.json").write_text(json.dumps(item), "utf-8")
    return Snapshot(folder)


def _spec() -> InputSpec:
    number = {"low": -3, "high": 3, "fill": 0, "mean": 0, "std": 1, "missing_share": MISSING, "edges": EDGES}
    names = [f"n{place}" for place in range(NUMBERS)]
    words = tuple("abcdefgh")
    return InputSpec(
        numeric=tuple(
            NumericInput.model_validate({"name": name, "expression": name, "log": False, **number})
            for name in names
        ),
        categorical=tuple(
            CategoricalInput(name=f"k{place}", expression=f"k{place}", vocabulary=words)
            for place in range(CATEGORIES)
        ),
    )


def _rows(spec: InputSpec, drawn: np.random.Generator) -> pd.DataFrame:
    numbers = drawn.normal(size=(ROWS_OF_GROUP, NUMBERS)).astype(np.float32)
    codes = drawn.integers(0, 9, (ROWS_OF_GROUP, CATEGORIES)).astype(np.int32)
    odds = -3.5 + numbers[:, :5].sum(axis=1) * 0.5 + 0.2 * (codes[:, 0] > 4)
    numbers[drawn.random(numbers.shape) < MISSING] = np.nan
    label = (drawn.random(ROWS_OF_GROUP) < 1 / (1 + np.exp(-odds))).astype(np.float32)
    inputs = [
        pd.DataFrame(numbers, columns=spec.numeric_columns),
        pd.DataFrame(codes, columns=spec.code_columns),
    ]
    return pd.concat(inputs, axis=1).assign(label=label, weight=np.float32(1))
