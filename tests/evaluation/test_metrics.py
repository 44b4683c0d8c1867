import numpy as np
import pytest
from sklearn import metrics as sk

from loanbook.evaluation.metrics import at_threshold, auc, clustered_rate, ks, ranking
from loanbook.models.log_loss import log_loss, log_losses
from loanbook.models.together import Together


@pytest.fixture(params=["equal weights", "weights"])
def rows(request):
    random = np.random.default_rng(3)
    pd = np.round(random.beta(1, 12, 4000), 2)  # two decimals: many ties
    label = (random.random(4000) < pd).astype(float)
    weight = np.ones(4000) if request.param == "equal weights" else random.integers(1, 9, 4000).astype(float)
    return label, pd, weight


def test_losses_are_those_of_scikit_learn(rows):
    label, pd, weight = rows
    clipped = np.clip(pd, 1e-9, 1 - 1e-9)
    assert log_loss(label, pd, weight) == pytest.approx(sk.log_loss(label, clipped, sample_weight=weight))


def test_ranking_is_that_of_scikit_learn_ties_included(rows):
    label, pd, weight = rows
    curve = ranking(label, pd, weight)
    assert curve is not None
    area = sk.roc_auc_score(label, pd, sample_weight=weight)
    false_alarms, hits, _ = sk.roc_curve(label, pd, sample_weight=weight)
    assert curve.auc == pytest.approx(area)
    assert curve.gini == pytest.approx(2 * area - 1)
    assert curve.ks == pytest.approx(np.max(hits - false_alarms))


def every_row_by(member):
    return Together(np.arange(len(member)), np.zeros(len(member), np.int64))


def test_an_auc_has_the_interval_of_its_resampled_rows(rows):
    label, pd, weight = rows
    member, random = np.zeros(len(pd), np.int64), np.random.default_rng(5)
    found = auc(label, pd, weight, member, every_row_by(member))
    assert found is not None
    assert found.estimate == pytest.approx(sk.roc_auc_score(label, pd, sample_weight=weight))
    drawn = [random.integers(0, len(pd), len(pd)) for _ in range(300)]
    spread = np.std([sk.roc_auc_score(label[some], pd[some], sample_weight=weight[some]) for some in drawn])
    assert (found.high - found.low) / 2 / 1.96 == pytest.approx(spread, rel=0.12)


def test_out_of_fold_the_constant_ranks_nothing(rows):
    label, _, weight = rows
    member = np.arange(len(label)) % 5
    rate = [np.average(label[member != one], weights=weight[member != one]) for one in range(5)]
    constant = np.array(rate)[
        member
    ]  # each member's own mean: lower where more of the loans held out default
    found = auc(label, constant, weight, member, every_row_by(member))
    assert found is not None
    assert found.estimate == pytest.approx(0.5)
    assert sk.roc_auc_score(label, constant, sample_weight=weight) < 0.49
    assert ks(label, constant, weight, member) == pytest.approx(0)


def test_out_of_fold_pairs_are_of_one_member(rows):
    label, pd, weight = rows
    member = np.arange(len(label)) % 2
    right = pairs = 0.0
    for one in range(2):
        bad, good = (np.flatnonzero((member == one) & (label == value)) for value in (1, 0))
        each = weight[bad][:, None] * weight[good]
        right += np.sum(each * ((pd[bad][:, None] > pd[good]) + (pd[bad][:, None] == pd[good]) / 2))
        pairs += each.sum()
    found = auc(label, pd, weight, member, every_row_by(member))
    assert found is not None
    assert found.estimate == pytest.approx(right / pairs)


def test_out_of_fold_a_ks_is_the_mean_of_the_members_by_their_pairs(rows):
    label, pd, weight = rows
    member = np.arange(len(label)) % 4 // 3
    pd = pd / (1 + 4 * member)  # one member's level is far below the other's
    pairs, distances = [], []
    for one in range(2):
        own = member == one
        false_alarms, hits, _ = sk.roc_curve(label[own], pd[own], sample_weight=weight[own])
        distances.append(np.max(hits - false_alarms))
        pairs.append(weight[own & (label == 1)].sum() * weight[own & (label == 0)].sum())
    assert ks(label, pd, weight, member) == pytest.approx(np.average(distances, weights=pairs))
    assert ks(np.ones(4), np.ones(4), np.ones(4), np.zeros(4, np.int64)) is None


