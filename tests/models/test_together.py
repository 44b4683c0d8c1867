"""Intervals of rows that come about together hold the true mean about as often as they say."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from loanbook.evaluation.metrics import clustered_rate
from loanbook.models.together import Together, student

BOOKS, HORIZON = 400, 12


def months_of(borrowers: int, months: int) -> Together:
    """Every borrower in every month."""
    rows = np.repeat(np.arange(borrowers), months), np.tile(np.arange(months), borrowers)
    return Together(*rows, HORIZON)


def coverage(together: Together, of_borrower: float, of_block: float) -> float:
    """Return how often intervals of a mean hold 0, of values whose noise borrowers and blocks share."""
    random, rows = np.random.default_rng(7), len(together.month)
    held = 0
    for _ in range(BOOKS):
        shared = random.normal(0, of_borrower, together.borrower.max() + 1)[together.borrower]
        shared += random.normal(0, of_block, together.month.max() // HORIZON + 1)[together.month // HORIZON]
        found = together.mean(shared + random.normal(size=rows), np.ones(rows))
        held += found.low <= 0 <= found.high
    return held / BOOKS


def test_what_is_left_over_belongs_to_the_last_block() -> None:
    together = Together(np.zeros(5, np.int64), np.array([5, 16, 17, 40, 46]), 12)
    assert together.blocks.tolist() == [0, 0, 1, 2, 2]
    assert together.over_time
    assert together.said == "clustered by borrower and by 3 blocks of at least 12 months"


@pytest.mark.parametrize(
    ("months", "count"),
    [
        (np.arange(0, 36, 3), 3),
        (np.arange(0, 33, 3), 2),
        (np.array([0, 12, 24]), 3),
        (np.array([0, 24, 48]), 3),
        (np.delete(np.arange(36), 20), 3),
        (np.delete(np.arange(35), 20), 2),
    ],
    ids=["3 years of quarters", "a quarter less", "years", "every other year", "months", "a month less"],
)
def test_cohorts_stand_for_their_period(months: npt.NDArray[np.int64], count: int) -> None:
    assert Together(np.arange(len(months)), months, 12).count == count


def test_a_part_of_the_rows_keeps_the_period() -> None:
    months = Together(np.arange(36), np.arange(36), 12)
    assert months.where(np.array([0, 3, 33])).count == 2
    assert months.where(np.zeros(36, bool)).count == 0


@pytest.mark.parametrize("horizon", [12, None])
def test_a_year_of_overlapping_labels_has_no_interval_over_time(horizon: int | None) -> None:
    together = Together(np.arange(12), np.arange(12), horizon)
    assert together.said == "clustered by borrower; no interval over time: one block"
    influence = np.arange(12) - 5.5
    assert together.variance(influence) == pytest.approx(np.sum(influence**2))


def test_a_short_horizon_gives_a_year_blocks() -> None:
    assert Together(np.arange(12), np.arange(12), 3).count == 4
    assert Together(np.arange(12), np.arange(12), 6).said.endswith("no interval over time: two blocks")


def test_quantiles_are_those_of_students_t() -> None:
    for freedom in (1, 2, 3, 4, 5, 20, 199):
        for chance in (0.05, 0.001):
            assert student(freedom, chance) == pytest.approx(stats.t.ppf(1 - chance / 2, freedom))


def test_an_interval_by_borrower_holds_the_mean_as_often_as_it_says() -> None:
    found = coverage(months_of(150, 12), of_borrower=1.0, of_block=0.0)
    assert 0.90 <= found <= 0.98


def test_a_rate_by_borrower_is_held_as_often_too() -> None:
    together, random, held = months_of(200, 12), np.random.default_rng(8), 0
    for _ in range(BOOKS):
        # One default is in the windows of several months; each of these holds 12 of the 24 months.
        month = np.where(random.random(200) < 0.08, random.integers(0, 24, 200), 99)
        label = ((month[:, None] > np.arange(12)) & (month[:, None] <= np.arange(12) + HORIZON)).ravel()
        found = clustered_rate(label.astype(np.float64), np.ones(2400), together)
        held += found.low <= 0.04 <= found.high
    assert 0.90 <= held / BOOKS <= 0.98


@pytest.mark.parametrize("blocks", [3, 6, 12])
def test_intervals_over_time_hold_what_shared_months_do(blocks: int) -> None:
    together = months_of(60, 12 * blocks)
    assert coverage(together, of_borrower=1.0, of_block=0.5) >= 0.90


@pytest.mark.parametrize("of_block", [0.0, 0.1])
@pytest.mark.parametrize("blocks", [3, 5])
@pytest.mark.parametrize("lasting", [False, True], ids=["of one block", "of all blocks"])
def test_few_blocks_make_intervals_neither_too_wide_nor_too_narrow(
    blocks: int, of_block: float, lasting: bool
) -> None:
    """Borrowers with a quarter's rows in a year, or in each year."""
    month, borrowers = np.repeat(np.arange(0, 12 * blocks, 3), 30), np.tile(np.arange(30), 4 * blocks)
    borrowers = borrowers if lasting else borrowers + 30 * (month // 12)
    together = Together(borrowers, month, HORIZON)
    assert together.count == blocks
    assert 0.93 <= coverage(together, of_borrower=1.0, of_block=of_block) <= 0.99


def test_single_months_as_clusters_would_say_too_much() -> None:
    together = months_of(60, 72)
    by_month = Together(together.borrower, together.month, 1)
    assert coverage(by_month, of_borrower=0.2, of_block=0.5) < 0.85 < coverage(together, 0.2, 0.5)


def test_time_never_makes_an_interval_narrower() -> None:
    together, random = months_of(60, 72), np.random.default_rng(9)
    values = random.normal(size=60 * 72)
    both = together.mean(values, np.ones(len(values)))
    alone = Together(together.borrower, together.month).mean(values, np.ones(len(values)))
    assert both.high - both.low >= alone.high - alone.low
