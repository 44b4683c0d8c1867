"""What is right is called right, and what is off is called off, on books whose truth is known."""

import dataclasses
from datetime import date
from functools import cache

import numpy as np
import pandas as pd

from loanbook.evaluation.assess import assess
from loanbook.evaluation.levels import Off, groups_off, is_beyond_chance
from loanbook.evaluation.measures import short_measures
from loanbook.evaluation.sample import Sample
from loanbook.models.calibration import logit, sigmoid
from loanbook.models.clustered import Interval
from loanbook.models.shortfalls import log_loss_difference, shortfalls_of
from loanbook.settings.evaluate import EvaluateSettings

BOOKS, LOANS = 40, 2500
AT = np.array([0, 6, 11])  # months of the year that are looked at; their windows overlap
SETTINGS = EvaluateSettings()


@cache
def book(seed: int) -> Sample:
    """Months of a year of loans, each of which defaults once or never; its truth is put in as the model.

    A loan's default falls on one of the months of its window with equal odds, so that its labels agree as
    those of neighbouring months do: windows of 12 months, each of which holds half of the 24 months.
    """
    random = np.random.default_rng(seed)
    odds = random.normal(-2.5, 1.1, LOANS)
    within = sigmoid(odds)  # in the 24 months; in any one window half of it
    month = np.where(random.random(LOANS) < within, random.integers(0, 24, LOANS), 99)
    label = (month[:, None] > AT) & (month[:, None] <= AT + 12)
    dates = np.array([date(2020, 1, 31), date(2020, 7, 31), date(2020, 12, 31)])
    rows = pd.DataFrame(
        {
            "loan_id": np.repeat(np.arange(LOANS).astype(str), len(AT)),
            "as_of_date": np.tile(dates, LOANS),
            "label": label.ravel().astype(np.float32),
        }
    ).assign(source="tiny", weight=1.0, state="current", age=np.nan)
    truth = np.repeat(within / 2, len(AT))
    noisy = sigmoid(logit(truth) + np.repeat(random.normal(0, 0.5, LOANS), len(AT)))
    pds = {"model": truth, "logistic": noisy, "constant": np.full(len(truth), truth.mean())}
    return Sample("test", rows.assign(borrower=rows["loan_id"]), pds, pds, horizon_months=12)


def with_odds(seed: int, times: float) -> Sample:
    """Return the book with the odds of the truth so many times as high as its model."""
    part = book(seed)
    model = {"model": sigmoid(logit(part.calibrated["model"]) + np.log(times))}
    return dataclasses.replace(part, raw=model, calibrated=model)


def test_the_truth_falls_short_of_nothing() -> None:
    for seed in range(BOOKS):
        part = book(seed)
        found = {
            name: log_loss_difference(
                part.label, part.calibrated["model"], part.calibrated[name], part.weight, part.together
            )
            for name in part.baselines
        }
        assert shortfalls_of(found) == []


def test_deciles_of_the_truth_are_within_their_intervals_as_often_as_these_say() -> None:
    found = [groups_off(assess(with_odds(seed, 1), "fold0", SETTINGS), "decile=") for seed in range(BOOKS)]
    assert sum(len(off) for _, off in found) <= 0.1 * sum(count for count, _ in found)
    assert np.mean([is_beyond_chance(count, off) for count, off in found]) <= 0.1


def off_in_level(seed: int, times: float) -> bool:
    rows = short_measures(with_odds(seed, times), "model", SETTINGS)
    mean, rate = rows["expected_default_rate"][0], rows["observed_default_rate"][0]
    assert isinstance(mean, float)
    assert isinstance(rate, Interval)
    return not rate.low <= mean <= rate.high


def test_odds_that_are_a_third_too_high_are_said_to_be_off_in_level_and_the_truth_is_not() -> None:
    high, right = (np.mean([off_in_level(seed, times) for seed in range(BOOKS)]) for times in (1.3, 1.0))
    assert high >= 0.9
    assert right <= 0.1


def test_the_worst_of_ten_groups_is_further_off_by_chance_where_blocks_are_few() -> None:
    off = [Off("10", 0.1, 0.2, 2.5)]
    assert [is_beyond_chance(10, off, blocks) for blocks in (0, 2, 3, 5, 30)] == [
        True,
        True,
        False,  # as of 3.3 half widths
        True,
        True,
    ]
