"""The scorecard: its points, its bins, which inputs it keeps, and that its file gives what its table says."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from loanbook.errors import InputError
from loanbook.models.baselines import baseline
from loanbook.models.baselines._characteristics import Binning, characteristic
from loanbook.models.calibration import sigmoid
from loanbook.models.inputs.rows import Rows
from loanbook.models.inputs.spec import InputSpec
from loanbook.models.trees import TreeColumns
from loanbook.settings.choice import Choice
from tests.models.given import Given, category, fitted, number, predicted, rows_of
from tests.models.specs import SPEC, some_inputs

pytestmark = pytest.mark.train  # optbinning and scikit-learn

TWO = InputSpec(numeric=(number("x"), number("y")), categorical=())
CODES = {"state": ("current", "dpd30"), "area": tuple(f"a{place}" for place in range(20))}


def of_every_kind(rows: int, seed: int) -> Rows:
    numeric, codes = some_inputs(rows, seed)
    eta = np.nan_to_num(np.clip(numeric[:, 0], -3, 3), nan=1.0) + (codes[:, 0] == 2) + (codes[:, 1] % 3 == 0)
    label = np.random.default_rng(seed).random(rows) < sigmoid(eta - 3)
    return rows_of(numeric, codes, label, np.where(label, 1, 3))


def of_two(eta: Callable[[Any, Any], Any], rows: int = 4000, seed: int = 1, mixed: float = 0.0) -> Rows:
    """Rows of two numbers, the second with a share of the first in it."""
    rng = np.random.default_rng(seed)
    x, other = rng.normal(size=(2, rows))
    y = mixed * x + (1 - mixed) * other
    return rows_of(np.column_stack([x, y]), None, rng.random(rows) < sigmoid(eta(x, y)))


def holds(label: str, value: float) -> bool:
    """Whether a number is in a bin, by the bin's words."""
    if label == "missing":
        return bool(np.isnan(value))
    if label == "known":
        return not np.isnan(value)
    if label.startswith("["):
        low, high = re.findall(r"[^\[\), ]+", label)
        return bool(np.float32(low) <= value < np.float32(high))
    side, edge = label.split()
    return bool(value < np.float32(edge) if side == "below" else value >= np.float32(edge))


def named(name: str, code: int, label: str) -> bool:
    """Whether a code is in a bin, by the bin's words."""
    words = CODES.get(name, tuple(str(number) for number in range(1, 100)))
    return (words[code - 1] if code else "missing or unknown") in label.split(", ")


def scores(facts: dict[str, Any], rows: Rows) -> Any:
    """The sum of the points of each row's bins, read from the table as a clerk would."""
    columns = dict(enumerate(SPEC.numeric_columns))
    codes = dict(enumerate(SPEC.code_columns))
    places = {column[2:]: (True, place) for place, column in columns.items()}
    places |= {column[2:]: (False, place) for place, column in codes.items()}
    total = np.zeros(len(rows))
    for line in facts["points"]:
        is_number, place = places[line["input"]]
        inside = (
            [holds(line["bin"], value) for value in rows.numeric[:, place]]
            if is_number
            else [named(line["input"], int(code), line["bin"]) for code in rows.codes[:, place]]
        )
        total += np.where(inside, line["points"], 0)
    return total


def test_the_points_of_a_rows_bins_add_up_to_its_score_and_its_pd() -> None:
    train, later = of_every_kind(3000, seed=1), of_every_kind(1000, seed=2)
    found = fitted(Given(SPEC, train, later), "scorecard", base_points=500, base_odds=20, pdo=40)
    facts = found.facts
    assert len({line["input"] for line in facts["points"]}) >= 3
    pd = predicted(found.network, SPEC, later)
    score = scores(facts, later)
    np.testing.assert_allclose(pd, sigmoid((facts["offset"] - score) / facts["factor"]), atol=1e-6)
    odds = (1 - pd) / pd
    np.testing.assert_allclose(score, 500 + 40 * np.log2(odds / 20), atol=1e-3)
    assert np.ptp(pd) > 0.3


def test_edges_are_those_of_optimal_binning() -> None:
    from optbinning import OptimalBinning

    train = of_two(lambda x, y: 2 * x - 2)
    column = binned(train)
    library = OptimalBinning(max_n_bins=5, min_bin_size=0.05, solver="cp").fit(
        train.numeric[:, 0].astype(np.float64), train.label
    )
    later = of_two(lambda x, y: x, seed=2).numeric[:, 0].astype(np.float64)
    bins = library.transform(later, metric="indices")
    own = np.searchsorted(column.edges, later, side="right")
    np.testing.assert_array_equal(own, bins)
    assert len(column.edges) >= 3


