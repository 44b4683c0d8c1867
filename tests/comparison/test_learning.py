import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from loanbook.comparison.entrants import Entrant
from loanbook.comparison.learning import learning_of, stopping_borrowers
from loanbook.comparison.plots import learning_plots
from loanbook.models.head import Head
from loanbook.models.heads import head
from loanbook.training.snapshot.read import Snapshot


def epochs(*tune: float) -> list[dict[str, float]]:
    """Return a member's history as training keeps it; the untrained network has no loss of training."""
    measured = [
        {"epoch": k, "train_log_loss": loss - 0.01, "tune_log_loss": loss} for k, loss in enumerate(tune)
    ]
    del measured[0]["train_log_loss"]
    return measured


METRICS = {
    "history": [epochs(0.5, 0.4, 0.3, 0.35), epochs(0.5, 0.2, 0.25)],
    "best_epoch": [2, 1],
    "baselines": {
        "lightgbm": [{"trees": 2, "tune_log_loss_by_tree": [0.4, 0.3, 0.31]}],
        "constant": [{}, {}],
    },
}


class Held:
    """Of an artefact what learning curves are made of."""

    def __init__(self, metrics: Any, target: Head) -> None:
        self.metrics, self.head = metrics, target

    def json(self, _: str) -> Any:
        return self.metrics


def entrant(predictor: str, metrics: Any = METRICS, learns: str = "default_12m") -> Entrant:
    return Entrant("deep", Held(metrics, head(learns)), predictor)  # type: ignore[arg-type]


def test_each_member_says_what_it_kept_and_how_many_defaults_stopped_it() -> None:
    found = learning_of(entrant("model"), [1037, 41])
    assert found is not None
    assert found.round == "epoch"
    assert [str(member) for member in found.members] == [
        "2 of 3, stopped by 1,037 defaulting borrowers", "1 of 2, stopped by 41 defaulting borrowers"
    ]  # fmt: skip
    found = learning_of(entrant("model", {"history": [epochs(0.5, 0.4)], "best_epoch": [1]}), [37])
    assert found is not None
    assert str(found.members[0]) == "1 of 1, not yet stopped by 37 defaulting borrowers"


def test_the_loss_of_a_member_is_that_of_what_it_kept() -> None:
    found = learning_of(entrant("model"), [1037, 41])
    assert found is not None
    assert [member.least for member in found.members] == [0.3, 0.2]


def test_the_mean_is_of_the_epochs_that_all_members_have() -> None:
    found = learning_of(entrant("model"), [37, 41])
    assert found is not None
    rounds, mean = found.mean("tune")
    np.testing.assert_allclose(rounds, [0, 1, 2])
    np.testing.assert_allclose(mean, [0.5, 0.3, 0.275])
    np.testing.assert_allclose(found.mean("train")[1], [np.nan, 0.29, 0.265])


def test_boosted_trees_have_a_curve_by_number_of_trees_and_what_grows_none_has_none() -> None:
    found = learning_of(entrant("lightgbm"), [37])
    assert found is not None
    assert (found.round, found.members[0].rounds.tolist()) == ("trees", [1, 2, 3])
    assert (found.members[0].kept, found.members[0].least) == (2, 0.3)
    assert learning_of(entrant("constant"), [37, 41]) is None
    assert set(learning_plots({"deep": found, "constant": None})) == {"deep"}


@pytest.mark.parametrize(
    ("learns", "of"),
    [
        ("default_12m", "the label"),
        ("transition", "the next state"),
        ("term_structure", "all months of the curve, plus 0.5 times that of the label"),
    ],
)
def test_a_curve_says_what_its_losses_are_of(learns: str, of: str) -> None:
    network, trees = (learning_of(entrant(one, learns=learns), [37, 41]) for one in ("model", "lightgbm"))
    assert network is not None
    assert trees is not None
    assert (network.loss_of, trees.loss_of) == (of, "the label")


@pytest.mark.parametrize("metrics", [{"parameters": 4}, {"history": [[], []], "best_epoch": [0, 0]}])
def test_an_artefact_without_a_history_has_no_curve(metrics: Any) -> None:
    assert learning_of(entrant("model", metrics), [37, 41]) is None


def test_what_stops_a_member_is_counted_in_borrowers(tmp_path: Path) -> None:
    dates = dict.fromkeys(("development_from", "development_to", "test_from", "test_to"))
    fold = {"name": "f", "shares": {"part_0": 0.5, "part_1": 0.5}, **dates}
    (tmp_path / "splits.json").write_text(json.dumps({"trained_fold": "f", "folds": [fold]}))
    rows = {
        "source": "s", "loan_id": ["a", "a", "b", "c", "d"], "borrower": ["x", "x", "y", "x", "z"],
        "label": np.array([1, 1, 1, 1, 0], np.float32),
    }  # fmt: skip
    for number in range(2):
        group = tmp_path / "role=part_1" / f"row_group={number}"
        group.mkdir(parents=True)
        pd.DataFrame(rows).to_parquet(group / "part-0.parquet", index=False)
    assert stopping_borrowers(Snapshot(tmp_path)) == [0, 2]
