import numpy as np
import pytest

from loanbook.models.artefact.bins import code_bins, number_bins, number_shares


def test_shares_on_the_development_rows_are_even() -> None:
    values = np.append(np.random.default_rng(0).normal(size=9000), np.full(1000, np.nan))
    bins = number_bins(values)
    assert bins.shares[0] == pytest.approx(0.1)
    assert bins.shares[1:] == pytest.approx([0.09] * 10, abs=0.001)
    assert number_shares(values, bins.edges) == pytest.approx(bins.shares)


def test_ties_share_a_bin_and_shares_sum_to_one() -> None:
    bins = number_bins([0.0] * 95 + [1, 2, 3, 4, 5])
    assert bins.edges == (0.0,)
    assert sum(bins.shares) == pytest.approx(1)
    assert number_bins([]).shares == (0.0, 0.0)


def test_codes_have_a_share_each_with_the_unknown_first() -> None:
    assert code_bins([0, 1, 1, 3], 4).shares == (0.25, 0.5, 0.0, 0.25, 0.0)


def test_a_row_that_stands_for_ten_counts_ten_times() -> None:
    random = np.random.default_rng(4)
    values, weight = random.normal(size=500), random.choice([1, 10], 500)
    values[:20] = np.nan
    whole, thinned = number_bins(np.repeat(values, weight)), number_bins(values, weight)
    assert thinned.edges == whole.edges
    assert thinned.shares == pytest.approx(whole.shares)
    codes = random.integers(0, 4, 500)
    assert code_bins(codes, 4, weight).shares == pytest.approx(code_bins(np.repeat(codes, weight), 4).shares)
