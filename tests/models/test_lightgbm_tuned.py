"""The search for LightGBM's settings: its budget, what it says of itself, and its trees as an ONNX file."""

from itertools import count
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from loanbook.errors import InputError
from loanbook.models.baselines import baseline, lightgbm_tuned
from loanbook.models.calibration import sigmoid
from loanbook.models.inputs.rows import Rows
from loanbook.models.log_loss import log_loss
from loanbook.models.trees import TreeColumns
from loanbook.settings.choice import Choice
from tests.models.given import Given, fitted, predicted, rows_of
from tests.models.specs import SPEC, some_inputs

pytestmark = pytest.mark.train  # LightGBM and Optuna


def some_rows(rows: int, seed: int, missing: bool = True) -> Rows:
    numeric, codes = some_inputs(rows, seed)
    numeric = numeric if missing else np.nan_to_num(numeric, nan=0.5)
    eta = np.nan_to_num(np.clip(numeric[:, 0], -3, 3), nan=1.0) + (codes[:, 0] == 2) + (codes[:, 1] % 3 == 0)
    label = np.random.default_rng(seed).random(rows) < sigmoid(eta - 3)
    return rows_of(numeric, codes, label, np.where(label, 1, 3))


def given(rows: int = 1500, missing: bool = True) -> Given:
    return Given(SPEC, some_rows(rows, 1, missing), some_rows(rows // 2, 2, missing))


@pytest.mark.parametrize("missing", [True, False])
def test_its_file_agrees_with_the_best_fit_of_lightgbm(
    missing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lightgbm

    boosters: list[Any] = []
    train = lightgbm.train

    def kept(*args: Any, **own: Any) -> Any:
        boosters.append(train(*args, **own))
        return boosters[-1]

    monkeypatch.setattr(lightgbm, "train", kept)
    evidence, later = given(missing=missing), some_rows(800, 3)
    found = fitted(evidence, "lightgbm_tuned", trials=12, trees=60, patience=10)
    losses = [booster.best_score["valid_0"]["binary_logloss"] for booster in boosters]
    best = boosters[int(np.argmin(losses))]
    columns = TreeColumns.fitted(SPEC, evidence.train)
    expected = best.predict(columns.matrix(later), num_iteration=best.best_iteration)
    np.testing.assert_allclose(predicted(found.network, SPEC, later), expected, atol=1e-6)
    facts = found.facts
    assert (facts["trials"], facts["trees"]) == (12, best.best_iteration)
    assert (facts["tune_log_loss"], facts["tune_log_loss_of_first"]) == (min(losses), losses[0])
    assert min(losses) < losses[0]
    by_tree = facts["tune_log_loss_by_tree"]
    assert by_tree[facts["trees"] - 1] == min(by_tree) == facts["tune_log_loss"]
    assert len(by_tree) == min(60, facts["trees"] + 10)
    tune = evidence.tune
    of_file = log_loss(tune.label, predicted(found.network, SPEC, tune), tune.weight)
    assert facts["tune_log_loss"] == pytest.approx(of_file, rel=1e-5)
    assert {name: best.params[name] for name in facts["parameters"]} == facts["parameters"]


def test_the_same_rows_trials_and_seed_give_the_same_trees() -> None:
    own = {"trials": 12, "trees": 20}
    first = fitted(given(), "lightgbm_tuned", **own)
    assert fitted(given(), "lightgbm_tuned", **own) == first
    assert fitted(given(), "lightgbm_tuned", **own, seed=18).facts["parameters"] != first.facts["parameters"]


def test_no_more_fits_begin_when_time_is_over() -> None:
    facts = fitted(given(), "lightgbm_tuned", trials=50, trees=20, seconds=1e-6).facts
    assert facts["trials"] == 1
    assert facts["tune_log_loss"] == facts["tune_log_loss_of_first"]


def test_a_fit_under_way_is_given_up_when_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = count()  # one at the start, then one after each tree of the second fit and of those after it
    monkeypatch.setattr(lightgbm_tuned, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))
    own = {"trees": 20, "patience": 20, "learning_rate": [0.01, 0.02]}
    assert fitted(given(), "lightgbm_tuned", trials=4, seconds=50.0, **own).facts["trials"] == 3
    assert next(ticks) == 52


def test_what_it_chooses_lies_in_the_ranges() -> None:
    ranges: dict[str, Any] = {
        "learning_rate": [0.2, 0.3], "num_leaves": [4, 6], "min_data_in_leaf": [20, 25],
        "feature_fraction": [0.6, 0.6], "bagging_fraction": [0.9, 1.0], "lambda_l1": [0.5, 0.7],
        "lambda_l2": [2, 3],
    }  # fmt: skip
    for trials in (1, 12):
        found = fitted(given(), "lightgbm_tuned", trials=trials, trees=10, **ranges).facts["parameters"]
        outside = [name for name, (low, high) in ranges.items() if not low <= found[name] <= high]
        assert outside == []


@pytest.mark.parametrize("seed", range(3))
def test_few_rows_and_defaults_are_enough(seed: int) -> None:
    label = np.arange(200) % 40 == 39
    train = rows_of(*some_inputs(200, seed), label, np.where(label, 1, 10))
    tune = rows_of(*some_inputs(60, seed + 100), label[:60], np.where(label[:60], 1, 10))
    found = fitted(Given(SPEC, train, tune), "lightgbm_tuned", trials=4, trees=30)
    pd = predicted(found.network, SPEC, some_rows(300, seed=9))
    assert ((pd > 0) & (pd < 0.9)).all()
    assert found.facts["parameters"]["min_data_in_leaf"] <= 50


@pytest.mark.parametrize(
    "own",
    [
        {"learning_rate": [0.1, 0.01]}, {"lambda_l1": [0, 1]}, {"feature_fraction": [0.5, 1.5]},
        {"trials": 0}, {"num_leaves": [1, 5]}, {"seconds": 0}, {"learning_rate": 0.1}, {"bagging": [0.5, 1]},
    ],
)  # fmt: skip
def test_settings_that_make_no_search_are_refused(own: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="settings of the baseline 'lightgbm_tuned'"):
        baseline(Choice.model_validate({"name": "lightgbm_tuned", **own}))