def binned(rows: Rows, trend: Any = "auto", prior_rows: float = 1e-9) -> Any:
    columns = TreeColumns.fitted(TWO, rows)
    how = Binning(bins=5, smallest=0.05, rows=10_000, prior_rows=prior_rows)
    return characteristic(columns, 0, columns.matrix(rows)[:, 0], rows, trend, how)


def test_the_weight_of_evidence_is_the_log_of_the_shares_of_goods_and_bads() -> None:
    x = np.repeat([0.0, 1.0, np.nan], [40, 40, 20])
    label = np.concatenate([np.arange(40) < 4, np.arange(40) < 20, np.arange(20) < 6])
    rows = rows_of(np.column_stack([x, x]), None, label, np.where(label, 1, 2))
    found = binned(rows)
    assert found.labels == ("below 0.5", "from 0.5", "missing")
    bads, goods = np.array([4, 20, 6]) / 30, np.array([36, 20, 14]) / 70
    np.testing.assert_allclose(found.woe, np.log(goods / bads), rtol=1e-6)
    assert found.information_value == pytest.approx(((goods - bads) * np.log(goods / bads)).sum(), rel=1e-6)
    np.testing.assert_allclose(found.shares, np.array([76, 60, 34]) / 170, rtol=1e-6)
    leaning = binned(rows, prior_rows=10.0)
    rate = (np.array([4, 20, 6]) + 10 * 30 / 170) / (np.array([76, 60, 34]) + 10)
    np.testing.assert_allclose(
        leaning.woe, np.log((1 - rate) / rate) - np.log(140 / 30), rtol=1e-6, atol=1e-12
    )


def test_a_bin_of_one_class_has_a_finite_weight_of_evidence() -> None:
    x = np.repeat([0.0, 1.0, np.nan], [50, 30, 20])
    label = x == 1  # no default among missing values nor below 0.5, nothing else above
    found = binned(rows_of(np.column_stack([x, x]), None, label), prior_rows=20.0)
    assert np.isfinite(found.woe).all()
    assert np.isfinite(found.information_value)


def test_rates_go_as_the_trend_says() -> None:
    valley = of_two(lambda x, y: x**2 - 2)
    for trend, sign in (("ascending", -1), ("descending", 1)):
        steps = np.diff(binned(valley, trend).woe[:-1])
        assert len(steps) >= 1
        assert (sign * steps > 0).all()
    free = np.diff(binned(valley, "free").woe[:-1])
    assert free.min() < 0 < free.max()
    one_way = np.diff(binned(valley, "monotonic").woe[:-1])
    assert (one_way > 0).all() or (one_way < 0).all()


def test_a_trend_may_be_of_one_input_and_of_no_other_than_the_models() -> None:
    train = of_two(lambda x, y: x**2 + y**2 - 3)
    found = fitted(Given(TWO, train, train), "scorecard", trends={"x": "ascending"}, least_iv=0.0).facts
    woe = {
        name: [line["woe"] for line in found["points"] if line["input"] == name][:-1] for name in ("x", "y")
    }
    assert (np.diff(woe["x"]) < 0).all()
    assert np.diff(woe["y"]).min() < 0 < np.diff(woe["y"]).max()
    with pytest.raises(InputError, match=r"trends.*\n?.*'credit_score'"):
        fitted(Given(TWO, train, train), "scorecard", trends={"credit_score": "descending"})


def test_an_input_that_matters_only_by_being_missing_is_kept() -> None:
    rng = np.random.default_rng(3)
    missing = rng.random(20_000) < 0.3
    x = np.where(missing, np.nan, 1.0)
    rows = rows_of(np.column_stack([x, rng.random(20_000)]), None, rng.random(20_000) < 0.05 + 0.4 * missing)
    found = fitted(Given(TWO, rows, rows), "scorecard")
    assert [(line["input"], line["bin"]) for line in found.facts["points"]] == [
        ("x", "known"),
        ("x", "missing"),
    ]
    pd = predicted(found.network, TWO, rows)
    assert pd[missing].mean() == pytest.approx(rows.label[missing].mean(), abs=0.02)
    assert pd[~missing].mean() == pytest.approx(rows.label[~missing].mean(), abs=0.02)


