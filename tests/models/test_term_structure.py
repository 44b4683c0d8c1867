"""The head ``term_structure`` held against loops over months and simulated loans."""

from typing import Any

import numpy as np
import pytest

from loanbook.book.tape_kind import Outcome
from loanbook.errors import InputError
from loanbook.models.calibration import Calibration
from loanbook.models.follow_up import DEFAULT, NEITHER, PREPAYMENT
from loanbook.models.heads import head
from loanbook.models.incidence import spline_basis
from loanbook.settings.choice import Choice

PLATT = Calibration(method="platt", intercept=0.4, slope=0.8)
SHORT = head(Choice(name="term_structure", curve_months=24, splines=5))
QUARTERLY = head(Choice(name="term_structure", curve_months=24, splines=4)).completed({"period_months": 3})
both_periods = pytest.mark.parametrize("target", [SHORT, QUARTERLY], ids=["monthly", "quarterly"])


def scores_for(target: Any, rows: int, seed: int = 1) -> Any:
    random = np.random.default_rng(seed)
    splines = target.units // 2
    default, prepayment = random.normal(-4, 1, (rows, splines)), random.normal(-3, 1, (rows, splines))
    return np.concatenate([default, prepayment], axis=1).astype(np.float32)


def hazards_by_loop(target: Any, scores: Any) -> Any:
    """Softmax of the splines' sums, (rows, periods, 3): default, prepayment, staying."""
    basis = spline_basis(target.periods, target.splines)
    found = np.zeros((len(scores), target.periods, 3))
    for row, line in enumerate(scores.astype(np.float64)):
        for period in range(target.periods):
            logits = [line[: len(basis)] @ basis[:, period], line[len(basis) :] @ basis[:, period], 0.0]
            found[row, period] = np.exp(logits) / np.exp(logits).sum()
    return found


def curve_by_loop(hazards: Any) -> Any:
    """Incidences of default, then of prepayment, of one row."""
    at_risk, default, prepayment = 1.0, [], []
    for of_period in hazards:
        default.append(at_risk * of_period[0])
        prepayment.append(at_risk * of_period[1])
        at_risk *= of_period[2]
    return np.array([*default, *prepayment])


@pytest.mark.train
@both_periods
def test_probabilities_are_those_of_a_loop_over_the_periods(target: Any) -> None:
    scores = scores_for(target, 20)
    found = target.probabilities(scores).numpy().astype(np.float64)
    expected = np.array([curve_by_loop(one) for one in hazards_by_loop(target, scores)])
    np.testing.assert_allclose(found, expected, rtol=2e-5)
    survival = hazards_by_loop(target, scores)[:, :, 2].prod(axis=1)
    np.testing.assert_allclose(found.sum(axis=1) + survival, 1, atol=1e-6)
    np.testing.assert_allclose(target.pd(found), expected[:, : target.year].sum(axis=1), rtol=2e-5)


