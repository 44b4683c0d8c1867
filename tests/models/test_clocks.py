import numpy as np
import pandas as pd
import pytest

from loanbook.models.inputs.clocks import Clock, fit_clocks
from tests.models.aging import NUMBERS, aging_book

CUT = 0.02


@pytest.fixture(scope="module")
def sample():
    return aging_book(loans=500, seed=1)


def test_whole_numbers_that_grow_are_clocks_and_rare_counts_are_not(sample):
    assert set(fit_clocks(sample, NUMBERS, CUT)) == {"age", "observed", "longest_run", "seen_12m"}
    assert fit_clocks(sample, NUMBERS, 0) == fit_clocks(sample, [], CUT) == {}


def test_each_clock_is_cut_off_at_its_quantile(sample):
    for name, clock in fit_clocks(sample, NUMBERS, CUT).items():
        assert (sample[name] > clock.high).mean() <= CUT < (sample[name] >= clock.high).mean(), name
        assert clock.high <= clock.most <= sample[name].max()


def test_all_clocks_together_leave_out_no_more_rows_than_one_was_cut_off_at(sample):
    clocks = fit_clocks(sample, NUMBERS, CUT)
    beyond = np.logical_or.reduce([sample[name] > clock.most for name, clock in clocks.items()])
    cut_off = np.logical_or.reduce([sample[name] > clock.high for name, clock in clocks.items()])
    assert 0.5 * CUT < beyond.mean() <= CUT < cut_off.mean()


def test_the_order_of_the_rows_does_not_matter(sample):
    assert fit_clocks(sample.sample(frac=1, random_state=3), NUMBERS, CUT) == fit_clocks(sample, NUMBERS, CUT)


def test_where_each_loan_has_one_row_nothing_is_known_to_grow(sample):
    assert fit_clocks(sample.drop_duplicates("_loan"), NUMBERS, CUT) == {}


def test_a_clock_that_is_missing_in_some_rows_and_one_that_is_always_missing(sample):
    some = sample.assign(age=sample["age"].where(sample["_month"] % 3 > 0), never=np.nan)
    clocks = fit_clocks(some, [*NUMBERS, "never"], CUT)
    assert set(clocks) == {"age", "observed", "longest_run", "seen_12m"}
    assert clocks["age"].most <= sample["age"].max()


def test_a_clock_that_stands_at_its_greatest_number_in_many_rows_leaves_out_none():
    months = np.arange(40)
    rows = pd.DataFrame({"_loan": months // 20, "_month": months % 20, "seen": np.minimum(months % 20, 12.0)})
    rows = rows.assign(age=months % 20 + 100.0 * (months == 39))
    assert fit_clocks(rows, ["seen", "age"], 0.05) == {"seen": Clock(12, 12), "age": Clock(18, 18)}