def test_a_category_that_training_does_not_know_stands_apart_from_all_others() -> None:
    spec = InputSpec(numeric=(number("x"),), categorical=(category("area", "a", "b", "c"),))
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 4, 4000)
    label = rng.random(4000) < np.array([0.2, 0.05, 0.2, 0.4])[codes]
    rows = rows_of(rng.random(4000), codes, label)
    found = fitted(Given(spec, rows, rows), "scorecard")
    bins = [line["bin"] for line in found.facts["points"]]
    assert bins == ["a", "b", "c", "missing or unknown"]
    pd = predicted(found.network, spec, rows_of([0.5, 0.5, np.nan, 0.5], [0, 1, 2, 3], np.zeros(4)))
    np.testing.assert_allclose(pd, [0.2, 0.05, 0.2, 0.4], atol=0.03)


def test_an_input_like_a_better_one_is_left_out() -> None:
    train = of_two(lambda x, y: 1.5 * x - 2, mixed=0.99)
    facts = fitted(Given(TWO, train, train), "scorecard").facts
    (kept,) = facts["information_value"]
    (left_out,) = facts["left_out"]
    assert {kept, left_out} == {"x", "y"}
    assert facts["left_out"][left_out] == f"correlated with {kept}"
    both = fitted(Given(TWO, train, train), "scorecard", correlation=1.0).facts
    assert "correlated" not in str(both["left_out"])


def test_an_input_whose_points_would_rise_with_the_risk_is_left_out() -> None:
    """Of two like inputs, one falls with the risk only beside the other."""
    train = of_two(lambda x, y: 3 * x - 2 * y - 2, rows=20_000, mixed=0.6)
    facts = fitted(Given(TWO, train, train), "scorecard").facts
    assert facts["left_out"] == {"y": "coefficient of the wrong sign"}
    assert all(line["coefficient"] < 0 for line in facts["points"])


def test_only_the_best_inputs_are_kept() -> None:
    train = of_two(lambda x, y: 2 * x + y - 2)
    facts = fitted(Given(TWO, train, train), "scorecard", inputs=1).facts
    assert list(facts["information_value"]) == ["x"]
    assert facts["left_out"] == {"y": "not among the best 1"}


def test_inputs_that_say_nothing_leave_the_mean_rate() -> None:
    train = of_two(lambda x, y: 0 * x - 2, rows=20_000)
    found = fitted(Given(TWO, train, train), "scorecard")
    np.testing.assert_allclose(predicted(found.network, TWO, train), train.label.mean(), rtol=1e-6)
    assert (found.facts["points"], len(found.facts["left_out"])) == ([], 2)


@pytest.mark.parametrize("seed", range(5))
def test_few_rows_and_defaults_make_a_scorecard(seed: int) -> None:
    inputs, of_tune = some_inputs(200, seed), some_inputs(60, seed + 100)
    label = np.arange(200) % 40 == 39
    train = rows_of(*inputs, label, np.where(label, 1, 10))
    tune = rows_of(*of_tune, label[:60], np.where(label[:60], 1, 10))
    found = fitted(Given(SPEC, train, tune), "scorecard")
    pd = predicted(found.network, SPEC, of_every_kind(500, seed=9))
    assert np.isfinite([line["points"] for line in found.facts["points"]]).all()
    assert (pd > 1e-5).all()
    assert (pd < 0.9).all()


def test_it_ranks_about_as_well_as_the_logistic_regression() -> None:
    from sklearn.metrics import roc_auc_score

    train, tune, later = (of_two(lambda x, y: x - 0.7 * y - 2, rows=12_000, seed=seed) for seed in (5, 6, 7))
    auc = {
        name: roc_auc_score(later.label, predicted(fitted(Given(TWO, train, tune), name).network, TWO, later))
        for name in ("scorecard", "logistic")
    }
    assert auc["scorecard"] == pytest.approx(auc["logistic"], abs=0.02)
    assert auc["logistic"] > 0.75


@pytest.mark.parametrize(
    "own", [{"bins": 1}, {"trend": "up"}, {"trends": {"x": "up"}}, {"pdo": 0}, {"strengths": []}, {"cut": 1}]
)
def test_settings_that_make_no_scorecard_are_refused(own: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="settings of the baseline 'scorecard'"):
        baseline(Choice.model_validate({"name": "scorecard", **own}))
