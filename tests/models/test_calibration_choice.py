from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from loanbook.models.calibration import Calibration, Floats, logit, sigmoid
from loanbook.models.calibration_choice import choose_calibration
from loanbook.models.calibration_rows import CalibrationRows
from loanbook.models.closed_test import closed_test
from loanbook.models.heads import head
from loanbook.models.inputs.rows import Rows
from loanbook.models.log_loss import log_loss
from loanbook.models.together import Together
from loanbook.settings.train import CalibrationMethod, CalibrationSettings, TrainSettings
from tests.models.books import FIRST_MONTH, as_it_is, book


def chosen(rows: CalibrationRows, **settings: object) -> Calibration:
    return choose_calibration(rows, CalibrationSettings.model_validate(settings), 30)


def without_clusters(rows: CalibrationRows) -> CalibrationRows:
    return replace(rows, together=Together(np.arange(len(rows)), np.zeros(len(rows), np.int64)))


def test_pds_that_are_right_stay_as_they_are_where_rows_of_a_loan_share_their_outcome() -> None:
    books = [book(seed, 400) for seed in range(100)]
    taken = Counter(chosen(rows).method for rows in books)
    assert taken["none"] >= 90
    tests = [closed_test(rows) for rows in books]
    assert np.mean([test.overdispersion for test in tests if test]) == pytest.approx(12, rel=0.1)
    # The same rows taken as independent: the plain likelihood ratio rejects most of these books.
    plain = [closed_test(without_clusters(rows)) for rows in books]
    assert sum(test is not None and test.chosen == "none" for test in plain) < 50


def test_rows_of_a_month_that_come_about_together_raise_the_overdispersion() -> None:
    random = np.random.default_rng(3)
    month = np.tile(np.arange(24), 400)
    pds = np.full(len(month), 0.1)
    label = random.random(len(month)) < sigmoid(logit(pds) + random.normal(0, 0.6, 24)[month])
    rows = CalibrationRows(pds, label.astype(float), np.ones(len(pds)), Together(np.arange(len(pds)), month))
    test = closed_test(rows)
    assert test is not None
    assert test.level.overdispersion > 4
    assert test.slope is None


def moved(seed: int, spread: float, horizon: int | None) -> CalibrationRows:
    """Return five years of rows whose PDs are right in the long run; what moves a month lasts (0.9)."""
    random, shock = np.random.default_rng(seed), np.zeros(200)
    for now in range(1, len(shock)):
        shock[now] = 0.9 * shock[now - 1] + np.sqrt(1 - 0.9**2) * random.normal()
    month = np.repeat(np.arange(60), 100)
    score = random.normal(-2.5, 1.0, len(month))
    label = random.random(len(month)) < sigmoid(score + spread * shock[140 + month])
    together = Together(np.arange(len(month)), month, horizon)
    return CalibrationRows(sigmoid(score), label.astype(float), np.ones(len(month)), together)


def rejected(spread: float, horizon: int | None) -> float:
    tests = [closed_test(moved(seed, spread, horizon)) for seed in range(100)]
    return float(np.mean([test is not None and test.chosen != "none" for test in tests]))


def test_a_shock_that_lasts_does_not_reject_pds_that_are_right_in_the_long_run() -> None:
    """Nominally 5 %; single months as clusters, all that a label up to maturity leaves, reject far more."""
    assert rejected(0.3, 12) <= 0.15
    assert rejected(0.3, None) >= 0.3
    assert rejected(0.0, 12) <= 0.08


def test_months_are_clusters_where_there_are_no_blocks_of_them() -> None:
    assert moved(1, 0.0, 12).clusters.count == 5
    assert [moved(1, 0.0, horizon).clusters.count for horizon in (None, 24)] == [60, 60]


def doubtful(score: Floats) -> Floats:
    """Return a model's logits that are far too near to each other below a PD of 8 %."""
    return np.where(score < -2.5, -2.5 + 0.3 * (score + 2.5), score)


def test_auto_takes_what_the_distortion_needs() -> None:
    odds = chosen(book(1, 3_000, raw=lambda score: score - np.log(1.5)))
    assert odds.method == "intercept"
    assert odds.intercept == pytest.approx(np.log(1.5), abs=0.15)
    slope = chosen(book(2, 3_000, raw=lambda score: -2.5 + (score + 2.5) / 0.6))
    assert slope.method == "platt"
    assert slope.slope == pytest.approx(0.6, abs=0.08)
    kinked = chosen(book(3, 20_000, months=2, raw=doubtful, mean=-2, spread=1.5))
    assert kinked.method in ("monotone", "isotonic")
    assert kinked.grounds is not None
    assert kinked.grounds.gains[kinked.method][1] > 0
    assert f"than that of {closed_test_of(kinked)}" in kinked.reason


def test_pds_that_hardly_vary_keep_their_mean_under_a_steep_slope() -> None:
    rows = book(2, 3_000, raw=lambda score: -2.3 + (score + 2.5) / 30)
    steep = chosen(rows)
    assert steep.method == "platt"
    assert steep.slope > 20  # the logits lie around -60, where a probability is 0 in floating point
    assert steep.apply(rows.pd).mean() == pytest.approx(rows.label.mean(), rel=0.1)