def test_decisions_at_a_threshold_are_those_of_scikit_learn(rows):
    label, pd, weight = rows
    found, predicted = at_threshold(label, pd, weight, 0.2), pd >= 0.2
    options = {"sample_weight": weight}
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(label, predicted, **options))
    assert found["precision"] == pytest.approx(sk.precision_score(label, predicted, **options))
    assert found["recall"] == pytest.approx(sk.recall_score(label, predicted, **options))
    assert found["f1"] == pytest.approx(sk.f1_score(label, predicted, **options))


def test_by_hand():
    label, pd, one = np.array([1.0, 0, 1, 0]), np.array([0.9, 0.5, 0.5, 0.1]), np.ones(4)
    curve = ranking(label, pd, one)
    assert curve is not None
    assert curve.auc == pytest.approx(3.5 / 4)  # of four pairs three are right and one is a tie
    assert curve.ks == pytest.approx(0.5)
    assert log_loss(label, pd, one) == pytest.approx(-(2 * np.log(0.9) + 2 * np.log(0.5)) / 4)
    assert at_threshold(label, pd, one, 0.5) == {
        "accuracy": 0.75, "precision": pytest.approx(2 / 3), "recall": 1.0, "f1": pytest.approx(0.8)
    }  # fmt: skip


def test_what_cannot_be_said_is_none():
    label, pd, one = np.zeros(3), np.array([0.1, 0.2, 0.3]), np.ones(3)
    assert ranking(label, pd, one) is None
    assert ranking(np.ones(3), pd, one) is None
    assert ranking(np.zeros(0), np.zeros(0), np.zeros(0)) is None
    assert at_threshold(label, pd, one, 0.5) == {
        "accuracy": 1.0, "precision": None, "recall": None, "f1": None
    }  # fmt: skip


def test_a_certain_pd_that_is_wrong_costs_much_but_not_infinity():
    assert log_losses(np.array([1.0]), np.array([0.0]))[0] == pytest.approx(-np.log(1e-9))


def test_the_clustered_interval_knows_how_many_rows_are_independent():
    random = np.random.default_rng(5)
    means, widths = [], []
    loan = np.repeat(np.arange(300), 12)
    for _ in range(200):
        values = np.repeat(random.normal(size=300), 12)  # each loan says the same twelve times
        interval = alone(loan).mean(values, np.ones(3600))
        means.append(interval.estimate)
        widths.append(interval.high - interval.low)
    assert np.mean(widths) / 2 == pytest.approx(1.96 * np.std(means), rel=0.15)
    single = alone(np.arange(3600)).mean(values, np.ones(3600))
    assert single.high - single.low == pytest.approx(widths[-1] / np.sqrt(12), rel=0.01)


def test_two_clusterings_are_never_narrower_than_either():
    random = np.random.default_rng(6)
    month = np.tile(np.arange(12), 300)
    loan = np.repeat(np.arange(300), 12)
    values = random.normal(size=12)[month] + random.normal(size=3600)
    both = Together(loan, month, 1).mean(values, np.ones(3600))
    for one_way in (alone(loan), Together(np.arange(3600), month, 1)):
        one = one_way.mean(values, np.ones(3600))
        assert both.high - both.low >= one.high - one.low - 1e-12


def alone(borrower):
    """Rows of one month, which come about together where they are of one borrower."""
    return Together(borrower, np.zeros(len(borrower), np.int64))


def test_a_rate_of_independent_rows_has_wilsons_interval():
    label = np.repeat([1.0, 0.0], [7, 93])
    interval = clustered_rate(label, np.ones(100), alone(np.arange(100)))
    assert interval.estimate == pytest.approx(0.07)
    assert (interval.low, interval.high) == pytest.approx((0.0343, 0.1375), abs=1e-4)


def test_rows_of_the_same_loan_add_nothing_to_what_a_rate_knows():
    label = np.repeat([1.0, 0.0], [7, 93])
    once = clustered_rate(label, np.ones(100), alone(np.arange(100)))
    twelve = clustered_rate(np.repeat(label, 12), np.ones(1200), alone(np.repeat(np.arange(100), 12)))
    assert (twelve.low, twelve.high) == pytest.approx((once.low, once.high))
