"""The truth put in as a model is not off in level, whatever moves its months; odds 1.3 times as high are."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from loanbook.models.calibration import logit, sigmoid
from loanbook.models.clustered import Floats, Interval
from loanbook.models.level import Level, OutOfSample
from loanbook.models.together import Together

BOOKS, LOANS, HORIZON, LIFE = 20, 36_000, 12, 36
TEST_FROM = 60  # months of development: 0 to 47


@cache
def book(seed: int, moved: float) -> tuple[OutOfSample, Floats]:
    """Return rows of every fourth month of four years and of the sixth, and their true PDs in the long run.

    Loans are on the book for three years and default once. What moves all of a month lasts (0.9).
    """
    random = np.random.default_rng(seed)
    months = TEST_FROM + 24
    shock = np.zeros(months + 100)
    for now in range(1, len(shock)):
        shock[now] = 0.9 * shock[now - 1] + np.sqrt(1 - 0.9**2) * random.normal()
    grown = np.append(0, np.cumsum(np.exp(moved * shock[100:] - moved**2 / 2)))
    start = random.integers(-LIFE, months, LOANS)
    hazard = np.exp(random.normal(-6.8, 1.0, LOANS))
    lived_until = grown[np.maximum(start, 0)] + random.exponential(size=LOANS) / hazard
    default = np.searchsorted(grown, lived_until) - 1
    at = np.array([*range(0, 48, 4), *range(TEST_FROM, TEST_FROM + 12, 4)], np.int16)
    last = np.minimum(start + LIFE - HORIZON, default)
    short, until = start[:, None].astype(np.int16), last[:, None].astype(np.int16)
    loan, place = np.divmod(np.flatnonzero((short <= at) & (at <= until)), len(at))
    month = at[place].astype(np.int64)
    label = (default[loan] < month + HORIZON).astype(np.float64)
    rows = OutOfSample(label, np.ones(len(loan)), month >= TEST_FROM, Together(loan, month, HORIZON))
    return rows, 1 - np.exp(-HORIZON * hazard[loan])


@cache
def levels(moved: float, times: float) -> list[Level]:
    """Return the level of each book, the odds of its truth so many times as high."""
    found = []
    for seed in range(BOOKS):
        rows, truth = book(seed, moved)
        level = rows.level(sigmoid(logit(truth) + np.log(times)))
        assert level is not None
        found.append(level)
    return found


def off(moved: float, times: float) -> float:
    return float(np.mean([level.is_off for level in levels(moved, times)]))


@pytest.mark.parametrize(("moved", "most"), [(0.0, 0.02), (0.1, 0.02), (0.2, 0.05)])
def test_the_truth_is_not_off_whatever_moves_the_months(moved: float, most: float) -> None:
    assert off(moved, 1.0) <= most


def test_by_borrower_alone_the_truth_would_be_off_where_months_are_moved() -> None:
    far = [not level.test.low <= 1 <= level.test.high for level in levels(0.2, 1.0)]
    assert np.mean(far) >= 0.1


@pytest.mark.parametrize(("moved", "least"), [(0.0, 0.8), (0.1, 0.7)])
def test_odds_that_are_1_3_times_as_high_are_off(moved: float, least: float) -> None:
    rows, _ = book(1, moved)
    assert 200 <= len(np.unique(rows.together.borrower[rows.is_test & (rows.label > 0)])) <= 350
    assert off(moved, 1.3) >= least


def test_a_year_that_is_far_from_all_others_is_off_though_development_is_right() -> None:
    rows, truth = book(1, 0.0)
    level = rows.level(np.where(rows.is_test, sigmoid(logit(truth) + np.log(4)), truth))
    assert level is not None
    assert level.is_off
    assert level.because == "further off than by what 4 blocks of development months differ"
    little = rows.level(np.where(rows.is_test, sigmoid(logit(truth) + np.log(1.6)), truth))
    assert little is not None
    assert little.test.low > 1
    assert not little.is_off
    assert little.because == "by which a stretch of time may differ from those of development"


def made(rate: float, pd_: float, later: bool, months: int = 1) -> Level | None:
    """Return the level of 1,000 loans a month that all have one PD, without development."""
    day = pd.date_range("2020-01-31", periods=months, freq="ME").date
    label = np.tile((np.arange(1000) < 1000 * rate).astype(float), months)
    frame = pd.DataFrame(
        {"source": "a", "borrower": np.arange(len(label)), "as_of_date": np.repeat(day, 1000), "label": label}
    ).assign(weight=2.0)
    return OutOfSample.of(frame, frame[:0], HORIZON, later).level(np.full(len(label), pd_))


def test_the_interval_is_that_of_independent_rows_where_they_are() -> None:
    level = made(0.1, 0.15, later=False)
    assert level is not None
    z, n = 2.5758293, 1000
    centre, half = (0.1 + z**2 / 2 / n), z * np.sqrt(0.1 * 0.9 / n + z**2 / 4 / n**2)
    low, high = ((centre + side * half) / (1 + z**2 / n) for side in (-1, 1))
    assert (level.test.low, level.test.high) == pytest.approx((0.15 / high, 0.15 / low))
    assert level.test.estimate == pytest.approx(1.5)
    assert level.is_off
    assert str(level).startswith(
        "mean PD 1.50 times the observed default rate on the test rows (1.18 to 1.92 at 99 %)"
    )


def test_three_blocks_of_test_months_tell_by_themselves() -> None:
    level = made(0.1, 0.15, later=True, months=36)
    assert level is not None
    assert level.is_off
    assert level.because == "clustered by borrower and by 3 blocks of at least 12 months"


def test_pds_that_know_all_have_a_level_without_chance() -> None:
    rows, _ = book(1, 0.0)
    level = rows.level(rows.label)
    assert level is not None
    assert level.test == Interval(1.0, 1.0, 1.0)
    assert not level.is_off


def test_nothing_is_said_where_none_defaulted() -> None:
    assert made(0.0, 0.1, later=True) is None