def closed_test_of(calibration: Calibration) -> CalibrationMethod:
    grounds = calibration.grounds
    assert grounds is not None
    assert grounds.p_intercept is not None
    return "platt" if grounds.p_intercept < 0.05 else "intercept"


def stretched(by: float) -> Callable[[Floats], Floats]:
    """Return a model's logits that a slope of ``by`` mends."""
    return lambda score: -3.2 + (score + 3.2) / by


@pytest.mark.parametrize(
    ("raw", "none", "auto", "platt"),
    [
        (as_it_is, 0.1976, 0.1977, 0.1981),
        (lambda score: score - np.log(1.5), 0.2014, 0.1981, 0.1981),
        (stretched(0.8), 0.2001, 0.1985, 0.1981),
        (stretched(0.6), 0.2165, 0.1981, 0.1981),
    ],
    ids=["right", "odds 1.5", "slope 0.8", "slope 0.6"],
)
def test_what_is_lost_on_loans_not_seen_after_138_defaulting_ones(
    raw: Callable[[Floats], Floats], none: float, auto: float, platt: float
) -> None:
    """The figures of docs/models-and-evaluation.md; where PDs are right, all that is fitted is noise."""
    score = np.random.default_rng(99).normal(-3.2, 1.0, 20_000)
    true = sigmoid(score)

    def loss(calibration: Calibration) -> float:
        label = np.r_[np.ones(len(true)), np.zeros(len(true))]
        return log_loss(label, np.tile(calibration.apply(sigmoid(raw(score))), 2), np.r_[true, 1 - true])

    books = [book(seed, 2_400, months=4, mean=-3.2, raw=raw) for seed in range(50)]
    assert np.mean([rows.defaulting_loans for rows in books]) == pytest.approx(138, abs=10)
    as_raw = loss(Calibration(method="none"))
    by_auto, by_platt = (
        np.array([loss(chosen(rows, method=name)) for rows in books]) for name in ("auto", "platt")
    )
    assert (as_raw, by_auto.mean(), by_platt.mean()) == pytest.approx((none, auto, platt), abs=6e-5)
    if raw is as_it_is:
        worse = by_auto - as_raw
        assert np.sum(worse == 0) >= 45
        assert worse.mean() < 0.4 * np.mean(by_platt - as_raw)
        assert worse.mean() < 2 * worse.std() / np.sqrt(len(books))


def test_a_window_drops_old_months_and_a_half_life_lets_them_fade() -> None:
    """In the first six months half as many default as in the last six."""
    month = np.repeat(np.arange(12), 400)
    label = (np.arange(400 * 12) % 400 < np.where(month < 6, 20, 40)).astype(float)
    together = Together(np.arange(len(month)), FIRST_MONTH + month)
    rows = CalibrationRows(np.full(len(month), 0.02), label, np.ones(len(month)), together)
    means = {}
    for name, settings in {
        "all": {},
        "window": {"window_months": 6},
        "fading": {"half_life_months": 2},
    }.items():
        found = chosen(rows, method="intercept", **settings)
        means[name] = float(found.apply([0.02])[0])
    weight = 0.5 ** ((11 - month) / 2)
    assert means["all"] == pytest.approx(0.075)
    assert means["window"] == pytest.approx(0.1)
    assert means["fading"] == pytest.approx(np.average(label, weights=weight))
    window = chosen(rows, method="intercept", window_months=6)
    assert (window.rows, window.loans, window.defaults, window.default_rate) == (2400, 2400, 240, 0.1)
    assert (window.first_month, window.last_month) == ("2020-07-31", "2020-12-31")
    assert rows.recent(None, 2).weight.sum() == pytest.approx(weight.sum() ** 2 / np.sum(weight**2))


@pytest.mark.parametrize("method", ["auto", "none", "platt", "isotonic"])
def test_a_central_tendency_is_the_mean_of_the_calibrated_pds(method: str) -> None:
    rows = book(4, 20_000, months=1, mean=-2)
    before = chosen(rows, method=method)
    found = chosen(rows, method=method, central_tendency=0.05)
    assert found.apply(rows.pd).mean() == pytest.approx(0.05)
    assert found.mean_pd_before == pytest.approx(before.apply(rows.pd).mean())
    assert (
        before.model_copy(update=found.model_dump(include={"shift", "central_tendency", "mean_pd_before"}))
        == found
    )
    assert (found.shift < 0, before.shift) == (True, 0.0)
    assert found.in_words().endswith("for a mean PD of 5.000%")