@pytest.mark.train
@both_periods
def test_a_loss_is_that_of_a_loop_over_the_periods_at_risk_and_of_the_label(target: Any) -> None:
    rows = [
        (1.0, 3, DEFAULT), (0.0, 12, DEFAULT), (0.0, 6, PREPAYMENT), (0.0, 24, NEITHER),
        (np.nan, 5, NEITHER), (0.0, 60, DEFAULT), (0.0, 0, NEITHER), (np.nan, 0, NEITHER),
    ]  # fmt: skip
    targets = np.array(rows, np.float32)
    scores = scores_for(target, len(rows))
    found = target.losses(scores, targets).numpy()
    hazards = hazards_by_loop(target, scores)
    for row, (label, months, event) in enumerate(rows):
        last, loss = -(-months // target.period_months), 0.0
        for period in range(1, min(last, target.periods) + 1):
            here = hazards[row, period - 1]
            loss -= np.log(here[event] if period == last else here[2])
        within = curve_by_loop(hazards[row])[: target.year].sum()
        if not np.isnan(label):
            loss -= 0.5 * np.log(within if label else 1 - within)
        assert found[row] == pytest.approx(loss, rel=1e-4, abs=1e-6)


@pytest.mark.train
def test_scores_far_out_have_finite_losses_and_gradients() -> None:
    import tensorflow as tf

    scores = tf.constant(np.array([[80.0] * 10, [-80.0] * 10], np.float32))
    targets = np.array([[0, 24, NEITHER], [1, 3, DEFAULT]], np.float32)
    with tf.GradientTape() as tape:
        tape.watch(scores)
        loss = SHORT.losses(scores, targets)
    assert np.isfinite(loss).all()
    assert np.isfinite(tape.gradient(loss, scores)).all()


@both_periods
def test_training_begins_at_the_rate_and_the_measured_prepayment(target: Any) -> None:
    begun = target.completed({"prepayment": 0.03})
    start = np.array([begun.start(0.08)])
    hazards = hazards_by_loop(begun, start)
    np.testing.assert_allclose(hazards[0, :, 1], 0.03)
    assert curve_by_loop(hazards[0])[: target.year].sum() == pytest.approx(0.08)


@pytest.mark.train
def test_fitting_simulated_loans_finds_their_hazards() -> None:
    import tensorflow as tf

    target = head(Choice(name="term_structure", curve_months=24, splines=6))
    random, loans = np.random.default_rng(4), 40_000
    month = np.arange(1, 25)
    default, prepayment = 0.004 + 0.02 * np.exp(-month / 4), 0.01 + 0.0004 * month
    censored = random.integers(12, 25, loans)  # followed for that long, all of them for 12 months
    draws = random.random((loans, 24))
    ended = draws < default + prepayment
    first = np.where(ended.any(axis=1), ended.argmax(axis=1) + 1, 99)
    of_default = draws[np.arange(loans), np.minimum(first, 24) - 1] < default[np.minimum(first, 24) - 1]
    months = np.minimum(first, censored)
    event = np.where(first > censored, NEITHER, np.where(of_default, DEFAULT, PREPAYMENT))
    label = ((event == DEFAULT) & (months <= 12)).astype(float)
    alike, counts = np.unique(np.stack([label, months, event], axis=1), axis=0, return_counts=True)
    targets, share = tf.constant(alike, tf.float32), tf.constant(counts / loans, tf.float32)
    scores = tf.Variable([target.start(float(label.mean()))], dtype=tf.float32)
    optimizer = tf.keras.optimizers.Adam(0.05)

    def step() -> None:
        with tf.GradientTape() as tape:
            losses = target.losses(tf.repeat(scores, len(alike), axis=0), targets)
            loss = tf.reduce_sum(share * losses)
        optimizer.apply_gradients([(tape.gradient(loss, scores), scores)])

    traced = tf.function(step)
    for _ in range(300):
        traced()
    found = hazards_by_loop(target, scores.numpy())[0]
    np.testing.assert_allclose(found[:, 0], default, atol=0.0025)
    np.testing.assert_allclose(found[:, 1], prepayment, atol=0.0035)
    within = target.pd(np.array([curve_by_loop(found)]))[0]
    assert within == pytest.approx(label.mean(), abs=0.001)


@both_periods
def test_a_calibrated_curve_has_the_calibrated_pd(target: Any) -> None:
    raw = np.array([curve_by_loop(one) for one in hazards_by_loop(target, scores_for(target, 50))])
    found = target.calibrated(raw, PLATT, np.full(len(raw), "current"))
    np.testing.assert_allclose(target.pd(found), PLATT.apply(target.pd(raw)), rtol=1e-8)
    assert found.shape == raw.shape
    assert (found >= 0).all()
    assert (found.sum(axis=1) <= 1 + 1e-9).all()
    assert target.calibrated(raw, Calibration(method="none"), np.full(len(raw), "current")) is raw


def test_a_curve_ends_where_training_loans_were_followed_and_says_so() -> None:
    target: Any = head("term_structure")
    assert (target.months, target.shortened) == (60, None)
    young: Any = target.completed({"period_months": 3, "followed_months": 35})
    assert (young.months, young.periods, young.outputs) == (33, 11, 22)
    assert "33 of 60 months" in str(young.shortened)
    assert target.completed({"followed_months": 5}).months == 12
    assert target.completed({"period_months": 3, "followed_months": 90}).shortened is None


def test_a_tape_with_its_own_outcome_and_settings_that_are_none_are_refused() -> None:
    outcome = Outcome(definition="bad", horizon_months=12, grain="loan")
    with pytest.raises(InputError, match="outcome of its own"):
        head("term_structure").of_tape(outcome)
    with pytest.raises(InputError, match="curve_months"):
        head(Choice(name="term_structure", curve_months=6))
    with pytest.raises(InputError, match="unknown key"):
        head(Choice(name="default_12m", curve_months=60))
