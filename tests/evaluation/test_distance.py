"""The distance to the truth has no noise of labels in it."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from loanbook.evaluation.distance import distance_of, distance_rows, kl_divergence
from loanbook.evaluation.plots import truth_line
from loanbook.evaluation.truth import TRUTH
from loanbook.models.calibration import sigmoid
from loanbook.settings.evaluate import EvaluateSettings
from tests.evaluation.rows import frame, made_up


def with_truth(loans, **others):
    whole, (_, odds) = made_up(loans), frame(loans)
    known = {name: values(odds) for name, values in others.items()}
    return dataclasses.replace(whole, calibrated={**whole.calibrated, **known, TRUTH: sigmoid(odds)})


def of(rows, predictor):
    return {row.metric: row for row in rows if row.predictor == predictor}


def test_the_divergence_is_that_of_two_bernoulli_laws():
    random = np.random.default_rng(1)
    truth, pd, weight = random.random(50), random.random(50), random.integers(1, 9, 50).astype(float)
    each = [stats.entropy([t, 1 - t], [p, 1 - p]) for t, p in zip(truth, pd, strict=True)]
    assert kl_divergence(truth, pd, weight) == pytest.approx(np.average(each, weights=weight))
    assert kl_divergence(truth, truth, weight) == 0
    assert 20 > kl_divergence(np.ones(1), np.zeros(1), np.ones(1)) / 2 > 10  # far, and finite


def test_the_gap_is_that_of_the_counted_matrix_where_one_was_fitted():
    others = {
        "constant": lambda odds: np.full(len(odds), sigmoid(odds).mean()),
        "matrix": lambda odds: sigmoid(odds + 0.5),
    }
    part = with_truth(300, **others)
    rows = [row for row in distance_rows(part, "fold0", EvaluateSettings()) if row.segment == "all"]
    assert {row.predictor for row in rows} == {"model", "logistic", *others}
    assert of(rows, "matrix")["gap_closed"].estimate == 0
    closed = 1 - of(rows, "model")["kl_to_truth"].estimate / of(rows, "matrix")["kl_to_truth"].estimate
    assert of(rows, "model")["gap_closed"].estimate == pytest.approx(closed)
    assert of(rows, "model")["gap_closed"].method == "1 - KL(predictor) / KL(matrix)"
    assert distance_of(part).against == "matrix"


def test_the_truth_closes_the_whole_gap():
    part = with_truth(300, matrix=lambda odds: np.full(len(odds), 0.1))
    perfect = dataclasses.replace(part, calibrated={**part.calibrated, "model": part.calibrated[TRUTH]})
    assert distance_of(perfect).closed("model") == pytest.approx(1)


def test_without_a_counted_matrix_no_gap_is_stated_and_with_few_defaults_nothing():
    constant = {"constant": lambda odds: np.full(len(odds), 0.1)}
    rows = of(distance_rows(with_truth(300, **constant), "fold0", EvaluateSettings()), "model")
    assert rows["gap_closed"].estimate is None
    assert rows["gap_closed"].method == "the baseline matrix was not fitted"
    few = list(distance_rows(with_truth(12), "fold0", EvaluateSettings()))
    assert {(row.estimate, row.method) for row in few} == {(None, "insufficient")}


def test_the_line_of_the_truth_is_that_of_the_models_deciles():
    part = with_truth(300)
    perfect = dataclasses.replace(part, calibrated={**part.calibrated, "model": part.calibrated[TRUTH]})
    expected, true = truth_line(perfect, 10)
    np.testing.assert_allclose(expected, true)
    assert len(true) == 10
    assert (np.diff(true) > 0).all()