def test_too_few_defaulting_loans_judge_nothing_and_a_central_tendency_holds_all_the_same() -> None:
    rows = book(5, 200, mean=-3)
    assert 0 < rows.defaulting_loans < 30
    for method in ("auto", "platt"):
        found = chosen(rows, method=method)
        assert (found.method, found.uncalibrated) == ("none", True)
        assert found.reason == f"{rows.defaulting_loans} defaulting loans, of at least 30"
        assert (found.rows, found.defaulting_loans) == (2400, rows.defaulting_loans)
    stated = chosen(rows, central_tendency=0.1)
    assert stated.uncalibrated
    assert stated.apply(rows.pd).mean() == pytest.approx(0.1)


def test_one_class_no_rows_and_pds_that_do_not_vary() -> None:
    every = replace(book(6, 100), label=np.ones(1200))
    assert (chosen(every).uncalibrated, chosen(every).reason) == (True, "the label of every row is the same")
    empty = every.where(np.zeros(1200, bool))
    assert chosen(empty, window_months=3, half_life_months=2, central_tendency=0.1).uncalibrated
    constant = replace(book(7, 2_000), pd=np.full(24_000, 0.1))
    asked = chosen(constant, method="platt")
    assert (asked.method, asked.uncalibrated) == ("none", False)
    assert asked.reason == "platt has no fit to these PDs and labels"
    right = replace(constant, pd=np.full(24_000, constant.label.mean()))
    assert chosen(right).method == "none"
    wrong = replace(constant, pd=np.full(24_000, constant.label.mean() / 2))
    assert chosen(wrong).method == "intercept"
    assert chosen(wrong).apply([wrong.pd[0]]) == pytest.approx(wrong.label.mean(), rel=0.05)


def test_a_method_by_name_is_fitted_as_it_is_or_says_what_it_lacks() -> None:
    rows = book(8, 1_000)
    assert 30 < rows.defaulting_loans < 300
    platt = chosen(rows, method="platt")
    assert (platt.method, platt.reason) == ("platt", "as asked for")
    assert platt.apply(rows.pd).mean() == pytest.approx(rows.label.mean())
    for method, needed in {"beta": "300", "monotone": "300", "isotonic": "1,000"}.items():
        found = chosen(rows, method=method)
        assert (found.method, found.insufficient) == ("none", False)
        assert (
            found.reason == f"{method} needs {needed} defaulting loans, and there are {rows.defaulting_loans}"
        )
    assert chosen(rows, method="none").reason == "as asked for"


def test_what_was_chosen_is_plain_json_that_says_why() -> None:
    found = chosen(book(9, 20_000, months=1, mean=-2))
    assert Calibration.model_validate_json(found.model_dump_json()) == found
    assert Calibration.model_validate(found.model_dump(mode="json")) == found
    assert found.grounds is not None
    assert set(found.grounds.gains) == {"beta", "monotone", "isotonic"}
    assert found.in_words().startswith("none: the raw PDs are not rejected at 5 % (p 0.")


def test_what_is_drawn_towards_none_is_nearer_to_it() -> None:
    rows = book(10, 600, raw=lambda score: -2.5 + (score + 2.5) / 0.6)
    auto, platt = chosen(rows), chosen(rows, method="platt")
    assert (auto.method, platt.method) == ("platt", "platt")
    assert platt.slope < auto.slope < 1
    means = [float(fit.apply(rows.pd).mean()) for fit in (platt, auto)]
    assert abs(means[1] - rows.pd.mean()) < abs(means[0] - rows.pd.mean())


def test_borrowers_of_two_sources_are_two_and_months_count_from_year_0() -> None:
    frame = pd.DataFrame(
        {"source": ["a", "b", "a"], "borrower": ["1", "1", "1"], "as_of_date": ["2020-01-31"] * 3}
    )
    found = Together.of(frame, 12)
    assert (found.borrower.tolist(), found.month.tolist()) == ([0, 1, 0], [24240] * 3)
    assert len(Together.of(frame.iloc[:0], 12).month) == 0
    assert len(Together.of(pd.DataFrame(columns=["source", "borrower", "as_of_date"]), 12).month) == 0


def test_a_head_of_one_output_asks_for_the_calibration_of_the_settings() -> None:
    judged = book(11, 2_000, months=1, raw=lambda score: score - 1)
    label, weight = judged.label.astype(np.float32), judged.weight.astype(np.float32)
    none = np.zeros((len(judged), 0))
    rows = Rows(none.astype(np.float32), none.astype(np.int32), label[:, None], label, weight)
    for method in ("auto", "beta"):
        settings = TrainSettings.model_validate({"calibration": {"method": method}, "min_defaults": 5})
        found = head("default_12m").calibrate(judged.pd[:, None], rows, judged.together, settings)
        assert found == choose_calibration(judged, settings.calibration, 5)
    few = TrainSettings(min_defaults=2_000)
    assert head("default_12m").calibrate(judged.pd[:, None], rows, judged.together, few).uncalibrated


def test_the_default_rate_of_thinned_rows_is_that_before_the_thinning() -> None:
    together = Together(np.arange(4), np.full(4, 24240))
    rows = CalibrationRows(np.full(4, 0.1), np.array([1.0, 0, 0, 0]), np.array([1.0, 10, 10, 10]), together)
    assert rows.counts()["default_rate"] == pytest.approx(1 / 31)
